package idp

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// revoke is RFC 7009: a refresh token takes its family with it, an access token
// goes alone, and one that isn't known is as good as revoked.
func (x *exchange) revoke() {
	if x.NoRevocation {
		http.NotFound(x.w, x.r)
		return
	}
	if err := x.client(); err != nil {
		x.refuse(err)
		return
	}
	if x.instead(atRevoke) {
		return
	}
	x.mu.Lock()
	if t := x.tokens[x.r.PostForm.Get("token")]; t != nil {
		t.revoked = true
		t.grant.revoked = t.grant.revoked || t.refresh
	}
	x.mu.Unlock()
	x.w.WriteHeader(http.StatusOK)
}

// client reads a form and checks the client that sent it.
func (x *exchange) client() *refusal {
	if err := x.form(); err != nil {
		return err
	}
	return x.authenticate()
}

// introspect is RFC 7662.
func (x *exchange) introspect() {
	if err := x.client(); err != nil {
		x.refuse(err)
		return
	}
	t := x.find(x.r.PostForm.Get("token"))
	if t == nil {
		x.json(http.StatusOK, map[string]any{"active": false})
		return
	}
	x.json(http.StatusOK, map[string]any{
		"active": true, "sub": t.user.Subject, "client_id": t.clientID, "scope": strings.Join(t.scopes, " "),
		"iat": t.issued.Unix(), "exp": t.expires.Unix(), "iss": x.issuer,
	})
}

// userinfo is OpenID Connect Core §5.3.
func (x *exchange) userinfo() {
	t := x.bearer("openid")
	if t == nil {
		return
	}
	if x.instead(atUserinfo) {
		return
	}
	claims := map[string]any{"sub": t.user.Subject}
	maps.Copy(claims, t.user.claims(t.scopes))
	x.good(atUserinfo, x.edited(claims, func(m mode) edit { return m.userinfo }))
}

// hello is a protected page: anyone with a good access token is greeted.
func (x *exchange) hello() {
	t := x.bearer("")
	if t == nil {
		return
	}
	x.json(http.StatusOK, map[string]any{
		"greeting": fmt.Sprintf("Hello, %s!", t.user.Name),
		"scope":    strings.Join(t.scopes, " "),
	})
}

// bearer is the request's access token, or nil once it has been refused: RFC 6750 §3.
func (x *exchange) bearer(scope string) *token {
	kind, text, _ := strings.Cut(x.r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "Bearer") {
		x.challenge(http.StatusUnauthorized, "")
		return nil
	}
	t := x.find(text)
	if t == nil || t.refresh {
		x.challenge(http.StatusUnauthorized, "invalid_token")
		return nil
	}
	if scope != "" && !slices.Contains(t.scopes, scope) {
		x.challenge(http.StatusForbidden, "insufficient_scope")
		return nil
	}
	return t
}

func (x *exchange) challenge(status int, code string) {
	header := `Bearer realm="demo"`
	body := map[string]any{}
	if code != "" {
		header += fmt.Sprintf(", error=%q", code)
		body["error"] = code
	}
	x.w.Header().Set("WWW-Authenticate", header)
	x.json(status, body)
}
