package idp

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/robot"
)

// client is an honest client of the provider, as far as a test needs one.
type client struct {
	t      *testing.T
	issuer string
	*Server
}

const (
	verifier = "a-verifier-that-is-long-enough-for-rfc-7636-indeed"
	redirect = "http://127.0.0.1:1/callback"
)

func start(t *testing.T, o Options) *client {
	t.Helper()
	s := New(o)
	issuer, err := s.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &client{t, issuer, s}
}

func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// request is an authorization request with some parameters changed; "" removes one.
func (c *client) request(change map[string]string) url.Values {
	q := url.Values{
		"response_type": {"code"}, "client_id": {"demo"}, "redirect_uri": {redirect}, "state": {"the-state"},
		"nonce": {"the-nonce"}, "scope": {"openid profile email offline_access"},
		"code_challenge": {challenge(verifier)}, "code_challenge_method": {"S256"},
	}
	for name, value := range change {
		q.Set(name, value)
		if value == "" {
			q.Del(name)
		}
	}
	return q
}

// get fetches an address and follows no redirect.
func (c *client) get(address string, edit ...func(*http.Request)) (*http.Response, string) {
	c.t.Helper()
	r, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, e := range edit {
		e(r)
	}
	return c.do(r)
}

func (c *client) do(r *http.Request) (*http.Response, string) {
	c.t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return response, string(body)
}

// post sends a form and reads the JSON that comes back.
func (c *client) post(endpoint string, form url.Values, edit ...func(*http.Request)) (int, map[string]any) {
	c.t.Helper()
	r, err := http.NewRequest(http.MethodPost, c.issuer+"/"+endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, e := range edit {
		e(r)
	}
	response, body := c.do(r)
	answer := map[string]any{}
	if body != "" {
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			c.t.Fatalf("%s answered %q", endpoint, body)
		}
	}
	return response.StatusCode, answer
}

// callback is a client's loopback listener that keeps what comes.
func (c *client) callback() (redirectURI string, got func() url.Values) {
	responses := make(chan url.Values, 4)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		responses <- r.Form
		io.WriteString(w, "<title>Done</title><p>You can close this.")
	}))
	server.Config.MaxHeaderBytes = 8 << 20 // of 1 MiB is one mode's response, three times
	server.Start()
	c.t.Cleanup(server.Close)
	return server.URL + "/callback", func() url.Values {
		select {
		case q := <-responses:
			return q
		default:
			c.t.Fatal("no authorization response came")
			return nil
		}
	}
}

// visit goes through the pages as the robot does and returns the response.
func (c *client) visit(change map[string]string, o robot.Options) url.Values {
	c.t.Helper()
	redirectURI, got := c.callback()
	change = maps.Clone(change)
	if change == nil {
		change = map[string]string{}
	}
	change["redirect_uri"] = redirectURI
	page, err := robot.Visit(context.Background(), c.issuer+"/authorize?"+c.request(change).Encode(), o)
	if err != nil {
		c.t.Fatal(err)
	}
	if page.Title != "Done" {
		c.t.Fatalf("got the page %q, %q; want the client's", page.Title, page.Text)
	}
	q := got()
	q.Set("redirect_uri", redirectURI)
	return q
}

// exchange is a good token request for a response of visit, changed.
func (c *client) exchange(response url.Values, change map[string]string) url.Values {
	f := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"demo"}, "code": {response.Get("code")},
		"redirect_uri": {response.Get("redirect_uri")}, "code_verifier": {verifier},
	}
	for name, value := range change {
		f.Set(name, value)
		if value == "" {
			f.Del(name)
		}
	}
	return f
}

// signIn goes all the way to tokens.
func (c *client) signIn(change map[string]string) map[string]any {
	c.t.Helper()
	status, tokens := c.post("token", c.exchange(c.visit(change, robot.Options{}), nil))
	if status != http.StatusOK {
		c.t.Fatalf("the token endpoint answered %d, %v", status, tokens)
	}
	return tokens
}

func (c *client) refresh(token any) (int, map[string]any) {
	c.t.Helper()
	return c.post("token", url.Values{"grant_type": {"refresh_token"}, "client_id": {"demo"}, "refresh_token": {token.(string)}})
}

// hello is the status of the protected page for a token.
func (c *client) hello(token any) int {
	c.t.Helper()
	response, _ := c.get(c.issuer+"/api/hello", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token.(string)) })
	return response.StatusCode
}

func (c *client) active(token any) bool {
	c.t.Helper()
	_, answer := c.post("introspect", url.Values{"client_id": {"demo"}, "token": {token.(string)}})
	return answer["active"] == true
}
