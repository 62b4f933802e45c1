package e2e

import "github.com/authctl/authctl/internal/idp"

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
