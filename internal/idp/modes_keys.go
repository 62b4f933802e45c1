package idp

import (
	"encoding/json"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// keyModes are wrong signatures, wrong keys, and keys that only look wrong: OpenID
// Connect Core §10.1, RFC 8725 §3.
var keyModes = map[string]mode{
	"alg-none":           {sign: unsigned},
	"alg-none-case":      {sign: unsignedAs("nOnE")},
	"alg-none-listed":    {metadata: listed("RS256", "none"), sign: unsigned},
	"alg-hmac":           {sign: signedByPublicKey},
	"alg-hmac-listed":    {metadata: listed("RS256", "HS256"), sign: signedByPublicKey},
	"alg-hmac-published": {metadata: listed("RS256", "HS256"), keys: published(symmetric), sign: signedSymmetrically},
	"alg-not-listed":     {metadata: listed("ES384")},
	"alg-unsafe-only":    {metadata: listed("none", "HS256")},
	"alg-unlisted":       {metadata: without("id_token_signing_alg_values_supported")}, // RS256 then, §3.1.3.7
	"alg-escape":         {sign: unsignedAs("\x1b[2J")},

	"bad-signature":   {sign: signedByAnother},
	"no-signature":    {sign: func(x *exchange, p []byte) string { return cut(honestly(x, p)) + "." }},
	"two-parts":       {sign: func(x *exchange, p []byte) string { return cut(honestly(x, p)) }},
	"payload-changed": {sign: payloadChanged},

	"unknown-kid":      {sign: signedAs("unknown", true)},
	"unpublished-kid":  {sign: signedAs("unknown", false)}, // with the right key all the same
	"kid-escape":       {sign: signedAs("\x1b[2J\nhint: x", true)},
	"kid-of-another":   {keys: besides("another"), sign: signedAs("another", false)},
	"no-kid":           {sign: signedAs("", false)}, // one key: that is it
	"no-kid-several":   {keys: besides("another"), sign: signedAs("", false)},
	"no-kid-forged":    {sign: signedAs("", true)},
	"same-kid":         {keys: underSameKid},
	"same-kid-forged":  {keys: underSameKid, sign: signedByStranger},
	"rotated-key":      {keys: rotated, sign: signedAs("next", true)}, // and published
	"encryption-key":   {keys: everyKey("use", "enc")},
	"key-without-use":  {keys: everyKey("use", "")},
	"key-for-other":    {keys: everyKey("alg", "PS512")},
	"key-ops":          {keys: everyKey("key_ops", []string{"encrypt"})},
	"private-key":      {keys: published(func(x *exchange) any { return x.key(x.Alg) })},
	"symmetric-key":    {keys: published(symmetric)},
	"no-keys":          {keys: set("keys", []any{})},
	"keys-not-a-list":  {keys: set("keys", map[string]any{})},
	"broken-keys":      {keys: amongBroken},
	"weak-key":         {keys: published(weakPublic), sign: func(_ *exchange, p []byte) string { return sign(weak(), nil, p) }},
	"key-in-header":    {sign: signedUnder(inHeader, true)},
	"key-at-header":    {sign: signedUnder(elsewhere("jku"), true)},
	"certs-at-header":  {sign: signedUnder(elsewhere("x5u"), true)},
	"url-in-header":    {sign: signedUnder(elsewhere("jku"), false)}, // an honest one: nobody goes there
	"critical-header":  {sign: critical},
	"payload-unpacked": {sign: unpacked},
}

func listed(algorithms ...string) edit {
	return set("id_token_signing_alg_values_supported", algorithms)
}

// published puts another key in the place of the honest one.
func published(key func(*exchange) any) edit {
	return func(x *exchange, set map[string]any) { set["keys"] = []any{key(x)} }
}

// besides publishes a stranger's key first, under the given kid.
func besides(kid string) edit {
	return func(x *exchange, set map[string]any) {
		set["keys"] = append([]any{strangers(x, kid)}, set["keys"].([]any)...)
	}
}

func underSameKid(x *exchange, set map[string]any) { besides(x.key(x.Alg).KeyID)(x, set) }

func rotated(x *exchange, set map[string]any) {
	set["keys"] = []any{strangers(x, "next")}
}

// strangers is the public key of whoever signs what is forged.
func strangers(x *exchange, kid string) jose.JSONWebKey {
	key := forged.get(x.Alg)
	key.KeyID = kid
	return key.Public()
}

// everyKey changes a member of every key; empty: it is left out.
func everyKey(name string, value any) edit {
	return func(_ *exchange, set map[string]any) {
		for i, key := range set["keys"].([]any) {
			members := asMap(key)
			members[name] = value
			if value == "" {
				delete(members, name)
			}
			set["keys"].([]any)[i] = members
		}
	}
}

// amongBroken has before the honest key all that a client may not understand.
func amongBroken(x *exchange, set map[string]any) {
	broken := []any{5, nil, "key", map[string]any{"kty": "OKP", "crv": "Ed448", "x": "AA"}, map[string]any{"kty": "RSA"}, symmetric(x)}
	set["keys"] = append(broken, set["keys"].([]any)...)
}

func symmetric(*exchange) any {
	return map[string]any{"kty": "oct", "kid": "shared", "alg": "HS256", "use": "sig", "k": strings.Repeat("A", 43)}
}

func asMap(v any) map[string]any {
	var m map[string]any
	if err := json.Unmarshal(mustJSON(v), &m); err != nil {
		panic(err)
	}
	return m
}

// inHeader is the key that the token would like to be checked with.
func inHeader(x *exchange) map[jose.HeaderKey]any {
	return map[jose.HeaderKey]any{"jwk": strangers(x, "")}
}

// elsewhere is a header that names a place for keys.
func elsewhere(name jose.HeaderKey) func(*exchange) map[jose.HeaderKey]any {
	return func(x *exchange) map[jose.HeaderKey]any {
		return map[jose.HeaderKey]any{name: x.Elsewhere + "/keys"}
	}
}
