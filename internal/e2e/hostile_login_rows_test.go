package e2e

import (
	"slices"
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
		{mode: "token-echo-noise", code: 6, says: `malformed HTTP response$`},
		{mode: "token-echo-header", code: 6, says: `malformed MIME header`},
		{mode: "token-echo-status", code: 6, says: `malformed HTTP status code$`},
		{mode: "token-echo-place", code: 6, says: `failed to parse Location header$`},
		{mode: "token-echo-length", code: 6, says: `bad Content-Length$`},

		{mode: "token-echo-behind", code: 4, says: "^authctl: invalid_grant$"},

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
