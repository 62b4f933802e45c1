package oauth

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// signedIn is a login and what is held of it.
func signedIn(t testing.TB, p *provider) (*Client, Held) {
	t.Helper()
	c := p.client(t)
	grant, err := p.login(t, c, p.request())
	if err != nil {
		t.Fatal(err)
	}
	return c, Held{RefreshToken: grant.RefreshToken, Scope: grant.Scope, Claims: grant.Claims}
}

func (p *provider) requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, count := range p.count {
		n += count
	}
	return n
}

func TestRefreshRequest(t *testing.T) {
	p := newProvider(t)
	c, held := signedIn(t, p)
	held.Audience, held.Resources = "api", []string{"https://a.example.com", "https://b.example.com"}
	p.claims = nil
	before := p.requests()
	grant, err := c.Refresh(context.Background(), held)
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {held.RefreshToken}, "client_id": {clientID},
		"audience": {"api"}, "resource": held.Resources,
	}
	if p.form.Encode() != want.Encode() {
		t.Errorf("got %s, want %s", p.form.Encode(), want.Encode())
	}
	if got := p.requests() - before; got != 1 {
		t.Errorf("got %d requests, want 1", got)
	}
	if grant.Scope != held.Scope || grant.IDToken != "" || grant.Claims != nil {
		t.Errorf("got %+v", grant)
	}
}

func TestRefreshToken(t *testing.T) {
	p := newProvider(t)
	c, held := signedIn(t, p)
	p.claims = nil
	p.answer["refresh_token"] = "rotated"
	if grant, err := c.Refresh(context.Background(), held); err != nil || grant.RefreshToken != "rotated" {
		t.Errorf("got %+v, %v, want the new refresh token", grant, err)
	}
	p.answer["refresh_token"] = nil
	if grant, err := c.Refresh(context.Background(), held); err != nil || grant.RefreshToken != held.RefreshToken {
		t.Errorf("got %+v, %v, want the old refresh token", grant, err)
	}
}

func TestRefreshedIDToken(t *testing.T) {
	set := func(name string, value any) func(*provider) {
		return func(p *provider) { p.claims[name] = value }
	}
	for _, test := range []struct {
		name string
		bend func(*provider)
		why  string // empty: accepted
	}{
		{"the same nonce", func(*provider) {}, ""},
		{"no nonce", set("nonce", nil), ""},
		{"no auth_time", set("auth_time", nil), ""},
		{"another nonce", set("nonce", "another"), "nonce"},
		{"another sub", set("sub", "eve"), "another sub"},
		{"another iss", set("iss", "https://evil.example.com"), "different provider"},
		{"another aud", set("aud", "client-2"), "audience"},
		{"another azp", set("azp", "client-2"), "another client"},
		{"another auth_time", set("auth_time", 5), ""},
		{"no iat", set("iat", nil), "no iat"},
		{"no exp", set("exp", nil), "no exp"},
		{"expired, and about another", func(p *provider) { p.claims["exp"], p.claims["sub"] = 5, "eve" }, "another sub"},
		{"wrong at_hash", set("at_hash", atHash("another")), "at_hash"},
		{"wrong signature", cutSignature, "its signature is wrong"},
		{"alg none", func(p *provider) { p.idToken = func() string { return unsigned(p.claims) } }, `signed with "none"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProvider(t)
			c, held := signedIn(t, p)
			test.bend(p)
			grant, err := c.Refresh(context.Background(), held)
			if test.why != "" {
				wantCheck(t, err, test.why)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if grant.Subject != "ada" || !grant.SignatureChecked || grant.IDToken == "" {
				t.Errorf("got %+v, want a checked ID token", grant)
			}
			if p.counted("/jwks") != 1 {
				t.Errorf("got %d fetches of the keys, want the login's alone", p.counted("/jwks"))
			}
		})
	}
}

// By a clock that is wrong every ID token is over, or yet to come. The new refresh token
// must not be lost over that: it is the only one.
func TestRefreshByAWrongClock(t *testing.T) {
	for _, wrong := range []time.Duration{0, 5 * time.Hour, -5 * time.Hour, 50 * 365 * 24 * time.Hour, -50 * 365 * 24 * time.Hour} {
		p := newProvider(t)
		c, held := signedIn(t, p)
		now := time.Now().Add(wrong)
		c.Now = func() time.Time { return now }
		grant, err := c.Refresh(context.Background(), held)
		if err != nil {
			t.Errorf("%v: %v", wrong, err)
			continue
		}
		if (grant.IDToken != "") != (wrong == 0) || grant.RefreshToken == "" || !grant.Asked.Equal(now) || !grant.Expiry.After(now) {
			t.Errorf("%v: got an ID token: %t, asked at %v, expiry %v; want one only by the right clock, and times by ours", wrong, grant.IDToken != "", grant.Asked, grant.Expiry)
		}
	}
}

// Nobody but the last ID token tells the issuer of a provider without metadata.
func TestRefreshKeepsThePinnedIssuer(t *testing.T) {
	p := newProvider(t)
	c := &Client{ID: clientID, HTTP: p.http(), Metadata: &Metadata{TokenEndpoint: p.URL + "/token", Source: SourceConfigured}}
	held := Held{RefreshToken: "r", Claims: json.RawMessage(`{"iss":"` + p.URL + `","sub":"ada"}`)}
	if _, err := c.Refresh(context.Background(), held); err != nil {
		t.Error(err)
	}
	p.claims["iss"] = "https://evil.example.com"
	_, err := c.Refresh(context.Background(), held)
	wantCheck(t, err, "different provider")
}

// An issuer that renames itself is another one to a session.
func TestRefreshKeepsTheIssuer(t *testing.T) {
	p := newProvider(t)
	c, held := signedIn(t, p)
	c.Metadata.Issuer = "https://new.example.com"
	p.claims["iss"] = c.Metadata.Issuer
	_, err := c.Refresh(context.Background(), held)
	wantCheck(t, err, "another iss")
}

func TestRefreshRefused(t *testing.T) {
	p := newProvider(t)
	c, held := signedIn(t, p)
	p.token = func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		writeJSON(w, map[string]string{"error": "invalid_grant", "error_description": "session expired: " + r.PostForm.Get("refresh_token")})
	}
	_, err := c.Refresh(context.Background(), held)
	var refused *Error
	if !errors.As(err, &refused) || refused.Code != "invalid_grant" || refused.Status != 400 || refused.Op != "renewal" {
		t.Fatalf("got %#v", err)
	}
	if got, want := err.Error(), "invalid_grant: session expired: [redacted]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	p.Close()
	_, err = c.Refresh(context.Background(), held)
	wantUnreachable(t, err, "renewal: 127.0.0.1")
}

// The refresh token that was sent may be spent: the new one must not be lost
// because the keys can't be had just now.
func TestRefreshWithoutKeys(t *testing.T) {
	for _, where := range []string{"/nothing-here", ""} {
		p := newProvider(t)
		c, held := signedIn(t, p)
		p.signer = signer{jose.RS256, otherRSAKey(), "key-2"}
		c.Metadata.JWKSURI = p.URL + where
		if where == "" {
			c.Metadata.JWKSURI = unusedAddress(t)
		}
		grant, err := c.Refresh(context.Background(), held)
		if err != nil {
			t.Fatal(err)
		}
		if grant.AccessToken == "" || grant.RefreshToken == "" || grant.IDToken != "" || grant.Claims != nil {
			t.Errorf("got %+v, want tokens without an ID token", grant)
		}
	}
}

// What is stored is read before the refresh token is spent.
func TestRefreshBrokenClaims(t *testing.T) {
	p := newProvider(t)
	c, held := signedIn(t, p)
	held.Claims = json.RawMessage(`{"sub":`)
	_, err := c.Refresh(context.Background(), held)
	if config := (*ConfigError)(nil); !errors.As(err, &config) || p.counted("/token") != 1 {
		t.Errorf("got %v after %d requests, want a ConfigError after the login's", err, p.counted("/token"))
	}
}

func TestRevoke(t *testing.T) {
	p := newProvider(t)
	c, held := signedIn(t, p)
	if err := c.Revoke(context.Background(), held.RefreshToken, "refresh_token"); err != nil {
		t.Fatal(err)
	}
	want := url.Values{"token": {held.RefreshToken}, "token_type_hint": {"refresh_token"}, "client_id": {clientID}}
	if p.form.Encode() != want.Encode() {
		t.Errorf("got %s, want %s", p.form.Encode(), want.Encode())
	}
	c.Secret = "s3cr3t"
	if err := c.Revoke(context.Background(), held.RefreshToken, "refresh_token"); err != nil {
		t.Fatal(err)
	}
	if user, password, _ := (&http.Request{Header: p.head}).BasicAuth(); user != clientID || password != "s3cr3t" || p.form.Has("client_id") {
		t.Errorf("got %q, %q and %v, want Basic alone", user, password, p.form)
	}
	c.Metadata.TokenEndpointAuthMethodsSupported = []string{"client_secret_post"}
	if err := c.Revoke(context.Background(), held.RefreshToken, "refresh_token"); err != nil || p.form.Get("client_secret") != "s3cr3t" {
		t.Errorf("got %v, %v, want the secret in the form", err, p.form)
	}
}

// A server may end a connection that is kept, without a word: a revocation may be repeated.
func TestRevokeByAConnectionThatEnded(t *testing.T) {
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	defer listener.Close()
	go func() { // one answer to a connection, which ends when it is asked again
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			in := bufio.NewReader(conn)
			if r, err := http.ReadRequest(in); err == nil {
				io.Copy(io.Discard, r.Body)
				io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				http.ReadRequest(in)
			}
			conn.Close()
		}
	}()
	c := &Client{ID: clientID, HTTP: HTTPClient(http.DefaultTransport), Metadata: &Metadata{RevocationEndpoint: "http://" + listener.Addr().String()}}
	for i := range 4 {
		if err := c.Revoke(t.Context(), "token-1", "access_token"); err != nil {
			t.Fatalf("the revocation %d: %v", i, err)
		}
	}
}

func TestRevokeRefused(t *testing.T) {
	s := newSite(t)
	c := &Client{ID: clientID, HTTP: HTTPClient(http.DefaultTransport), Metadata: &Metadata{}}
	if err := c.Revoke(context.Background(), "token-1", "access_token"); !errors.Is(err, ErrNoRevocation) {
		t.Errorf("got %v, want ErrNoRevocation", err)
	}
	c.Metadata.RevocationEndpoint = s.URL + "/revoke"
	for _, test := range []struct {
		page page
		want string
	}{
		{page{400, `{"error":"unsupported_token_type","error_description":"token-1"}`}, "error unsupported_token_type: [redacted]"},
		{page{200, `{"error":"invalid_client"}`}, "error invalid_client"},
		{page{401, `{"error":"invalid_token"}`}, "error invalid_token"},
		{page{503, `{"error":"invalid_token"}`}, "error invalid_token"},
		{page{503, ``}, "unreachable revocation: "},
		{page{400, `{"error":"temporarily_unavailable"}`}, "unreachable revocation: "},
		{page{404, `<h1>`}, "check revocation: answered 404"},
		{page{302, ``}, "check revocation: answered 302"},
	} {
		s.pages["/revoke"] = test.page
		if got := describe(c.Revoke(context.Background(), "token-1", "access_token")); !strings.HasPrefix(got, test.want) {
			t.Errorf("%d: got %q, want %q", test.page.status, got, test.want)
		}
	}
	for _, fine := range []page{{200, "ok, whatever"}, {400, `{"error":"invalid_token","error_description":"Token expired or revoked"}`}} {
		s.pages["/revoke"] = fine
		if err := c.Revoke(context.Background(), "token-1", "access_token"); err != nil {
			t.Errorf("%v: %v", fine, err)
		}
	}
}

func TestUserinfo(t *testing.T) {
	p := newProvider(t)
	c := p.client(t)
	got, err := c.Userinfo(context.Background(), "token-1")
	if want := `{"bearer":"Bearer token-1","sub":"ada"}`; err != nil || strings.TrimSpace(string(got)) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	s := newSite(t)
	c.Metadata.UserinfoEndpoint = s.URL + "/userinfo"
	for _, test := range []struct {
		page page
		want string
	}{
		{page{401, ``}, "check userinfo: answered 401"},
		{page{200, `eyJhbGciOiJub25lIn0.e30.`}, "check userinfo: the answer is no JSON object"},
		{page{200, `[]`}, "check userinfo: the answer is no JSON object"},
		{page{502, ``}, "unreachable userinfo: "},
	} {
		s.pages["/userinfo"] = test.page
		_, err := c.Userinfo(context.Background(), "token-1")
		if got := describe(err); !strings.HasPrefix(got, test.want) {
			t.Errorf("%d: got %q, want %q", test.page.status, got, test.want)
		}
	}
	c.Metadata.UserinfoEndpoint = ""
	if _, err := c.Userinfo(context.Background(), "token-1"); err == nil {
		t.Error("no endpoint: got no error")
	}
}
