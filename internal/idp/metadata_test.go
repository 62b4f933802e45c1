package idp

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func decode(s string) ([]byte, error) { return base64.RawURLEncoding.DecodeString(s) }

func TestMetadataPlaces(t *testing.T) {
	for name, test := range map[string]struct {
		options       Options
		openid, oauth int // status
	}{
		"both":          {Options{}, 200, 200},
		"with a path":   {Options{Issuer: "/tenant"}, 200, 200},
		"OAuth only":    {Options{Issuer: "/tenant", OAuthMetadataOnly: true}, 404, 200},
		"none":          {Options{NoDiscovery: true}, 404, 404},
		"a slash after": {Options{Issuer: "/"}, 200, 200},
	} {
		c := start(t, test.options)
		u, err := url.Parse(c.issuer)
		if err != nil {
			t.Fatal(err)
		}
		path := strings.TrimSuffix(u.Path, "/")
		base := "http://" + u.Host
		for address, want := range map[string]int{
			base + path + "/.well-known/openid-configuration":       test.openid,
			base + "/.well-known/oauth-authorization-server" + path: test.oauth,
		} {
			response, body := c.get(address)
			if response.StatusCode != want {
				t.Errorf("%s: %s: got %d, want %d", name, address, response.StatusCode, want)
			}
			if want == 200 && !strings.Contains(body, `"issuer":"`+c.issuer+`"`) {
				t.Errorf("%s: %s: got %q", name, address, body)
			}
		}
	}
}

func TestDocumentedPaths(t *testing.T) {
	c := start(t, Options{NoDiscovery: true, AlwaysRefresh: true})
	response, _ := c.get(c.issuer + "/oauth2/authorize?" + c.request(nil).Encode())
	if response.StatusCode != http.StatusOK {
		t.Errorf("authorize: got %d, want 200", response.StatusCode)
	}
	if _, answer := c.post("oauth2/token", url.Values{"grant_type": {"refresh_token"}, "client_id": {"demo"}}); answer["error"] != "invalid_grant" {
		t.Errorf("token: got %v, want invalid_grant", answer)
	}
	if got := c.Count("token"); got != 1 {
		t.Errorf("counted: got %d, want 1", got)
	}
}

func TestEndpointsAreWhereTheMetadataSays(t *testing.T) {
	c := start(t, Options{Issuer: "/tenant"})
	m := c.document()
	for name, want := range map[string]int{"authorization_endpoint": 400, "token_endpoint": 405, "jwks_uri": 200,
		"userinfo_endpoint": 401, "revocation_endpoint": 405, "introspection_endpoint": 405, "device_authorization_endpoint": 405} {
		if response, _ := c.get(m[name].(string)); response.StatusCode != want {
			t.Errorf("%s: got %d, want %d", name, response.StatusCode, want)
		}
	}
}

// document fetches the metadata.
func (c *client) document() map[string]any {
	c.t.Helper()
	_, body := c.get(c.issuer + "/" + openidMetadata)
	m := map[string]any{}
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		c.t.Fatalf("got %q: %v", body, err)
	}
	return m
}

func TestMetadataModes(t *testing.T) {
	c := start(t, Options{})
	for mode, wrong := range map[string]func(m map[string]any) bool{
		"other-issuer":   func(m map[string]any) bool { return m["issuer"] != c.issuer },
		"no-s256":        func(m map[string]any) bool { return len(m["code_challenge_methods_supported"].([]any)) == 1 },
		"no-pkce-listed": func(m map[string]any) bool { return m["code_challenge_methods_supported"] == nil },
		"no-jwks":        func(m map[string]any) bool { return m["jwks_uri"] == nil },
		"http-endpoint":  func(m map[string]any) bool { return m["token_endpoint"] == "http://token.invalid/token" },
	} {
		c.only(mode)
		if m := c.document(); !wrong(m) {
			t.Errorf("%s: got %v", mode, m)
		}
	}
	c.only("discovery-html")
	if _, body := c.get(c.issuer + "/" + openidMetadata); !strings.HasPrefix(body, "<!doctype html>") {
		t.Errorf("discovery-html: got %q", body)
	}
}

// Behind another listener the issuer is the address that was asked.
func TestBehindTLS(t *testing.T) {
	server := httptest.NewTLSServer(New(Options{}))
	t.Cleanup(server.Close)
	response, err := server.Client().Get(server.URL + "/" + openidMetadata)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var m struct{ Issuer string }
	if err := json.NewDecoder(response.Body).Decode(&m); err != nil || m.Issuer != server.URL {
		t.Errorf("got the issuer %q, %v; want %q", m.Issuer, err, server.URL)
	}
}

func TestControl(t *testing.T) {
	c := start(t, Options{Control: true})
	for _, test := range []struct {
		name string
		form url.Values
		want int
	}{
		{"options", url.Values{"access-ttl": {"3s"}, "mode": {"deny", "no-iss"}}, 204},
		{"an unknown mode", url.Values{"mode": {"wrong-sate"}}, 400},
		{"an unknown option", url.Values{"acess-ttl": {"3s"}}, 400},
	} {
		response, err := http.PostForm(c.issuer+"/test/options", test.form)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != test.want {
			t.Errorf("%s: got %d, want %d", test.name, response.StatusCode, test.want)
		}
	}
	if o := c.Options(); o.AccessTTL != 3*time.Second || !o.Modes["deny"] || !o.Modes["no-iss"] || len(o.Modes) != 2 {
		t.Errorf("got %v and %v", o.AccessTTL, o.Modes)
	}
	if _, body := c.get(c.issuer + "/test/count?of=test/options"); body != "3\n" {
		t.Errorf("count: got %q, want 3", body)
	}
}

func TestNoControlUnlessAsked(t *testing.T) {
	c := start(t, Options{})
	for _, endpoint := range []string{"options", "count", "secrets", "advance"} {
		if response, _ := c.get(c.issuer + "/test/" + endpoint); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", endpoint, response.StatusCode)
		}
	}
}
