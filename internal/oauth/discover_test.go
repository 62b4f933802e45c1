package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// site answers with what is put at a path, 404 elsewhere, and remembers who asked.
type site struct {
	*httptest.Server
	mu    sync.Mutex
	pages map[string]page
	asked []string
}

type page struct {
	status int
	body   string
}

func newSite(t testing.TB) *site {
	s := &site{pages: map[string]page{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, r.URL.EscapedPath())
		p, found := s.pages[r.URL.EscapedPath()]
		if !found {
			p.status = http.StatusNotFound
		}
		if p.status == http.StatusFound {
			w.Header().Set("Location", p.body)
		}
		w.WriteHeader(p.status)
		w.Write([]byte(p.body))
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *site) document(issuer string, more ...string) page {
	m := map[string]any{
		"issuer": issuer, "authorization_endpoint": s.URL + "/a", "token_endpoint": s.URL + "/t",
		"authctl_source": "forged", "authctl_keys": map[string]any{"keys": []any{}},
	}
	for i := 0; i < len(more); i += 2 {
		m[more[i]] = json.RawMessage(more[i+1])
	}
	return page{200, string(must(json.Marshal(m)))}
}

const (
	openIDPlace = "/.well-known/openid-configuration"
	oauthPlace  = "/.well-known/oauth-authorization-server"
)

func TestDiscoverFinds(t *testing.T) {
	for _, test := range []struct {
		name, issuer string // after the site's URL
		place        string // where the document is; empty: nowhere
		documented   string // the issuer in the document, after the site's URL
		asked        []string
		token        string // token endpoint, after the site's URL
	}{
		{"OpenID", "", openIDPlace, "", []string{openIDPlace}, "/t"},
		{"OpenID, path", "/realms/a%20b", "/realms/a%20b" + openIDPlace, "/realms/a%20b", []string{"/realms/a%20b" + openIDPlace}, "/t"},
		{"slash typed", "/", openIDPlace, "", []string{openIDPlace}, "/t"},
		{"slash in the document", "", openIDPlace, "/", []string{openIDPlace}, "/t"},
		{"path, slash typed", "/x/", "/x" + openIDPlace, "/x", []string{"/x" + openIDPlace}, "/t"},
		{"RFC 8414", "", oauthPlace, "", []string{openIDPlace, oauthPlace}, "/t"},
		{"RFC 8414, path", "/tenant/1", oauthPlace + "/tenant/1", "/tenant/1", []string{"/tenant/1" + openIDPlace, oauthPlace + "/tenant/1"}, "/t"},
		{"RFC 8414, path, slash", "/tenant/", oauthPlace + "/tenant", "/tenant/", []string{"/tenant" + openIDPlace, oauthPlace + "/tenant"}, "/t"},
		{"default paths", "", "", "", []string{openIDPlace, oauthPlace}, "/oauth2/token"},
		{"default paths, path", "/x/", "", "", []string{"/x" + openIDPlace, oauthPlace + "/x"}, "/x/oauth2/token"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t)
			source := SourceDefaultPaths
			if test.place != "" {
				s.pages[test.place] = s.document(s.URL + test.documented)
				source = s.URL + test.place
			}
			m, err := Discover(context.Background(), HTTPClient(http.DefaultTransport), s.URL+test.issuer, Endpoints{})
			if err != nil {
				t.Fatal(err)
			}
			if m.TokenEndpoint != s.URL+test.token {
				t.Errorf("got the token endpoint %q, want %q", m.TokenEndpoint, s.URL+test.token)
			}
			if m.Source != source || m.Keys != nil {
				t.Errorf("got the source %q and keys %q, want %q and none", m.Source, m.Keys, source)
			}
			if test.place != "" && m.Issuer != s.URL+test.documented {
				t.Errorf("got the issuer %q, want the document's", m.Issuer)
			}
			if !slices.Equal(s.asked, test.asked) {
				t.Errorf("asked for %q, want %q", s.asked, test.asked)
			}
		})
	}
}

// What is no document at the first place doesn't hide the one at the second.
func TestDiscoverGoesOn(t *testing.T) {
	for _, first := range []page{{400, "no"}, {401, ""}, {403, ""}, {405, ""}, {410, ""}, {204, ""}, {200, "<!DOCTYPE html>"}, {200, "{}"}, {302, "https://login.example.com/"}} {
		s := newSite(t)
		s.pages[openIDPlace], s.pages[oauthPlace] = first, s.document(s.URL)
		m, err := Discover(context.Background(), HTTPClient(http.DefaultTransport), s.URL, Endpoints{})
		if err != nil || m.Source != s.URL+oauthPlace {
			t.Errorf("%v: got %+v, %v, want what the second place says", first, m, err)
		}
	}
	s := newSite(t)
	s.pages[openIDPlace], s.pages[oauthPlace] = page{200, "\ufeff" + s.document(s.URL).body}, s.document("https://evil.example.com")
	if m, err := Discover(context.Background(), HTTPClient(http.DefaultTransport), s.URL, Endpoints{}); err != nil || m.Source != s.URL+openIDPlace {
		t.Errorf("got %+v, %v, want what the first place says, a byte order mark before it", m, err)
	}
}

func TestDiscoverRefuses(t *testing.T) {
	html := page{200, "<!DOCTYPE html><title>Welcome</title>"}
	both := Endpoints{Authorization: "https://auth.example.com/a", Token: "https://auth.example.com/t"}
	for _, test := range []struct {
		name     string
		page     func(*site) page // at the first place
		why      string
		explicit string // with both endpoints set: empty if that is accepted, else why not
	}{
		{"HTML", func(*site) page { return html }, "is no provider's metadata", ""},
		{"403", func(*site) page { return page{403, "no"} }, "answered 403 Forbidden", ""},
		{"401 with a document", func(s *site) page { return page{401, s.document(s.URL).body} }, "answered 401", ""},
		{"JSON, but a list", func(*site) page { return page{200, "[]"} }, "is no provider's metadata", ""},
		{"null", func(*site) page { return page{200, "null"} }, "is no provider's metadata", ""},
		{"a list that is text", func(s *site) page { return s.document(s.URL, "scopes_supported", `"a b"`) }, "is no provider's metadata: its scopes_supported is of another type", ""},
		{"two issuers", func(s *site) page { return repeat(s, "issuer") }, "is no provider's metadata: its issuer can be read in two ways", ""},
		{"no issuer", func(s *site) page { return s.document("") }, "is no provider's metadata", ""},
		{"wrong types", func(s *site) page { return s.document(s.URL, "scopes_supported", `"openid"`) }, "is no provider's metadata", ""},
		{"two token endpoints", func(s *site) page { return repeat(s, "token_endpoint") }, "is no provider's metadata", ""},
		{"another one in other letters", func(s *site) page { return repeat(s, "Token_Endpoint") }, "is no provider's metadata", ""},
		{"an issuer in other letters", func(s *site) page { return repeat(s, "i\u017fsuer") }, "is no provider's metadata", ""},
		{"more behind it", func(s *site) page { return page{200, s.document(s.URL).body + "<html>"} }, "is no provider's metadata", ""},
		{"the issuer in upper case", func(s *site) page { return s.document(strings.ToUpper(s.URL)) }, "are those of HTTP", "are those of"},
		{"another issuer", func(*site) page { return newPage("https://evil.example.com") }, "are those of https://evil.example.com", "are those of"},
		{"any tenant", func(*site) page { return newPage("https://login.example.com/{tenantid}/v2.0") }, "put the ID of yours into the issuer", "are those of"},
		{"a path more in the issuer", func(s *site) page { return s.document(s.URL + "/x") }, "are those of", "are those of"},
		{"no S256", func(s *site) page { return s.document(s.URL, "code_challenge_methods_supported", `["plain"]`) }, "PKCE without S256: plain", "PKCE without S256"},
		{"503", func(*site) page { return page{503, ""} }, "answered 503", "answered 503"},
		{"429", func(*site) page { return page{429, ""} }, "answered 429", "answered 429"},
		{"408", func(*site) page { return page{408, ""} }, "answered 408", "answered 408"},
		{"10 MiB", func(*site) page { return page{200, strings.Repeat(" ", 10<<20)} }, "larger than 1 MiB", ""},
		{"a redirect to another host", func(*site) page { return page{302, "https://login.example.com/"} }, "leads to https://login.example.com, another host", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t)
			s.pages[openIDPlace] = test.page(s)
			_, err := Discover(context.Background(), HTTPClient(http.DefaultTransport), s.URL, Endpoints{})
			wantError(t, err, test.why)
			m, err := Discover(context.Background(), HTTPClient(http.DefaultTransport), s.URL, both)
			if test.explicit != "" {
				wantError(t, err, test.explicit)
			} else if err != nil || m.Source != SourceConfigured || m.TokenEndpoint != both.Token {
				t.Errorf("with both endpoints set: got %+v, %v", m, err)
			}
		})
	}
}

// repeat is an honest document with a second member of nearly the same name.
func repeat(s *site, name string) page {
	body := s.document(s.URL).body
	return page{200, strings.TrimSuffix(body, "}") + `,"` + name + `":"https://evil.example.com"}`}
}

func newPage(issuer string) page {
	return page{200, string(must(json.Marshal(map[string]string{"issuer": issuer})))}
}

// wantError: 5xx, 408 and 429 are *UnreachableError, all others *CheckError.
func wantError(t testing.TB, err error, why string) {
	t.Helper()
	if slices.ContainsFunc([]string{"answered 5", "answered 408", "answered 429"}, func(s string) bool { return strings.HasPrefix(why, s) }) {
		wantUnreachable(t, err, why)
	} else {
		wantCheck(t, err, why)
	}
}

func TestDiscoverExplicit(t *testing.T) {
	s := newSite(t)
	s.pages[openIDPlace] = s.document(s.URL, "jwks_uri", `"`+s.URL+`/jwks"`)
	hc := HTTPClient(http.DefaultTransport)
	t.Run("overrides the document", func(t *testing.T) {
		m, err := Discover(context.Background(), hc, s.URL, Endpoints{Token: s.URL + "/mine", Revocation: s.URL + "/revoke"})
		if err != nil {
			t.Fatal(err)
		}
		if m.TokenEndpoint != s.URL+"/mine" || m.RevocationEndpoint != s.URL+"/revoke" || m.AuthorizationEndpoint != s.URL+"/a" || m.JWKSURI != s.URL+"/jwks" {
			t.Errorf("got %+v", m)
		}
	})
	t.Run("no issuer, no request", func(t *testing.T) {
		before := len(s.asked)
		m, err := Discover(context.Background(), hc, "", Endpoints{Authorization: s.URL + "/a", Token: s.URL + "/t"})
		if err != nil || m.Source != SourceConfigured || len(s.asked) != before {
			t.Errorf("got %+v, %v and %d requests", m, err, len(s.asked)-before)
		}
	})
	t.Run("one endpoint missing", func(t *testing.T) {
		_, err := Discover(context.Background(), hc, "", Endpoints{Authorization: s.URL + "/a"})
		if config := (*ConfigError)(nil); !errors.As(err, &config) || config.What != "token endpoint" {
			t.Errorf("got %v, want a ConfigError about the token endpoint", err)
		}
	})
	t.Run("one that the document lacks", func(t *testing.T) {
		s := newSite(t)
		s.pages[openIDPlace] = s.document(s.URL, "token_endpoint", `""`)
		_, err := Discover(context.Background(), hc, s.URL, Endpoints{})
		wantCheck(t, err, "token endpoint: neither discovered nor set")
		if _, err := Discover(context.Background(), hc, s.URL, Endpoints{Token: s.URL + "/mine"}); err != nil {
			t.Errorf("set by hand: %v", err)
		}
	})
	t.Run("JWKS beside the default paths", func(t *testing.T) {
		m, err := Discover(context.Background(), hc, s.URL+"/x", Endpoints{JWKS: s.URL + "/jwks"})
		if err != nil || m.Source != SourceDefaultPaths || m.JWKSURI != s.URL+"/jwks" {
			t.Errorf("got %+v, %v", m, err)
		}
	})
}

func TestDiscoverInsecure(t *testing.T) {
	hc := HTTPClient(http.DefaultTransport)
	insecure := (*InsecureError)(nil)
	for _, name := range []string{"authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "revocation_endpoint", "device_authorization_endpoint"} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.pages[openIDPlace] = s.document(s.URL, name, `"https://auth.example.com/x"`)
			if _, err := Discover(context.Background(), hc, s.URL, Endpoints{}); err != nil {
				t.Errorf("https is refused: %v", err)
			}
			s.pages[openIDPlace] = s.document(s.URL, name, `"http://auth.example.com/x"`)
			if _, err := Discover(context.Background(), hc, s.URL, Endpoints{}); !errors.As(err, &insecure) {
				t.Errorf("got %v (%T), want an InsecureError", err, err)
			}
		})
	}
	if _, err := Discover(context.Background(), hc, "http://auth.example.com", Endpoints{}); !errors.As(err, &insecure) {
		t.Errorf("issuer on http: got %v (%T), want an InsecureError", err, err)
	}
	for _, issuer := range []string{"auth.example.com", "https://auth.example.com/?x=1", "https://auth.example.com/#x", "::"} {
		_, err := Discover(context.Background(), hc, issuer, Endpoints{})
		if config := (*ConfigError)(nil); !errors.As(err, &config) {
			t.Errorf("%s: got %v (%T), want a ConfigError", issuer, err, err)
		}
	}
}

// An endpoint that is no URL to send secrets to is the document's fault, or that of who
// set it.
func TestDiscoverEndpointThatIsNone(t *testing.T) {
	hc := HTTPClient(http.DefaultTransport)
	for _, test := range []struct{ name, url, why string }{
		{"javascript", "javascript:alert(1)", "is no https URL"},
		{"data", "data:text/html,x", "is no https URL"},
		{"relative", "/token", "is no https URL"},
		{"no host", "https:///token", "is no https URL"},
		{"a user", "https://ada@auth.example.com/token", "a user name"},
		{"a password", "https://ada:s3cr3t@auth.example.com/token", "a user name"},
		{"a fragment", "https://auth.example.com/token#x", "has a fragment"},
		{"a space", "https://auth.example.com/a b", "has a character"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t)
			s.pages[openIDPlace] = s.document(s.URL)
			_, err := Discover(context.Background(), hc, s.URL, Endpoints{Token: test.url})
			if config := (*ConfigError)(nil); !errors.As(err, &config) || !strings.Contains(config.Why, test.why) {
				t.Errorf("set: got %v (%T), want a ConfigError: %s", err, err, test.why)
			}
			for _, name := range []string{"token_endpoint", "jwks_uri", "revocation_endpoint"} {
				s.pages[openIDPlace] = s.document(s.URL, name, string(must(json.Marshal(test.url))))
				_, err := Discover(context.Background(), hc, s.URL, Endpoints{})
				wantCheck(t, err, test.why)
			}
			mine := Endpoints{Token: s.URL + "/t", JWKS: s.URL + "/jwks", Revocation: s.URL + "/revoke"}
			if _, err := Discover(context.Background(), hc, s.URL, mine); err != nil {
				t.Errorf("replaced by one that is good: %v", err)
			}
		})
	}
}

// The metadata are stored with a session and come back as they were.
func TestMetadataRoundTrip(t *testing.T) {
	p := newProvider(t)
	c := p.client(t)
	if _, err := p.login(t, c, p.request()); err != nil {
		t.Fatal(err)
	}
	stored := must(json.Marshal(c.Metadata))
	var back Metadata
	if err := json.Unmarshal(stored, &back); err != nil {
		t.Fatal(err)
	}
	if again := must(json.Marshal(back)); string(again) != string(stored) {
		t.Errorf("got %s, want %s", again, stored)
	}
	if len(readKeys(back.Keys)) != 1 || back.Source == "" {
		t.Errorf("got %s, want a key and the source", stored)
	}
}

// An endpoint without TLS in a document is of no concern where another is set by hand.
func TestPlainEndpointIsReplaced(t *testing.T) {
	issuer := "https://auth.example.com"
	m := &Metadata{Issuer: issuer, AuthorizationEndpoint: issuer + "/a", TokenEndpoint: "http://localhost/t"}
	if err := m.checkPlain(issuer, Endpoints{Revocation: issuer + "/r"}); !errors.As(err, new(*InsecureError)) {
		t.Errorf("got %v, want an InsecureError", err)
	}
	if err := m.checkPlain(issuer, Endpoints{Token: issuer + "/t"}); err != nil {
		t.Errorf("got %v, with a token endpoint that is set", err)
	}
}
