package e2e

import (
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/idp"
)

// hostileRenewals are of a token that has expired, OpenID Connect Core §12. The refresh
// token stays good, so that the honest twin can have it.
func hostileRenewals() []hostile {
	rows := slices.Concat(badAnswers("token", "no JSON object"), hostileErrors(), []hostile{
		{mode: "interaction-required", code: 3, says: "interaction_required: the person is needed$"},
		{mode: "bad-refresh-token", code: 3, says: "bad_refresh_token: incorrect or expired$"},
		{mode: "other-sub", code: 4, says: "after the renewal it is about another sub"},
		{mode: "other-iss", code: 4, says: "issuer.invalid"},
		{mode: "other-aud", code: 4, says: "audience"},
		{mode: "other-nonce", code: 4, says: "nonce is not ours"},
		{mode: "several-aud", code: 4, says: "no azp"},
		{mode: "wrong-at-hash", code: 4, says: "at_hash"},
		{mode: "no-sub", code: 4, says: "no sub"},
		{mode: "sub-case", code: 4, says: "sub"},
		{mode: "sub-twice", code: 4, says: "sub"},
		{mode: "alg-none", code: 4, says: `signed with "none"`},
		{mode: "alg-hmac", code: 4, says: `signed with "HS256"`},
		{mode: "bad-signature", code: 4, says: "its signature is wrong"},
		{mode: "no-signature", code: 4, says: "its signature is wrong"},
		{mode: "unknown-kid", code: 4, says: `no key has the ID "unknown"`},
		{mode: "key-in-header", code: 4, says: "its signature is wrong"},
		{mode: "id-token-no-jwt", code: 4, says: "no signed JWT"},
		{mode: "id-token-encrypted", code: 4, says: "no signed JWT"},
		{mode: "id-token-number", code: 4, says: "no string"},
		{mode: "access-line", code: 4, says: "a token has a character"},
		{mode: "refresh-line", code: 4, says: "a token has a character"},
		{mode: "no-access-token", code: 4, says: "no access token"},
		{mode: "token-twice", code: 4, says: "access_token"},
		{mode: "token-case", code: 4, says: "access_token"},
		{mode: "mac-token", code: 4, says: "of type mac"},
		{mode: "nan-expires-in", code: 4, says: "expires_in"},
		{mode: "scope-escape", code: 4, says: "no scope may have"},
		{mode: "token-redirect-303", code: 4, says: "a redirect is not followed"},
		{mode: "token-elsewhere-308", code: 4, says: "a redirect is not followed"},
	})
	for i, h := range rows {
		if h.mode == "invalid-grant" || strings.HasPrefix(h.mode, "token-echo") && strings.Contains(h.says, "invalid_grant") {
			rows[i].code = 3 // sign in again
		}
		rows[i].says = `^authctl: renewing profile "default": .*` + strings.TrimPrefix(h.says, "^authctl: ")
		rows[i].with, rows[i].arrives = keepsRefreshTokens, "token/refresh_token"
	}
	return rows
}

func keepsRefreshTokens(o *idp.Options) { o.NoRotation = true }

// oddRenewals bring a new access token, and what there was of the rest stays.
func oddRenewals() []hostile {
	return []hostile{
		{mode: "no-refresh", with: keepsRefreshTokens},
		{mode: "empty-refresh", with: keepsRefreshTokens},
		{mode: "null-refresh", with: keepsRefreshTokens},
		{mode: "no-nonce"},
		{mode: "no-auth-time"},
		{mode: "old-auth-time"},
		{mode: "no-scope"},
		{mode: "scope-list"},
		{mode: "text-expires-in"},
		{mode: "id-token-empty", see: (*stage).isAda},
		{mode: "rotated-key", see: (*stage).fetchedKeysAgain},
		// by a clock that is wrong the refresh token would be lost; the old ID token stays
		{mode: "expired-id-token", see: (*stage).isAda},
		{mode: "future-iat", see: (*stage).isAda},
		// without the keys nothing is known of the ID token: the old one stays
		{mode: "rotated-key keys-403", see: (*stage).isAda},
		{mode: "rotated-key keys-500", see: (*stage).isAda},
		{mode: "rotated-key keys-html", see: (*stage).isAda},
		{mode: "rotated-key keys-down", see: (*stage).isAda},
		{mode: "rotated-key keys-huge", see: (*stage).isAda},
		{mode: "rotated-key keys-redirect-elsewhere", see: (*stage).isAda},
		{mode: "rotated-key no-keys", see: (*stage).isAda},
		{mode: "rotated-key encryption-key", see: (*stage).isAda},
	}
}

// fetchedKeysAgain: once at the login, and once because the key was another.
func (s *stage) fetchedKeysAgain() {
	if got := s.provider.Count("jwks"); got != 2 {
		s.t.Errorf("got %d fetches of the keys, want 2", got)
	}
}

// hostileRevocations are what RFC 7009 §2.2 doesn't say. A body under status 200 is
// nobody's concern, it says.
func hostileRevocations() []hostile {
	rows := badAnswers("revoke", "")
	for i, h := range rows {
		if h.says == "" {
			rows[i].code = 0
		}
	}
	rows = append(rows,
		hostile{mode: "revoke-spent"},
		hostile{mode: "revoke-error", code: 4, says: "unsupported_token_type: not this one"},
		hostile{mode: "revoke-echo", code: 4, says: `invalid_request: not accepted: .*\[redacted\]`})
	for i, h := range rows {
		if h.code != 0 {
			rows[i].says = `^authctl: signed out of profile "default" on this machine, but its tokens are not revoked: .*` + h.says
		}
	}
	return allFrom("revoke", rows)
}

func hangingRevocations() []hostile {
	return []hostile{
		{mode: "revoke-hang", code: 130, says: "its tokens are not revoked: .*\nauthctl: interrupted$"},
		{mode: "revoke-slow", code: 130, says: "its tokens are not revoked: .*\nauthctl: interrupted$"},
	}
}
