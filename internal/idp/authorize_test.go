package idp

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/robot"
)

func TestRedirectURIs(t *testing.T) {
	o := Options{RedirectURIs: []string{"http://127.0.0.1/callback", "http://[::1]/callback", "http://localhost/callback",
		"https://localhost:9000/callback", "https://app.example/back"}}
	for _, c := range []struct {
		name, uri string
		want      bool
	}{
		{"as registered", "http://127.0.0.1/callback", true},
		{"another port", "http://127.0.0.1:49152/callback", true},
		{"another port, IPv6", "http://[::1]:49152/callback", true},
		{"another port, localhost", "http://localhost:49152/callback", true},
		{"https as registered", "https://localhost:9000/callback", true},
		{"https, another port", "https://localhost:9001/callback", false},
		{"https, no port", "https://localhost/callback", false},
		{"https for an http one", "https://127.0.0.1:49152/callback", false},
		{"another loopback address", "http://127.0.0.2:49152/callback", false},
		{"another path", "http://127.0.0.1:49152/callback2", false},
		{"a path below", "http://127.0.0.1:49152/callback/", false},
		{"a query", "http://127.0.0.1:49152/callback?a=b", false},
		{"a fragment", "http://127.0.0.1:49152/callback#a", false},
		{"a user", "http://x@127.0.0.1:49152/callback", false},
		{"a host that begins so", "http://127.0.0.1.example/callback", false},
		{"elsewhere, as registered", "https://app.example/back", true},
		{"elsewhere, another port", "https://app.example:444/back", false},
		{"elsewhere, another case", "https://APP.example/back", false},
		{"nothing", "", false},
		{"no URI", "::", false},
	} {
		if got := o.allows(c.uri); got != c.want {
			t.Errorf("%s: got %t, want %t", c.name, got, c.want)
		}
	}
}

// What is wrong with the client or its address is shown, never sent there.
func TestDoubtfulRequestsStayHere(t *testing.T) {
	c := start(t, Options{})
	for name, change := range map[string]map[string]string{
		"another client":       {"client_id": "somebody"},
		"no client":            {"client_id": ""},
		"another redirect URI": {"redirect_uri": "https://attacker.example/callback"},
		"no redirect URI":      {"redirect_uri": ""},
	} {
		response, body := c.get(c.issuer + "/authorize?" + c.request(change).Encode())
		if response.StatusCode != http.StatusBadRequest || !strings.Contains(body, `role="alert"`) {
			t.Errorf("%s: got %d, want an error page", name, response.StatusCode)
		}
	}
	if response, body := c.get(c.issuer + "/authorize?" + c.request(nil).Encode()); response.StatusCode != http.StatusOK || !strings.Contains(body, "<form") {
		t.Errorf("a good request: got %d, want the sign-in page", response.StatusCode)
	}
}

func TestAuthorizationErrors(t *testing.T) {
	c := start(t, Options{})
	for name, test := range map[string]struct {
		change map[string]string
		want   string
	}{
		"implicit flow":   {map[string]string{"response_type": "token"}, "unsupported_response_type"},
		"no PKCE":         {map[string]string{"code_challenge": "", "code_challenge_method": ""}, "invalid_request"},
		"plain PKCE":      {map[string]string{"code_challenge_method": "plain"}, "invalid_request"},
		"implied plain":   {map[string]string{"code_challenge_method": ""}, "invalid_request"},
		"short challenge": {map[string]string{"code_challenge": "abc"}, "invalid_request"},
		"fragment mode":   {map[string]string{"response_mode": "fragment"}, "invalid_request"},
		"no page wanted":  {map[string]string{"prompt": "none"}, "login_required"},
	} {
		response, _ := c.get(c.issuer + "/authorize?" + c.request(test.change).Encode())
		at, err := url.Parse(response.Header.Get("Location"))
		if err != nil || response.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s: got %d, %v", name, response.StatusCode, err)
		}
		q := at.Query()
		if q.Get("error") != test.want || q.Get("state") != "the-state" || q.Get("iss") != c.issuer {
			t.Errorf("%s: got %v, want error=%s", name, q, test.want)
		}
	}
}

func TestAuthorizationResponse(t *testing.T) {
	c := start(t, Options{})
	for name, test := range map[string]struct {
		change map[string]string
		robot  robot.Options
		want   string // its error
	}{
		"signed in":  {nil, robot.Options{}, ""},
		"form post":  {map[string]string{"response_mode": "form_post"}, robot.Options{}, ""},
		"cancelled":  {nil, robot.Options{Press: "cancel"}, "access_denied"},
		"by a click": {nil, robot.Options{Press: "Sign in"}, ""},
	} {
		q := c.visit(test.change, test.robot)
		if q.Get("error") != test.want || q.Has("code") == (test.want != "") {
			t.Errorf("%s: got %v, want error %q", name, q, test.want)
		}
		if q.Get("state") != "the-state" || q.Get("iss") != c.issuer {
			t.Errorf("%s: got state %q and iss %q", name, q.Get("state"), q.Get("iss"))
		}
	}
}

func TestLoginHintFillsTheForm(t *testing.T) {
	c := start(t, Options{})
	tokens := c.signIn(map[string]string{"login_hint": "grace@example.com"})
	if _, claims := c.claims(tokens["id_token"]); claims["name"] != "Grace Hopper" {
		t.Errorf("got %v, want Grace Hopper", claims["name"])
	}
}

func TestWrongPassword(t *testing.T) {
	c := start(t, Options{})
	page, err := robot.Visit(t.Context(), c.issuer+"/authorize?"+c.request(nil).Encode(), robot.Options{Fill: map[string]string{"password": "wrong"}})
	if err != nil || page.Status != http.StatusUnauthorized || !strings.Contains(page.Text, "don't belong together") {
		t.Errorf("got %+v, %v", page, err)
	}
}

// A form that another site sends, or that another browser was shown, is refused.
func TestSignInNeedsItsOwnBrowser(t *testing.T) {
	c := start(t, Options{})
	jar, _ := cookiejar.New(nil)
	own := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := own.Get(c.issuer + "/authorize?" + c.request(nil).Encode())
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	c.mu.Lock()
	var id string
	for id = range c.pending {
	}
	c.mu.Unlock()
	form := url.Values{"request": {id}, "login": {"ada"}, "password": {"analytical-engine"}, "action": {"signin"}}
	for _, test := range []struct {
		name    string
		browser *http.Client
		want    int
	}{
		{"without the cookie", &http.Client{}, http.StatusBadRequest},
		{"its own", own, http.StatusSeeOther},
		{"a second time", own, http.StatusBadRequest},
	} {
		response, err := test.browser.PostForm(c.issuer+"/signin", form)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != test.want {
			t.Errorf("%s: got %d, want %d", test.name, response.StatusCode, test.want)
		}
	}
}

func TestPageHeaders(t *testing.T) {
	c := start(t, Options{})
	response, _ := c.get(c.issuer + "/authorize?" + c.request(nil).Encode())
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'", "Cache-Control": "no-store", "X-Frame-Options": "DENY",
		"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Set-Cookie": "HttpOnly; SameSite=Lax",
	} {
		if got := response.Header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q in it", name, got, want)
		}
	}
}
