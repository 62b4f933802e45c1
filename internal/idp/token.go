package idp

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// refusal is an error answer of the token endpoint, RFC 6749 §5.2.
type refusal struct {
	status     int
	code, text string
}

func badRequest(text string) *refusal { return &refusal{400, "invalid_request", text} }
func badGrant(text string) *refusal   { return &refusal{400, "invalid_grant", text} }
func badClient(text string) *refusal  { return &refusal{401, "invalid_client", text} }

func (x *exchange) refuse(e *refusal) {
	if e.status == http.StatusUnauthorized && x.r.Header.Get("Authorization") != "" {
		x.w.Header().Set("WWW-Authenticate", `Basic realm="token"`)
	}
	x.json(e.status, map[string]any{"error": e.code, "error_description": e.text})
}

// token is the token endpoint, RFC 6749 §3.2.
func (x *exchange) token() {
	if err := x.form(); err != nil {
		x.refuse(err)
		return
	}
	f := x.r.PostForm
	x.count("token/" + f.Get("grant_type"))
	for _, name := range []string{"code", "code_verifier", "refresh_token", "client_secret"} {
		x.remember(strings.ReplaceAll(name, "_", " "), f.Get(name))
	}
	if !x.wait() {
		return
	}
	if x.instead(atToken) {
		return
	}
	answer, err := x.redeem(f)
	if err != nil {
		x.refuse(err)
		return
	}
	x.good(atToken, x.edited(answer, func(m mode) edit { return m.answer }))
}

// form reads a POSTed form whose parameters come once each, RFC 6749 §3.2.
func (x *exchange) form() *refusal {
	if x.r.Method != http.MethodPost {
		return &refusal{http.StatusMethodNotAllowed, "invalid_request", "POST only"}
	}
	x.r.Body = http.MaxBytesReader(x.w, x.r.Body, 1<<20)
	if err := x.r.ParseForm(); err != nil {
		return badRequest("the form can't be read")
	}
	for name, values := range x.r.PostForm {
		if len(values) > 1 && name != "resource" {
			return badRequest(name + " is there more than once")
		}
	}
	return nil
}

// wait is the endpoint's latency. It goes on when the client has left, as a
// provider does that has begun its work; false when the server ended.
func (x *exchange) wait() bool {
	if x.Latency <= 0 {
		return true
	}
	select {
	case <-time.After(x.Latency):
		return true
	case <-x.done:
		return false
	}
}

func (x *exchange) redeem(f url.Values) (map[string]any, *refusal) {
	if err := x.authenticate(); err != nil {
		return nil, err
	}
	switch f.Get("grant_type") {
	case "authorization_code":
		return x.redeemCode(f)
	case "refresh_token":
		return x.renew(f)
	case deviceGrant:
		return x.redeemDevice(f)
	}
	return nil, &refusal{400, "unsupported_grant_type", "supported are " + strings.Join(x.grantTypes(), ", ")}
}

func (x *exchange) authMethods() []string {
	if x.ConfidentialSecret == "" {
		return []string{"none"}
	}
	return x.AuthMethods
}

// authenticate checks who the client is. A public client has no secret and must
// send none; a confidential one sends it in one way, RFC 6749 §2.3.
func (x *exchange) authenticate() *refusal {
	id, secret, method := x.credentials()
	x.remember("client secret", secret)
	switch {
	case method == "both":
		return badRequest("one way of client authentication, please")
	case !slices.Contains(x.authMethods(), method):
		return badClient("client authentication must be " + strings.Join(x.authMethods(), " or "))
	case id != x.ClientID, subtle.ConstantTimeCompare([]byte(secret), []byte(x.ConfidentialSecret)) != 1:
		return badClient("the client is not known, or its secret is wrong")
	}
	return nil
}

func (x *exchange) credentials() (id, secret, method string) {
	f := x.r.PostForm
	user, password, basic := x.r.BasicAuth()
	switch {
	case basic && f.Has("client_secret"):
		return "", "", "both"
	case basic: // both parts are form-encoded first, RFC 6749 §2.3.1
		id, _ := url.QueryUnescape(user)
		secret, _ := url.QueryUnescape(password)
		return id, secret, "client_secret_basic"
	case f.Has("client_secret"):
		return f.Get("client_id"), f.Get("client_secret"), "client_secret_post"
	}
	return f.Get("client_id"), "", "none"
}

// redeemCode answers grant_type=authorization_code. Any attempt spends the code,
// and a second one ends what the first one gave: RFC 6749 §4.1.2.
func (x *exchange) redeemCode(f url.Values) (map[string]any, *refusal) {
	x.mu.Lock()
	c := x.codes[f.Get("code")]
	replay := c != nil && c.used
	if c != nil {
		c.used = true
		c.revoked = c.revoked || replay
	}
	x.mu.Unlock()
	switch {
	case c == nil:
		return nil, badGrant("the code is not known")
	case replay:
		return nil, badGrant("the code has been used; its tokens are revoked")
	case !x.now().Before(c.expires):
		return nil, badGrant("the code has expired")
	case f.Get("redirect_uri") != c.redirectURI: // RFC 6749 §4.1.3
		return nil, badGrant("redirect_uri is not the one of the authorization request")
	case !proves(f.Get("code_verifier"), c.challenge):
		return nil, badGrant("code_verifier does not match")
	}
	return x.issue(c.grant, c.scopes, false), nil
}

// proves checks PKCE's S256, RFC 7636 §4.6; a verifier has 43 to 128 characters, §4.1.
func proves(verifier, challenge string) bool {
	if len(verifier) < 43 || len(verifier) > 128 {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

// renew answers grant_type=refresh_token, RFC 6749 §6.
func (x *exchange) renew(f url.Values) (map[string]any, *refusal) {
	t, err := x.spend(f.Get("refresh_token"))
	if err != nil {
		return nil, err
	}
	scopes := t.scopes
	if f.Has("scope") {
		scopes = strings.Fields(f.Get("scope"))
		if len(intersect(scopes, t.scopes)) != len(scopes) {
			return nil, &refusal{400, "invalid_scope", "a renewal can't ask for more than was granted"}
		}
	}
	if len(intersect(f["resource"], t.resources)) != len(f["resource"]) {
		return nil, &refusal{400, "invalid_target", "a renewal can't ask for other resources"} // RFC 8707 §2
	}
	return x.issue(t.grant, scopes, true), nil
}

// spend uses a refresh token up. One that comes a second time was stolen, from
// one side or the other: the whole family ends, RFC 9700 §4.14.2.
func (x *exchange) spend(text string) (*token, *refusal) {
	x.mu.Lock()
	defer x.mu.Unlock()
	t := x.tokens[text]
	switch {
	case t == nil || !t.refresh:
		return nil, badGrant("the refresh token is not known")
	case t.used:
		t.grant.revoked = true
		return nil, badGrant("the refresh token has been used before; all of its family are revoked")
	case t.revoked || t.grant.revoked:
		return nil, badGrant("the refresh token is revoked")
	case !x.now().Before(t.expires):
		return nil, badGrant("the refresh token has expired")
	}
	t.used = !x.NoRotation
	return t, nil
}
