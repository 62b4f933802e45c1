package idp

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// mode is one wrong behaviour: each hook changes what the honest code made just
// before it goes out. A mode sets the hooks that it needs.
type mode struct {
	metadata func(m map[string]any)
	redirect func(q url.Values)                       // the authorization response
	claims   func(c map[string]any)                   // the ID token's, before it is signed
	renewed  func(c map[string]any)                   // the same, at a renewal only
	sign     func(x *exchange, payload []byte) string // instead of an honest signature on the ID token
	token    func(x *exchange)                        // instead of the token endpoint
	answer   func(a map[string]any)                   // the token endpoint's good answer
	page     func(x *exchange) bool                   // instead of a metadata document; false: only here
	decide   string                                   // the error that the authorization endpoint gives without a page
}

// modes is the table of wrong behaviours. Names say what a client must notice.
var modes = map[string]mode{
	// discovery, OpenID Connect Discovery 1.0 §4.3
	"other-issuer":   {metadata: set("issuer", "https://issuer.invalid")},
	"html-discovery": {page: htmlPage},
	"no-s256":        {metadata: set("code_challenge_methods_supported", []string{"plain"})},
	"no-pkce-listed": {metadata: without("code_challenge_methods_supported")},
	"no-jwks":        {metadata: without("jwks_uri")},
	"http-endpoint":  {metadata: set("token_endpoint", "http://token.invalid/token")},

	// the authorization response, RFC 6749 §4.1.2 and RFC 9207
	"wrong-state":     {redirect: func(q url.Values) { q.Set("state", "x"+q.Get("state")) }},
	"no-state":        {redirect: func(q url.Values) { q.Del("state") }},
	"no-iss":          {redirect: func(q url.Values) { q.Del("iss") }},
	"wrong-iss-param": {redirect: func(q url.Values) { q.Set("iss", "https://issuer.invalid") }},
	"no-code":         {redirect: func(q url.Values) { q.Del("code") }},
	"deny":            {decide: "access_denied"},

	// the ID token, OpenID Connect Core §3.1.3.7
	"wrong-iss":        {claims: set("iss", "https://issuer.invalid")},
	"wrong-aud":        {claims: set("aud", "another-client")},
	"wrong-azp":        {claims: set("azp", "another-client")},
	"wrong-nonce":      {claims: set("nonce", "another-nonce")},
	"no-nonce":         {claims: without("nonce")},
	"wrong-at-hash":    {claims: set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")},
	"no-sub":           {claims: without("sub")},
	"no-exp":           {claims: without("exp")},
	"expired-id-token": {claims: shift("exp", -25*time.Hour)},
	"future-iat":       {claims: shift("iat", 25*time.Hour)},
	"other-sub":        {renewed: set("sub", "somebody-else")},
	"other-iss":        {renewed: set("iss", "https://issuer.invalid")},
	"alg-none":         {sign: unsigned},
	"alg-hmac":         {sign: signedByPublicKey},
	"bad-signature":    {sign: signedByAnother},
	"unknown-kid":      {sign: signedByUnknownKey},

	// the token endpoint, RFC 6749 §5
	"token-500":      {token: func(x *exchange) { http.Error(x.w, "internal error", http.StatusInternalServerError) }},
	"token-429":      {token: func(x *exchange) { http.Error(x.w, "slow down", http.StatusTooManyRequests) }},
	"token-html":     {token: func(x *exchange) { htmlPage(x) }},
	"token-down":     {token: func(*exchange) { panic(http.ErrAbortHandler) }},
	"token-hang":     {token: (*exchange).hang},
	"token-huge":     {token: (*exchange).flood},
	"token-echo":     {token: (*exchange).echo},
	"redirect-token": {token: func(x *exchange) { http.Redirect(x.w, x.r, x.url("elsewhere"), http.StatusTemporaryRedirect) }},
	"invalid-grant":  {token: func(x *exchange) { x.refuse(badGrant("the session has ended")) }},
	"invalid-client": {token: func(x *exchange) { x.refuse(badClient("the client is not known")) }},

	"no-access-token": {answer: without("access_token")},
	"mac-token":       {answer: set("token_type", "mac")},
	"text-expires-in": {answer: func(a map[string]any) { a["expires_in"] = "3600" }},
	"past-expires-in": {answer: set("expires_in", -3600)},
	"huge-expires-in": {answer: set("expires_in", int64(1)<<62)},
}

func set(name string, value any) func(map[string]any) {
	return func(m map[string]any) { m[name] = value }
}

func without(name string) func(map[string]any) {
	return func(m map[string]any) { delete(m, name) }
}

func shift(name string, d time.Duration) func(map[string]any) {
	return func(m map[string]any) { m[name] = m[name].(int64) + int64(d/time.Second) }
}

// wrong yields the modes that are on, in the order of their names.
func (o *Options) wrong() []mode {
	var on []mode
	for _, name := range slices.Sorted(maps.Keys(o.Modes)) {
		if o.Modes[name] {
			on = append(on, modes[name])
		}
	}
	return on
}

func htmlPage(x *exchange) bool {
	x.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	x.w.Write([]byte("<!doctype html><title>Welcome</title><p>This is a web site."))
	return true
}

// hang answers nothing until the client gives up or the server ends.
func (x *exchange) hang() {
	select {
	case <-x.r.Context().Done():
	case <-x.done:
	}
	panic(http.ErrAbortHandler)
}

// flood answers 10 MiB of JSON.
func (x *exchange) flood() {
	x.w.Header().Set("Content-Type", "application/json")
	x.w.Write([]byte(`{"access_token":"`))
	line := []byte(strings.Repeat("A", 1<<20))
	for range 10 {
		x.w.Write(line)
	}
	x.w.Write([]byte(`","token_type":"Bearer"}`))
}

// echo refuses with everything that the client sent, secrets included.
func (x *exchange) echo() {
	x.refuse(badGrant("not accepted: " + x.r.PostForm.Encode()))
}
