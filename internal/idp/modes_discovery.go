package idp

import (
	"net/http"
	"strings"
)

// discoveryModes are wrong metadata, OpenID Connect Discovery 1.0 §4.3 and RFC 8414 §3.3.
var discoveryModes = map[string]mode{
	"other-issuer":     {metadata: set("issuer", "https://issuer.invalid")},
	"issuer-case":      {metadata: func(x *exchange, m map[string]any) { m["issuer"] = strings.ToUpper(x.issuer) }},
	"issuer-path":      {metadata: suffix("issuer", "/other")},
	"issuer-query":     {metadata: suffix("issuer", "/?tenant=1")},
	"issuer-fragment":  {metadata: suffix("issuer", "#x")},
	"issuer-number":    {metadata: set("issuer", 5)},
	"no-issuer":        {metadata: without("issuer")},
	"issuer-slash":     {metadata: suffix("issuer", "/"), claims: suffix("iss", "/"), response: add("iss", "/")}, // one issuer, with a slash
	"slash-in-issuer":  {metadata: suffix("issuer", "/")},                                                        // and iss without
	"metadata-twice":   {text: inAnswer(atDiscovery, func(x *exchange, s string) string { return first(s, `"token_endpoint":"`+x.Elsewhere+`/token"`) })},
	"metadata-case":    {text: inAnswer(atDiscovery, func(x *exchange, s string) string { return last(s, `"Token_Endpoint":"`+x.Elsewhere+`/token"`) })},
	"metadata-tail":    {text: inAnswer(atDiscovery, func(_ *exchange, s string) string { return s + "<html>" })},
	"metadata-types":   {metadata: set("scopes_supported", "openid")},
	"iss-promise-text": {metadata: set("authorization_response_iss_parameter_supported", "true")},
	"redirect-once":    at(atDiscovery, (*exchange).movedDocument),
	"redirect-plain":   at(atDiscovery, func(x *exchange) { http.Redirect(x.w, x.r, "http://"+x.r.Host+x.r.URL.Path, http.StatusFound) }),
	"redirect-http":    at(atDiscovery, func(x *exchange) { http.Redirect(x.w, x.r, "http://issuer.invalid/", http.StatusFound) }),

	"no-s256":        {metadata: set("code_challenge_methods_supported", []string{"plain"})},
	"s256-case":      {metadata: set("code_challenge_methods_supported", []string{"s256"})},
	"no-pkce-listed": {metadata: without("code_challenge_methods_supported")},
	"no-jwks":        {metadata: without("jwks_uri")},

	"http-endpoint":       {metadata: set("token_endpoint", "http://token.invalid/token")},
	"http-authorization":  {metadata: set("authorization_endpoint", "http://token.invalid/authorize")},
	"http-jwks":           {metadata: set("jwks_uri", "http://token.invalid/jwks")},
	"http-userinfo":       {metadata: set("userinfo_endpoint", "http://token.invalid/userinfo")},
	"http-revocation":     {metadata: set("revocation_endpoint", "http://token.invalid/revoke")},
	"endpoint-plain":      {metadata: func(x *exchange, m map[string]any) { m["token_endpoint"] = x.Elsewhere + "/token" }}, // http, from an https issuer
	"endpoint-user":       {metadata: set("token_endpoint", "https://ada:secret@token.invalid/token")},
	"endpoint-fragment":   {metadata: suffix("token_endpoint", "#x")},
	"endpoint-script":     {metadata: set("authorization_endpoint", "javascript:alert(1)")},
	"endpoint-file":       {metadata: set("authorization_endpoint", "file:///etc/passwd")},
	"endpoint-data":       {metadata: set("authorization_endpoint", "data:text/html,x")},
	"endpoint-relative":   {metadata: set("token_endpoint", "/token")},
	"endpoint-escape":     {metadata: suffix("token_endpoint", "?\x1b]0;x\a")},
	"endpoint-number":     {metadata: set("token_endpoint", 5)},
	"no-token-endpoint":   {metadata: without("token_endpoint")},
	"no-authorize":        {metadata: without("authorization_endpoint")},
	"endpoint-other-host": {metadata: otherHost("token_endpoint")}, // as some large providers have it
}

// movedDocument has moved within its own host.
func (x *exchange) movedDocument() {
	if x.r.URL.RawQuery == "" {
		http.Redirect(x.w, x.r, x.r.URL.Path+"?moved", http.StatusMovedPermanently)
		return
	}
	x.json(http.StatusOK, x.document())
}

// otherHost names the same place by another host.
func otherHost(name string) edit {
	return func(_ *exchange, m map[string]any) {
		m[name] = strings.Replace(m[name].(string), "127.0.0.1", "localhost", 1)
	}
}

// inAnswer is for one endpoint's good answer as text.
func inAnswer(at string, change func(x *exchange, json string) string) func(*exchange, string, string) string {
	return func(x *exchange, endpoint, json string) string {
		if endpoint != at {
			return json
		}
		return change(x, json)
	}
}

// first and last put a member into a JSON object's text.
func first(object, member string) string { return strings.Replace(object, "{", "{"+member+",", 1) }

func last(object, member string) string {
	return strings.TrimSuffix(strings.TrimSpace(object), "}") + "," + member + "}"
}
