package idp

import (
	"strings"
	"time"
)

// idTokenModes are wrong claims, OpenID Connect Core §3.1.3.7 and §12.2, and what is
// no ID token at all. The signature over them is an honest one.
var idTokenModes = map[string]mode{
	"wrong-iss":       {claims: set("iss", "https://issuer.invalid")},
	"iss-slash":       {claims: suffix("iss", "/")},
	"iss-case":        {claims: func(x *exchange, c map[string]any) { c["iss"] = strings.ToUpper(x.issuer) }},
	"iss-list":        {claims: func(x *exchange, c map[string]any) { c["iss"] = []string{x.issuer} }},
	"no-iss-claim":    {claims: without("iss")},
	"wrong-aud":       {claims: set("aud", "another-client")},
	"aud-elsewhere":   {claims: set("aud", []string{"another-client", "a-third"})},
	"aud-number":      {claims: set("aud", 5)},
	"aud-empty":       {claims: set("aud", []string{})},
	"aud-list":        {claims: func(_ *exchange, c map[string]any) { c["aud"] = []any{c["aud"]} }},
	"several-aud":     {claims: func(_ *exchange, c map[string]any) { c["aud"] = []any{c["aud"], "another-client"} }},
	"several-aud-azp": {claims: func(_ *exchange, c map[string]any) { c["azp"] = c["aud"]; c["aud"] = []any{c["aud"], "another-client"} }},
	"several-wrong-azp": {claims: func(_ *exchange, c map[string]any) {
		c["azp"] = "another-client"
		c["aud"] = []any{c["aud"], "another-client"}
	}},
	"no-aud":        {claims: without("aud")},
	"wrong-azp":     {claims: set("azp", "another-client")},
	"azp-list":      {claims: func(_ *exchange, c map[string]any) { c["azp"] = []any{c["aud"]} }},
	"wrong-nonce":   {claims: set("nonce", "another-nonce")},
	"empty-nonce":   {claims: set("nonce", "")},
	"no-nonce":      {claims: without("nonce")},
	"wrong-at-hash": {claims: set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")},
	"short-at-hash": {claims: func(_ *exchange, c map[string]any) { c["at_hash"] = c["at_hash"].(string)[:4] }},
	"no-at-hash":    {claims: without("at_hash")}, // optional here, §3.1.3.6
	"no-sub":        {claims: without("sub")},
	"empty-sub":     {claims: set("sub", "")},
	"sub-number":    {claims: set("sub", 248289761001)},

	"expired-id-token": {claims: shift("exp", -25*time.Hour)},
	"just-expired":     {claims: func(x *exchange, c map[string]any) { c["exp"] = x.now().Unix() - 1 }},
	"exp-text":         {claims: set("exp", "soon")},
	"exp-digits":       {claims: set("exp", "99999999999")},
	"exp-negative":     {claims: set("exp", -1)},
	"exp-huge":         {claims: set("exp", 1e300)},
	"exp-fraction":     {claims: func(_ *exchange, c map[string]any) { c["exp"] = float64(c["exp"].(int64)) + 0.5 }},
	"no-exp":           {claims: without("exp")},
	"future-iat":       {claims: shift("iat", 25*time.Hour)},
	"iat-huge":         {claims: set("iat", 1e300)},
	"iat-ahead":        {claims: shift("iat", time.Minute)}, // clocks differ
	"no-iat":           {claims: without("iat")},
	"future-nbf":       {claims: func(x *exchange, c map[string]any) { c["nbf"] = x.now().Add(time.Hour).Unix() }},
	"nbf-huge":         {claims: set("nbf", 1e300)},
	"nbf-past":         {claims: func(x *exchange, c map[string]any) { c["nbf"] = x.now().Unix() - 60 }},
	"old-auth-time":    {claims: shift("auth_time", -time.Hour)},
	"no-auth-time":     {claims: without("auth_time")},

	"other-sub":   {renewed: set("sub", "somebody-else")},
	"other-iss":   {renewed: set("iss", "https://issuer.invalid")},
	"other-aud":   {renewed: set("aud", "another-client")},
	"other-nonce": {renewed: set("nonce", "another-nonce")},

	// what one reader of JSON takes for the claim and another does not, RFC 7519 §4
	"sub-twice":     {payload: func(s string) string { return first(s, `"sub":"somebody-else"`) }},
	"sub-case":      {payload: func(s string) string { return last(s, `"Sub":"somebody-else"`) }},
	"aud-case":      {payload: func(s string) string { return strings.Replace(s, `"aud"`, `"Aud"`, 1) }},
	"nonce-case":    {payload: func(s string) string { return strings.Replace(s, `"nonce"`, `"NONCE"`, 1) }},
	"claims-array":  {payload: func(s string) string { return "[" + s + "]" }},
	"claims-tail":   {payload: func(s string) string { return s + "{}" }},
	"claims-broken": {payload: func(s string) string { return s[:len(s)/2] }},
	// claims that another place vouches for, OpenID Connect Core §5.6.2: nobody goes there
	"claims-elsewhere": {claims: func(x *exchange, c map[string]any) {
		c["_claim_names"] = map[string]string{"groups": "there"}
		c["_claim_sources"] = map[string]any{"there": map[string]string{"endpoint": x.Elsewhere + "/claims", "access_token": "x"}}
	}},

	"id-token-no-jwt":    {answer: set("id_token", "x.y.z")},
	"id-token-number":    {answer: set("id_token", 5)},
	"id-token-object":    {answer: set("id_token", map[string]string{"sub": "248289761001"})},
	"id-token-line":      {answer: suffix("id_token", "\n")},
	"id-token-padded":    {answer: suffix("id_token", "=")},
	"id-token-encrypted": {answer: set("id_token", "eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMjU2R0NNIn0.AAAA.BBBB.CCCC.DDDD")},
	"id-token-empty":     {answer: set("id_token", "")}, // as good as none
	"id-token-json":      {answer: jsonSerialized},
}

// jsonSerialized is the same JWS, RFC 7515 §7.2.2: an ID token is compact, OpenID
// Connect Core §2.
func jsonSerialized(_ *exchange, answer map[string]any) {
	part := strings.Split(answer["id_token"].(string), ".")
	answer["id_token"] = `{"protected":"` + part[0] + `","payload":"` + part[1] + `","signature":"` + part[2] + `"}`
}
