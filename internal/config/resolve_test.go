package config

import (
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

// minimal is a profile that resolves.
func minimal() Profile {
	return Profile{Name: "work", Issuer: "https://auth.example.com", ClientID: "3f1c"}
}

// A passphrase has a time-out, a key file needs none.
func TestPassphraseTimeout(t *testing.T) {
	for _, c := range []struct {
		name string
		p    Profile
		want time.Duration
	}{
		{"the default", Profile{Store: "file"}, 8 * time.Hour},
		{"set", Profile{Store: "file", StoreTimeout: "90m"}, 90 * time.Minute},
		{"a key file", Profile{Store: "file", StoreKeyFile: "k"}, 0},
		{"a keychain", Profile{}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.p.WithDefaults().PassphraseTimeout(); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestIssuerAsTyped(t *testing.T) {
	const openID, oauth = "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"
	for typed, want := range map[string]string{
		"auth.example.com":                                "https://auth.example.com",
		"https://auth.example.com" + openID:               "https://auth.example.com",
		"https://auth.example.com" + openID + "/":         "https://auth.example.com",
		"auth.example.com/realms/a" + openID:              "https://auth.example.com/realms/a",
		"https://auth.example.com" + oauth:                "https://auth.example.com",
		"https://auth.example.com" + oauth + "/realms/a":  "https://auth.example.com/realms/a",
		"https://auth.example.com" + oauth + ".evil.com/": "https://auth.example.com" + oauth + ".evil.com/",
		"https://auth.example.com" + oauth + "-2":         "https://auth.example.com" + oauth + "-2",
		"https://auth.example.com" + openID + "/x":        "https://auth.example.com" + openID + "/x",
	} {
		p := minimal()
		p.Issuer = typed
		if got, err := p.Resolve(); err != nil || got.Issuer != want {
			t.Errorf("%s: got %q, %v, want %q", typed, got.Issuer, err, want)
		}
	}
}

func TestResolveFillsInTheDefaults(t *testing.T) {
	got, err := Profile{Name: "work", Issuer: "auth.example.com", ClientID: "3f1c"}.Resolve()
	yes, no := true, false
	want := minimal()
	want.Scopes, want.Offline, want.KernelCache = []string{"openid", "profile", "email"}, &yes, &no
	want.RedirectURI, want.Store = "http://127.0.0.1/callback", "keychain"
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestResolveKeepsWhatIsSet(t *testing.T) {
	got, err := wholeProfile().Resolve()
	if err != nil || !reflect.DeepEqual(got, wholeProfile()) {
		t.Errorf("got %+v, %v, want %+v", got, err, wholeProfile())
	}
	p := minimal()
	p.Scopes = []string{}
	if got, err := p.Resolve(); err != nil || len(got.Scopes) != 0 {
		t.Errorf("no scopes: got %q, %v, want none", got.Scopes, err)
	}
}

func TestIssuer(t *testing.T) {
	for typed, want := range map[string]string{
		"auth.example.com":           "https://auth.example.com",
		"auth.example.com/tenant/":   "https://auth.example.com/tenant/",
		"auth.example.com:8443":      "https://auth.example.com:8443",
		"localhost:1234":             "https://localhost:1234",
		"127.0.0.1":                  "https://127.0.0.1",
		"[::1]:80":                   "https://[::1]:80",
		"https://auth.example.com/a": "https://auth.example.com/a",
		"http://localhost:1234":      "http://localhost:1234",
		"http://LOCALHOST":           "http://LOCALHOST",
		"http://127.9.9.9:1/x":       "http://127.9.9.9:1/x",
		"http://[::1]:8080":          "http://[::1]:8080",
	} {
		p := minimal()
		p.Issuer = typed
		if got, err := p.Resolve(); err != nil || got.Issuer != want {
			t.Errorf("%q: got %q, %v, want %q", typed, got.Issuer, err, want)
		}
	}
}

// Each refusal names the key; its twin, with the good value, resolves.
func TestResolveRefuses(t *testing.T) {
	for _, c := range []struct {
		name      string
		bad, good Settings
		key, why  string
		missing   bool
	}{
		{"no issuer", Settings{"issuer": ""}, Settings{"issuer": "a.example"}, "issuer", "not set", true},
		{"half of the endpoints", Settings{"issuer": "", "token_url": "https://a.example/t"},
			Settings{"issuer": "", "token_url": "https://a.example/t", "authorization_url": "https://a.example/a"}, "issuer", "not set", true},
		{"no client", Settings{"client_id": ""}, Settings{"client_id": "c"}, "client_id", "not set", true},
		{"client with a line end", Settings{"client_id": "a\nb"}, Settings{"client_id": "a b"}, "client_id", "character", false},
		{"issuer with spaces", Settings{"issuer": "not a url"}, Settings{"issuer": "not.a.url"}, "issuer", "not an https URL", false},
		{"issuer with a space in the path", Settings{"issuer": "a.example/b c"}, Settings{"issuer": "a.example/b%20c"}, "issuer", "not an https URL", false},
		{"issuer of another scheme", Settings{"issuer": "ftp://a.example"}, Settings{"issuer": "HTTPS://a.example"}, "issuer", "not an https URL", false},
		{"issuer without a host", Settings{"issuer": "https:///x"}, Settings{"issuer": "https://x"}, "issuer", "not an https URL", false},
		{"issuer with one slash", Settings{"issuer": "https:/a.example"}, nil, "issuer", "not an https URL", false},
		{"issuer is a path", Settings{"issuer": "/x"}, nil, "issuer", "not an https URL", false},
		{"issuer with a bad port", Settings{"issuer": "a.example:http"}, Settings{"issuer": "a.example:80"}, "issuer", "not an https URL", false},
		{"issuer with a query", Settings{"issuer": "a.example?x=y"}, nil, "issuer", "no query", false},
		{"issuer with an empty query", Settings{"issuer": "a.example/?"}, nil, "issuer", "no query", false},
		{"issuer with a fragment", Settings{"issuer": "a.example/#"}, nil, "issuer", "fragment", false},
		{"issuer with a user", Settings{"issuer": "u:hunter2@a.example"}, nil, "issuer", "user or password", false},
		{"issuer on plain http", Settings{"issuer": "http://a.example"}, Settings{"issuer": "http://127.0.0.1"}, "issuer", "plain http", false},
		{"issuer like loopback", Settings{"issuer": "http://localhost.example"}, Settings{"issuer": "http://localhost"}, "issuer", "plain http", false},
		{"issuer like 127", Settings{"issuer": "http://127.0.0.1.example"}, nil, "issuer", "plain http", false},
		{"issuer anywhere", Settings{"issuer": "http://0.0.0.0"}, nil, "issuer", "plain http", false},
		{"endpoint on plain http", Settings{"token_url": "http://a.example/t"}, Settings{"token_url": "http://[::1]/t"}, "token_url", "plain http", false},
		{"endpoint that is a host", Settings{"jwks_url": "a.example"}, Settings{"jwks_url": "https://a.example"}, "jwks_url", "not an https URL", false},
		{"endpoint with a fragment", Settings{"authorization_url": "https://a.example/#x"}, Settings{"authorization_url": "https://a.example/?p=policy"}, "authorization_url", "fragment", false},
		{"endpoint with a user", Settings{"revocation_url": "https://u:hunter2@a.example/"}, nil, "revocation_url", "user or password", false},
		{"scope with a space", Settings{"scopes": []string{"a b"}}, Settings{"scopes": []string{"a", "b", "https://a.example/s.read"}}, "scopes", "space", false},
		{"scope with a quote", Settings{"scopes": []string{`a"`}}, Settings{"scopes": []string{"a'"}}, "scopes", "quote", false},
		{"scope not ASCII", Settings{"scopes": []string{"é"}}, nil, "scopes", "", false},
		{"empty scope", Settings{"scopes": []string{""}}, nil, "scopes", "empty", false},
		{"redirect without a scheme", Settings{"redirect_uri": "127.0.0.1/cb"}, Settings{"redirect_uri": "http://127.0.0.1/cb"}, "redirect_uri", "absolute", false},
		{"redirect with a fragment", Settings{"redirect_uri": "http://127.0.0.1/#"}, Settings{"redirect_uri": "http://127.0.0.1/?a=b"}, "redirect_uri", "fragment", false},
		{"redirect without a host", Settings{"redirect_uri": "http:///cb"}, Settings{"redirect_uri": "com.example.app:/cb"}, "redirect_uri", "no host", false},
		{"redirect that is a scheme", Settings{"redirect_uri": "http:"}, Settings{"redirect_uri": "https://a.example:0/cb"}, "redirect_uri", "absolute", false},
		{"certificate without a key", Settings{"tls_cert": "c", "redirect_uri": "https://localhost"},
			Settings{"tls_cert": "c", "tls_key": "k", "redirect_uri": "https://localhost"}, "tls_key", "tls_cert is", true},
		{"key without a certificate", Settings{"tls_key": "c", "redirect_uri": "https://localhost"}, nil, "tls_cert", "tls_key is", true},
		{"certificate on http", Settings{"tls_cert": "c", "tls_key": "k"}, Settings{"tls_cert": "c", "tls_key": "k", "redirect_uri": "HTTPS://localhost"}, "tls_cert", "not https", false},
		{"relative resource", Settings{"resources": []string{"https://a.example", "b"}}, Settings{"resources": []string{"https://a.example", "urn:b"}}, "resources", "absolute", false},
		{"resource with a fragment", Settings{"resources": []string{"https://a.example#b"}}, nil, "resources", "fragment", false},
		{"parameter of ours", Settings{"params": map[string]string{"a": "b", "state": "x"}}, Settings{"params": map[string]string{"a": "b", "prompt": "x"}}, "params", "itself", false},
		{"request object", Settings{"params": map[string]string{"request_uri": "x"}}, nil, "params", "itself", false},
		{"parameter with a setting", Settings{"params": map[string]string{"audience": "x"}}, Settings{"audience": "x"}, "params", "of its own", false},
		{"nameless parameter", Settings{"params": map[string]string{"": "x"}}, nil, "params", "no name", false},
		{"response mode", Settings{"params": map[string]string{"response_mode": "fragment"}}, Settings{"params": map[string]string{"response_mode": "form_post"}}, "params", "receive", false},
		{"store", Settings{"store": "plain"}, Settings{"store": "keychain"}, "store", "keychain or file", false},
		{"store without a key file", Settings{"store": "file"}, Settings{"store": "file", "store_key_file": "k"}, "store_key_file", "not set", true},
		{"time-out that is no duration", Settings{"store_timeout": "8"}, Settings{"store_timeout": "8h"}, "store_timeout", "duration", false},
		{"time-out of nothing", Settings{"store_timeout": "0s"}, Settings{"store_timeout": "1s"}, "store_timeout", "from 1s", false},
		{"time-out in the past", Settings{"store_timeout": "-1h"}, nil, "store_timeout", "from 1s", false},
		{"time-out below a second", Settings{"store_timeout": "999ms"}, nil, "store_timeout", "from 1s", false},
		{"time-out of more than a year", Settings{"store_timeout": "8761h"}, Settings{"store_timeout": "8760h"}, "store_timeout", "to 8760h", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.key == "store_key_file" && runtime.GOOS == "linux" {
				return // a passphrase is as good
			}
			_, err := resolve(t, c.bad)
			var invalid *InvalidError
			if !errors.As(err, &invalid) {
				t.Fatalf("got %v, want an *InvalidError", err)
			}
			if invalid.Key != c.key || invalid.Profile != "work" || invalid.Missing != c.missing || !strings.Contains(invalid.Why, c.why) {
				t.Errorf("got %#v", invalid)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a password is in %q", err)
			}
			if _, err := resolve(t, c.good); err != nil {
				t.Errorf("its twin: %v", err)
			}
		})
	}
}

func resolve(t *testing.T, s Settings) (Profile, error) {
	t.Helper()
	p, err := minimal().With(s)
	if err != nil {
		t.Fatal(err)
	}
	return p.Resolve()
}

func TestOurParametersAreOutOfReach(t *testing.T) {
	for _, name := range []string{"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge",
		"code_challenge_method", "code_verifier", "grant_type", "code", "client_secret", "refresh_token"} {
		p := minimal()
		p.Params = map[string]string{name: "x"}
		if _, err := p.Resolve(); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestScopesAreAskedForOnce(t *testing.T) {
	p := minimal()
	p.Scopes = []string{"a", "b", "a"}
	got, err := p.Resolve()
	if want := []string{"a", "b"}; err != nil || !reflect.DeepEqual(got.Scopes, want) {
		t.Errorf("got %q, %v, want %q", got.Scopes, err, want)
	}
}

func TestErrorsShowNoSecret(t *testing.T) {
	for value, want := range map[string]string{
		"http://u:p@a.example/x?token=t#f": "…@a.example/x?…",
		"http://a.example/x":               "http://a.example/x",
		"http://a.example/#access_token=t": "http://a.example/#…",
	} {
		if got := Shown(value); got != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	}
}
