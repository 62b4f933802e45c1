package idp

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// grant is what a user allowed once. Every token that comes of it shares its
// fate: RFC 9700 §4.14.2.
type grant struct {
	request
	user    *User
	at      time.Time // auth_time
	revoked bool
}

// code is an authorization code: good once, and known afterwards so that a replay shows.
type code struct {
	*grant
	expires time.Time
	used    bool
}

// token is an access or a refresh token.
type token struct {
	*grant
	refresh bool
	scopes  []string
	issued  time.Time
	expires time.Time
	used    bool // a refresh token that has been rotated
	revoked bool // this one alone
}

func (x *exchange) issueCode(req *request, user *User) string {
	text := random(0)
	x.remember("code", text)
	x.mu.Lock()
	defer x.mu.Unlock()
	g := &grant{request: *req, user: user, at: x.now()}
	x.codes[text] = &code{grant: g, expires: x.now().Add(x.CodeTTL)}
	return text
}

// find is the token that t is, if it is good now.
func (x *exchange) find(text string) *token {
	x.mu.Lock()
	defer x.mu.Unlock()
	t := x.tokens[text]
	if t == nil || t.revoked || t.used || t.grant.revoked || !x.now().Before(t.expires) {
		return nil
	}
	return t
}

func (x *exchange) keep(text string, t *token) string {
	kind := "access token"
	if t.refresh {
		kind = "refresh token"
	}
	x.remember(kind, text)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.tokens[text] = t
	return text
}

// issue makes the token endpoint's good answer for a grant, RFC 6749 §5.1.
func (x *exchange) issue(g *grant, scopes []string, renewal bool) map[string]any {
	now := x.now()
	access := x.keep(x.accessToken(g, scopes, now), &token{grant: g, scopes: scopes, issued: now, expires: now.Add(x.AccessTTL)})
	answer := map[string]any{"access_token": access, "token_type": "Bearer", "scope": strings.Join(scopes, " ")}
	if !x.NoExpiresIn {
		answer["expires_in"] = int64(x.AccessTTL / time.Second)
	}
	if x.givesRefresh(g) && !(renewal && x.NoRotation) {
		answer["refresh_token"] = x.keep(random(x.TokenBytes), &token{grant: g, refresh: true, scopes: g.scopes, issued: now, expires: now.Add(x.RefreshTTL)})
	}
	if slices.Contains(scopes, "openid") && !x.NoIDToken {
		answer["id_token"] = x.idToken(g, access, now, renewal)
	}
	return answer
}

func (x *exchange) givesRefresh(g *grant) bool {
	return !x.NoRefreshToken && (x.AlwaysRefresh || slices.Contains(g.scopes, "offline_access"))
}

// accessToken is a JWT of RFC 9068, or opaque.
func (x *exchange) accessToken(g *grant, scopes []string, now time.Time) string {
	switch {
	case x.AccessToken != "":
		return x.AccessToken
	case x.OpaqueAccess:
		return random(x.TokenBytes)
	}
	return sign(x.key(x.Alg), map[jose.HeaderKey]any{"typ": "at+jwt"}, x.payload(map[string]any{
		"iss": x.issuer, "sub": g.user.Subject, "aud": x.audienceOf(g), "client_id": g.clientID,
		"iat": now.Unix(), "exp": now.Add(x.AccessTTL).Unix(), "jti": random(0), "scope": strings.Join(scopes, " "),
	}))
}

func (x *exchange) audienceOf(g *grant) any {
	switch {
	case len(g.resources) > 0:
		return g.resources
	case g.audience != "":
		return g.audience
	}
	return x.issuer
}

// idToken has the claims of OpenID Connect Core §2 and §5.4.
func (x *exchange) idToken(g *grant, access string, now time.Time, renewal bool) string {
	claims := map[string]any{
		"iss": x.issuer, "sub": g.user.Subject, "aud": g.clientID,
		"iat": now.Unix(), "exp": now.Add(x.IDTokenTTL).Unix(), "auth_time": g.at.Unix(),
		"at_hash": leftHalf(x.Alg, access),
	}
	if g.nonce != "" && !renewal { // §12.2: a renewal's should have none
		claims["nonce"] = g.nonce
	}
	maps.Copy(claims, g.user.claims(g.scopes))
	return x.signID(claims, renewal)
}

// claims about a user, by scope: OpenID Connect Core §5.4.
func (u *User) claims(scopes []string) map[string]any {
	claims := map[string]any{}
	if slices.Contains(scopes, "profile") {
		claims["name"], claims["preferred_username"] = u.Name, u.Login
	}
	if slices.Contains(scopes, "email") {
		claims["email"], claims["email_verified"] = u.Email, true
	}
	return claims
}

func (x *exchange) signID(claims map[string]any, renewal bool) string {
	x.edited(claims, func(m mode) edit { return m.claims })
	if renewal {
		x.edited(claims, func(m mode) edit { return m.renewed })
	}
	payload, signed := x.payload(claims), honestly
	for _, wrong := range x.wrong() {
		if wrong.payload != nil {
			payload = []byte(wrong.payload(string(payload)))
		}
		if wrong.sign != nil {
			signed = wrong.sign
		}
	}
	text := signed(x, payload)
	x.remember("id token", text)
	return text
}

// payload is a JWT's claims, with ballast where large tokens are wanted.
func (x *exchange) payload(claims map[string]any) []byte {
	if x.TokenBytes > 0 {
		claims["ballast"] = random(x.TokenBytes * 3 / 4) // base64 makes it a third longer
	}
	return mustJSON(claims)
}
