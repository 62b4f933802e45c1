package oauth

import (
	"errors"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func minimalClient() *Client {
	return &Client{ID: clientID, Metadata: &Metadata{
		AuthorizationEndpoint: "https://auth.example.com/authorize",
		TokenEndpoint:         "https://auth.example.com/token",
		ScopesSupported:       []string{"openid", "offline_access"},
	}}
}

func authorize(t testing.TB, c *Client, r Request) (*Authorization, url.Values) {
	t.Helper()
	a, err := c.Authorize(r)
	if err != nil {
		t.Fatal(err)
	}
	return a, must(url.Parse(a.URL)).Query()
}

func TestAuthorize(t *testing.T) {
	maxAge := 0
	for _, test := range []struct {
		name string
		r    Request
		want url.Values // beside what every request has
	}{
		{"plain OAuth", Request{}, url.Values{}},
		{"scopes", Request{Scopes: []string{"read", "write"}}, url.Values{"scope": {"read write"}}},
		{"offline", Request{Scopes: []string{"read"}, Offline: true}, url.Values{"scope": {"read offline_access"}}},
		{"offline once", Request{Scopes: []string{"offline_access"}, Offline: true}, url.Values{"scope": {"offline_access"}}},
		{"resources", Request{Resources: []string{"https://a.example.com", "https://b.example.com/?x=1&y"}}, url.Values{"resource": {"https://a.example.com", "https://b.example.com/?x=1&y"}}},
		{"audience", Request{Audience: "api"}, url.Values{"audience": {"api"}}},
		{"params", Request{Params: map[string]string{"tenant": "a b", "response_mode": "form_post"}}, url.Values{"tenant": {"a b"}, "response_mode": {"form_post"}}},
		{"OpenID", Request{Prompt: "login consent", LoginHint: "ada@example.com", ACRValues: "1 2", MaxAge: &maxAge}, url.Values{
			"prompt": {"login consent"}, "login_hint": {"ada@example.com"}, "acr_values": {"1 2"}, "max_age": {"0"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.r.RedirectURI = "http://127.0.0.1:1/callback?x=1"
			a, got := authorize(t, minimalClient(), test.r)
			for _, random := range []string{"state", "code_challenge"} {
				if len(got.Get(random)) != 43 {
					t.Errorf("got %s %q, want 256 bits", random, got.Get(random))
				}
				got.Del(random)
			}
			want := maps.Clone(test.want)
			maps.Copy(want, url.Values{"response_type": {"code"}, "client_id": {clientID}, "code_challenge_method": {"S256"}, "redirect_uri": {test.r.RedirectURI}})
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			if a.OfflineAsked != strings.Contains(test.want.Get("scope"), "offline_access") {
				t.Errorf("got OfflineAsked %v", a.OfflineAsked)
			}
		})
	}
}

func TestAuthorizeNonce(t *testing.T) {
	_, first := authorize(t, minimalClient(), Request{Scopes: []string{"openid"}})
	_, second := authorize(t, minimalClient(), Request{Scopes: []string{"openid"}})
	for _, name := range []string{"nonce", "state", "code_challenge"} {
		if len(first.Get(name)) != 43 || first.Get(name) == second.Get(name) {
			t.Errorf("%s: got %q and %q, want 256 bits, new ones each time", name, first.Get(name), second.Get(name))
		}
	}
}

func TestAuthorizeOfflineNotListed(t *testing.T) {
	c := minimalClient()
	c.Metadata.ScopesSupported = []string{"openid"}
	a, got := authorize(t, c, Request{Scopes: []string{"openid"}, Offline: true})
	if a.OfflineAsked || got.Get("scope") != "openid" {
		t.Errorf("got %q, want openid alone", got.Get("scope"))
	}
}

func TestAuthorizeKeepsTheEndpointsQuery(t *testing.T) {
	c := minimalClient()
	c.Metadata.AuthorizationEndpoint += "?tenant=1"
	_, got := authorize(t, c, Request{Resources: []string{"https://a.example.com"}})
	if got.Get("tenant") != "1" || got.Get("client_id") != clientID || got.Get("resource") == "" {
		t.Errorf("got %v", got)
	}
}

// A browser's command may put the URL between a shell's quotes.
func TestAuthorizeIsHarmlessInQuotes(t *testing.T) {
	c := minimalClient()
	c.Metadata.AuthorizationEndpoint += "/$(calc.exe)`x`\"'\\?policy=$p"
	a, got := authorize(t, c, Request{RedirectURI: "http://127.0.0.1:1/callback", LoginHint: "$(whoami)'\"`\\"})
	if strings.ContainsAny(a.URL, "\"'`$\\") {
		t.Errorf("got %s", a.URL)
	}
	if path := must(url.Parse(a.URL)).Path; path != "/authorize/$(calc.exe)`x`\"'\\" || got.Get("policy") != "$p" || got.Get("login_hint") != "$(whoami)'\"`\\" {
		t.Errorf("got the path %s and the query %v: another address than the provider's", path, got)
	}
}

func TestAuthorizeIsNotPushed(t *testing.T) {
	c := minimalClient()
	c.Metadata.RequirePushedAuthorizationRequests = true
	if _, err := c.Authorize(Request{}); err != ErrPushedAlone {
		t.Errorf("got %v, want ErrPushedAlone", err)
	}
	for text, want := range map[string]flag{"true": true, `"true"`: true, "false": false, `"false"`: false, "null": false, "1": false, `{}`: false} {
		m, err := parse([]byte(`{"issuer":"https://a.example","require_pushed_authorization_requests":`+text+`}`), "")
		if err != nil || m.RequirePushedAuthorizationRequests != want {
			t.Errorf("%s: got %+v, %v", text, m, err)
		}
	}
}

func TestAuthorizeRefuses(t *testing.T) {
	var config *ConfigError
	for _, name := range []string{"state", "nonce", "code_challenge", "code_challenge_method", "redirect_uri", "client_id", "response_type", "scope", "request", "request_uri"} {
		_, err := minimalClient().Authorize(Request{Params: map[string]string{name: "x"}})
		if !errors.As(err, &config) {
			t.Errorf("%s: got %v, want a ConfigError", name, err)
		}
	}
	c := minimalClient()
	c.ID = ""
	if _, err := c.Authorize(Request{}); !errors.As(err, &config) {
		t.Errorf("no client ID: got %v, want a ConfigError", err)
	}
}

// Authorize must not write into the caller's slice.
func TestAuthorizeLeavesScopes(t *testing.T) {
	scopes := append(make([]string, 0, 8), "openid")
	authorize(t, minimalClient(), Request{Scopes: scopes, Offline: true})
	if slices.Contains(scopes[:cap(scopes)], "offline_access") {
		t.Error("the caller's scopes were changed")
	}
}
