package e2e

import (
	"slices"

	"github.com/authctl/authctl/internal/idp"
)

// hostileLogins are sign-ins that end in a refusal, but for the authorization response.
func hostileLogins() []hostile {
	return slices.Concat(
		allFrom(".well-known/openid-configuration", slices.Concat(
			badAnswers("discovery", "is no provider's metadata"), lateAnswers("discovery"), hostileMetadata())),
		allFrom("jwks", slices.Concat(badAnswers("keys", "no key that can be used|answered 204"), lateAnswers("keys"))),
		allFrom("token/authorization_code", slices.Concat(
			badAnswers("token", "no JSON object"), lateAnswers("token"), hostileTokenAnswers(), hostileClaims(), hostileSignatures())),
	)
}

// hostileMetadata break OpenID Connect Discovery 1.0 §4.3, RFC 8414 §3.3, RFC 9207 §3.
func hostileMetadata() []hostile {
	const unreadable = "is no provider's metadata"
	return []hostile{
		{mode: "other-issuer", code: 4, says: "are those of https://issuer.invalid"},
		{mode: "issuer-case", code: 4, says: "are those of HTTP://127.0.0.1"},
		{mode: "issuer-path", code: 4, says: "are those of .*/other"},
		{mode: "issuer-query", code: 4, says: `are those of .*/\?tenant=1`},
		{mode: "issuer-fragment", code: 4, says: "are those of .*#x"},
		{mode: "issuer-number", code: 4, says: unreadable},
		{mode: "no-issuer", code: 4, says: unreadable},
		{mode: "slash-in-issuer", code: 4, says: "iss"},
		{mode: "metadata-twice", code: 4, says: unreadable},
		{mode: "metadata-case", code: 4, says: unreadable},
		{mode: "metadata-tail", code: 4, says: unreadable},
		{mode: "metadata-types", code: 4, says: unreadable},
		{mode: "iss-promise-text", code: 4, says: unreadable},
		{mode: "redirect-http", code: 4, says: "redirect.*another host"},
		{mode: "redirect-plain", code: 4, says: "redirect: https://.* leads to http://", tls: true},
		{mode: "endpoint-plain", code: 4, says: "http://127.0.0.1.* is not https", tls: true}, // whoever has that port
		{mode: "discovery-redirect-elsewhere", code: 4, says: "redirect", tls: true},
		{mode: "token-redirect-elsewhere", code: 4, says: "a redirect is not followed", tls: true},
		{mode: "no-s256", code: 4, says: "S256"},
		{mode: "s256-case", code: 4, says: "S256"},
		{mode: "http-endpoint", code: 4, says: "http://token.invalid.* is not https"},
		{mode: "http-authorization", code: 4, says: "http://token.invalid.* is not https"},
		{mode: "http-jwks", code: 4, says: "http://token.invalid.* is not https"},
		{mode: "http-userinfo", code: 4, says: "http://token.invalid.* is not https"},
		{mode: "http-revocation", code: 4, says: "http://token.invalid.* is not https"},
		{mode: "endpoint-user", code: 4, says: "user name"},
		{mode: "endpoint-fragment", code: 4, says: "fragment"},
		{mode: "endpoint-script", code: 4, says: "authorization endpoint.* is no https URL"},
		{mode: "endpoint-file", code: 4, says: "authorization endpoint.* is no https URL"},
		{mode: "endpoint-data", code: 4, says: "authorization endpoint.* is no https URL"},
		{mode: "endpoint-relative", code: 4, says: "token endpoint.* is no https URL"},
		{mode: "endpoint-escape", code: 4, says: "token endpoint"},
		{mode: "endpoint-number", code: 4, says: unreadable},
		{mode: "no-token-endpoint", code: 4, says: "token endpoint"},
		{mode: "no-authorize", code: 4, says: "authorization endpoint"},
	}
}

// hostileTokenAnswers break RFC 6749 §5.
func hostileTokenAnswers() []hostile {
	const (
		noToken   = "no access token that can be read"
		character = "a token has a character that no token may have"
	)
	return slices.Concat(hostileErrors(), []hostile{
		{mode: "token-redirect-301", code: 4, says: "answered 301 .* a redirect is not followed"},
		{mode: "token-redirect-302", code: 4, says: "answered 302 .* a redirect is not followed"},
		{mode: "token-redirect-303", code: 4, says: "answered 303 .* a redirect is not followed"},
		{mode: "token-redirect-307", code: 4, says: "answered 307 .* a redirect is not followed"},
		{mode: "token-redirect-308", code: 4, says: "answered 308 .* a redirect is not followed"},
		{mode: "token-elsewhere-301", code: 4, says: "answered 301 .* a redirect is not followed"},
		{mode: "token-elsewhere-302", code: 4, says: "answered 302 .* a redirect is not followed"},
		{mode: "token-elsewhere-303", code: 4, says: "answered 303 .* a redirect is not followed"},
		{mode: "token-elsewhere-308", code: 4, says: "answered 308 .* a redirect is not followed"},
		{mode: "token-many-headers", code: 6, says: "token request: .*header"},

		{mode: "token-twice", code: 4, says: "access_token"},
		{mode: "token-case", code: 4, says: "access_token"},
		{mode: "token-case-only", code: 4, says: "access_token"},
		{mode: "token-tail", code: 4, says: "no JSON object"},
		{mode: "no-access-token", code: 4, says: noToken},
		{mode: "empty-access-token", code: 4, says: noToken},
		{mode: "null-access-token", code: 4, says: noToken},
		{mode: "access-token-number", code: 4, says: noToken},
		{mode: "access-token-list", code: 4, says: noToken},
		{mode: "mac-token", code: 4, says: "of type mac, not Bearer"},
		{mode: "dpop-token", code: 4, says: "of type DPoP, not Bearer"},
		{mode: "token-type-number", code: 4, says: noToken},
		{mode: "token-type-line", code: 4, says: "of type Bearer X-Evil: 1, not Bearer"},

		{mode: "nan-expires-in", code: 4, says: "expires_in is no number"},
		{mode: "word-expires-in", code: 4, says: "expires_in is no number"},
		{mode: "object-expires-in", code: 4, says: "expires_in is no number"},
		{mode: "boolean-expires-in", code: 4, says: "expires_in is no number"},

		{mode: "scope-escape", code: 4, says: "no scope may have"},
		{mode: "scope-line", code: 4, says: "no scope may have"},
		{mode: "refresh-line", code: 4, says: character},
		{mode: "refresh-number", code: 4, says: noToken},
		{mode: "access-space", code: 4, says: character},
		{mode: "access-line", code: 4, says: character},
		{mode: "access-header", code: 4, says: character},
		{mode: "access-curl-output", code: 4, says: character},
		{mode: "access-eval", code: 4, says: character},
		{mode: "access-tab", code: 4, says: character},
		{mode: "access-nul", code: 4, says: character},
		{mode: "access-delete", code: 4, says: character},
		{mode: "access-accent", code: 4, says: character},
		{mode: "access-half-a-pair", code: 4, says: character},
	})
}

// hostileErrors are refusals, RFC 6749 §5.2, and what they say, or echo.
func hostileErrors() []hostile {
	return []hostile{
		{mode: "invalid-grant", code: 4, says: "^authctl: invalid_grant: the session has ended$"},
		{mode: "invalid-client", code: 4, says: "^authctl: invalid_client: the client is not known$"},
		{mode: "token-error-200", code: 4, says: "^authctl: invalid_request: not today$"},
		{mode: "token-error-500", code: 6, says: "answered 500 .*server_error: try later"},
		{mode: "token-error-429", code: 6, says: "answered 429 .*slow_down: not so fast"},
		{mode: "token-error-final", code: 4, says: "^authctl: invalid_scope: no such scope$"},
		{mode: "token-error-object", code: 4, says: "no access token|no OAuth error"},
		{mode: "token-error-empty", code: 4, says: "answered 400 Bad Request without an OAuth error"},

		{mode: "token-echo", code: 4, says: `^authctl: invalid_grant: not accepted: .*\[redacted\]`},
		{mode: "token-echo-percent", code: 4, says: `^authctl: invalid_grant: \[redacted\]$`},
		{mode: "token-echo-base64", code: 4, says: `^authctl: invalid_grant: \[redacted\]$`},
		{mode: "token-echo-code", code: 4, says: `^authctl: bad_.*\[redacted\]`},
		{mode: "token-echo-type", code: 4, says: `of type .*\[redacted\].*not Bearer`},
		{mode: "token-echo-noise", code: 6, says: `malformed HTTP .*\[redacted\]`},
		{mode: "token-echo-header", code: 6, says: `malformed MIME .*\[redacted\]`},
		{mode: "token-echo-status", code: 6, says: `malformed HTTP .*\[redacted\]`},
		{mode: "token-echo-place", code: 6, says: `Location .*\[redacted\]`},
		{mode: "token-echo-length", code: 6, says: `Content-Length .*\[redacted\]`},

		{mode: "error-escape", code: 4, says: `denied x\[2J\]0;owned\[31m: x\[2J`},
		{mode: "error-controls", code: 4, says: "denied x.*31mred"},
		{mode: "error-bidi", code: 4, says: "usergpj.exe"},
		{mode: "error-invisible", code: 4, says: "denied admin: admin$"},
		{mode: "error-html", code: 4, says: "<script>alert"},
		{mode: "error-lines", code: 4, says: "denied no hint: rm -rf ~ authctl: all is well Signed in as root hint: x"},
		{mode: "error-template", code: 4, says: `denied %s%d%!\(EXTRA\) {{.}} \${HOME}`},
		{mode: "error-long", code: 4, says: "all is not well.*…$"},
		{mode: "error-huge", code: 4, says: "larger than 1 MiB"},
		{mode: "error-accents", code: 4, says: "Sitzung übermäßig 期限切れ"},
	}
}

// hostileClaims break OpenID Connect Core §3.1.3.7, or are no ID token at all.
func hostileClaims() []hostile {
	const noJWT = "^authctl: ID token: it is no signed JWT$"
	maxAge := []string{"--max-age", "60"}
	return []hostile{
		{mode: "wrong-iss", code: 4, says: "^authctl: ID token: .*issuer.invalid"},
		{mode: "iss-slash", code: 4, says: "^authctl: ID token: .*different provider"},
		{mode: "iss-case", code: 4, says: "^authctl: ID token: .*different provider"},
		{mode: "iss-list", code: 4, says: "^authctl: ID token: "},
		{mode: "no-iss-claim", code: 4, says: "^authctl: ID token: .*different provider"},
		{mode: "wrong-aud", code: 4, says: "^authctl: ID token: .*audience"},
		{mode: "aud-elsewhere", code: 4, says: "^authctl: ID token: .*audience"},
		{mode: "aud-number", code: 4, says: "^authctl: ID token: "},
		{mode: "aud-empty", code: 4, says: "^authctl: ID token: .*audience"},
		{mode: "no-aud", code: 4, says: "^authctl: ID token: .*audience"},
		{mode: "several-aud", code: 4, says: "several clients and has no azp"},
		{mode: "several-wrong-azp", code: 4, says: `azp is "another-client"`},
		{mode: "wrong-azp", code: 4, says: `azp is "another-client"`},
		{mode: "azp-list", code: 4, says: "claims can't be read"},
		{mode: "wrong-nonce", code: 4, says: "nonce is not ours"},
		{mode: "empty-nonce", code: 4, says: "nonce is not ours"},
		{mode: "no-nonce", code: 4, says: "nonce is not ours"},
		{mode: "wrong-at-hash", code: 4, says: "at_hash does not fit"},
		{mode: "short-at-hash", code: 4, says: "at_hash does not fit"},
		{mode: "no-sub", code: 4, says: "it has no sub"},
		{mode: "empty-sub", code: 4, says: "it has no sub"},
		{mode: "sub-number", code: 4, says: "^authctl: ID token: "},
		{mode: "expired-id-token", code: 4, says: "it expired at .*, and the clock says"},
		{mode: "just-expired", code: 4, says: "it expired at"},
		{mode: "exp-text", code: 4, says: "^authctl: ID token: "},
		{mode: "exp-digits", code: 4, says: "claims can't be read"},
		{mode: "exp-negative", code: 4, says: "it expired at 1969-12-31T23:59:59Z"},
		{mode: "no-exp", code: 4, says: "it has no exp"},
		{mode: "future-iat", code: 4, says: "issued in the future"},
		{mode: "iat-huge", code: 4, says: "issued in the future"},
		{mode: "no-iat", code: 4, says: "it has no iat"},
		{mode: "future-nbf", code: 4, says: "not valid before"},
		{mode: "nbf-huge", code: 4, says: "not valid before"},
		{mode: "old-auth-time", code: 4, says: "auth_time", args: maxAge},
		{mode: "no-auth-time", code: 4, says: "auth_time", args: maxAge},
		{mode: "sub-twice", code: 4, says: "sub"},
		{mode: "sub-case", code: 4, says: "sub"},
		{mode: "aud-case", code: 4, says: "aud"},
		{mode: "nonce-case", code: 4, says: "nonce"},
		{mode: "claims-array", code: 4, says: "^authctl: ID token: "},
		{mode: "claims-tail", code: 4, says: "^authctl: ID token: "},
		{mode: "claims-broken", code: 4, says: "^authctl: ID token: "},
		{mode: "id-token-no-jwt", code: 4, says: noJWT},
		{mode: "id-token-number", code: 4, says: "ID token.* no string"},
		{mode: "id-token-object", code: 4, says: "ID token.* no string"},
		{mode: "id-token-line", code: 4, says: "a token has a character"},
		{mode: "id-token-padded", code: 4, says: noJWT},
		{mode: "id-token-encrypted", code: 4, says: noJWT},
		{mode: "id-token-json", code: 4, says: noJWT},
	}
}

// hostileSignatures break OpenID Connect Core §10.1 and RFC 8725 §3.
func hostileSignatures() []hostile {
	const (
		noKey = "^authctl: keys: .* has no key that can be used$"
		wrong = "^authctl: ID token: its signature is wrong$"
	)
	alg := func(name string) func(*idp.Options) { return func(o *idp.Options) { o.Alg = name } }
	undocumented := func(o *idp.Options) { o.NoDiscovery = true } // so that no key is known
	return []hostile{
		{mode: "alg-none", code: 4, says: `signed with "none"`},
		{mode: "alg-none-case", code: 4, says: `signed with "nOnE"`},
		{mode: "alg-none-listed", code: 4, says: `signed with "none", which is not among RS256$`},
		{mode: "alg-none", code: 4, says: `signed with "none"`, with: undocumented},
		{mode: "alg-hmac", code: 4, says: `signed with "HS256"`},
		{mode: "alg-hmac", code: 4, says: `signed with "HS256"`, with: alg("EdDSA")},
		{mode: "alg-hmac", code: 4, says: `signed with "HS256"`, with: undocumented},
		{mode: "alg-hmac-listed", code: 4, says: `signed with "HS256", which is not among RS256$`},
		{mode: "alg-hmac-published", code: 4, says: `signed with "HS256", which is not among RS256$`},
		{mode: "alg-not-listed", code: 4, says: `signed with "RS256", which is not among ES384$`},
		{mode: "alg-unsafe-only", code: 4, says: "lists no algorithm for it that is safe"},
		{mode: "alg-escape", code: 4, says: `signed with ".*\[2J"`},

		{mode: "bad-signature", code: 4, says: wrong},
		{mode: "bad-signature", code: 4, says: wrong, with: alg("ES256")},
		{mode: "bad-signature", code: 4, says: wrong, with: alg("PS256")},
		{mode: "bad-signature", code: 4, says: wrong, with: alg("EdDSA")},
		{mode: "no-signature", code: 4, says: wrong},
		{mode: "no-signature", code: 4, says: wrong, with: alg("ES256")},
		{mode: "no-signature", code: 4, says: wrong, with: alg("PS256")},
		{mode: "no-signature", code: 4, says: wrong, with: alg("EdDSA")},
		{mode: "two-parts", code: 4, says: "it is no signed JWT"},
		{mode: "payload-changed", code: 4, says: wrong},
		{mode: "payload-changed", code: 4, says: wrong, with: alg("ES256")},
		{mode: "payload-changed", code: 4, says: wrong, with: alg("PS256")},
		{mode: "payload-changed", code: 4, says: wrong, with: alg("EdDSA")},

		{mode: "unknown-kid", code: 4, says: `no key has the ID "unknown"`},
		{mode: "unpublished-kid", code: 4, says: `no key has the ID "unknown"`},
		{mode: "kid-escape", code: 4, says: "no key has the ID"},
		{mode: "kid-of-another", code: 4, says: wrong},
		{mode: "no-kid-forged", code: 4, says: wrong},
		{mode: "same-kid-forged", code: 4, says: wrong},
		{mode: "encryption-key", code: 4, says: noKey},
		{mode: "key-ops", code: 4, says: noKey},
		{mode: "key-for-other", code: 4, says: "no key has the ID"},
		{mode: "private-key", code: 4, says: noKey},
		{mode: "symmetric-key", code: 4, says: noKey},
		{mode: "no-keys", code: 4, says: noKey},
		{mode: "keys-not-a-list", code: 4, says: noKey},
		{mode: "weak-key", code: 4, says: noKey},
		{mode: "key-in-header", code: 4, says: wrong},
		{mode: "key-at-header", code: 4, says: wrong},
		{mode: "certs-at-header", code: 4, says: wrong},
		{mode: "critical-header", code: 4, says: "^authctl: ID token: "},
		{mode: "payload-unpacked", code: 4, says: "^authctl: ID token: "},
	}
}
