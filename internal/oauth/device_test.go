package oauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestDeviceAuthorize(t *testing.T) {
	p, maxAge := newProvider(t), 0
	for _, test := range []struct {
		name   string
		secret string
		r      Request
		want   url.Values // the form
	}{
		{"plain OAuth", "", Request{}, url.Values{"client_id": {clientID}}},
		{"scopes", "", Request{Scopes: []string{"openid", "email"}, Offline: true}, url.Values{"client_id": {clientID}, "scope": {"openid email offline_access"}}},
		{"what an authorization request has", "", Request{
			RedirectURI: "http://127.0.0.1/callback", Audience: "api", Resources: []string{"https://a.example", "https://b.example"},
			Params: map[string]string{"tenant": "a b"}, Prompt: "consent", LoginHint: "ada", ACRValues: "1 2", MaxAge: &maxAge,
		}, url.Values{"client_id": {clientID}, "audience": {"api"}, "resource": {"https://a.example", "https://b.example"},
			"tenant": {"a b"}, "prompt": {"consent"}, "login_hint": {"ada"}, "acr_values": {"1 2"}, "max_age": {"0"}}},
		{"a confidential client", "s3cr3t", Request{}, url.Values{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := p.client(t)
			c.Secret = test.secret
			d, err := c.DeviceAuthorize(context.Background(), test.r)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(p.form, test.want) {
				t.Errorf("the form: got %v, want %v", p.form, test.want)
			}
			if got, want := p.head.Get("Authorization") != "", test.secret != ""; got != want {
				t.Errorf("authenticated by a header: got %t, want %t", got, want)
			}
			if d.OfflineAsked != test.r.Offline {
				t.Errorf("OfflineAsked: got %t, want %t", d.OfflineAsked, test.r.Offline)
			}
		})
	}
}

// What is shown is as the provider said it, or there is nothing to show: "" is an answer
// that is accepted.
func TestDeviceAnswer(t *testing.T) {
	for _, test := range []struct {
		name string
		bend map[string]any
		want string // in the error
	}{
		{"honest", nil, ""},
		{"no complete address", map[string]any{"verification_uri_complete": nil}, ""},
		{"Google's name for the address", map[string]any{"verification_uri": nil, "verification_url": "https://auth.example.com/device"}, ""},
		{"an address with a fragment", map[string]any{"verification_uri": "https://auth.example.com/start/#/device"}, ""},
		{"a code with a space", map[string]any{"user_code": "123 456"}, ""},
		{"expires_in in quotes", map[string]any{"expires_in": "600"}, ""},
		{"expires_in that is huge", map[string]any{"expires_in": 1e300}, ""},

		{"no device code", map[string]any{"device_code": nil}, "no device_code"},
		{"a device code that is a number", map[string]any{"device_code": 5}, "can't be read"},
		{"no user code", map[string]any{"user_code": nil}, "user_code"},
		{"a blank user code", map[string]any{"user_code": "   "}, "user_code"},
		{"a user code that moves the cursor", map[string]any{"user_code": "A\x1b[2JB"}, "user_code"},
		{"a user code that turns the reading direction", map[string]any{"user_code": "A\u202eB"}, "user_code"},
		{"a user code of two lines", map[string]any{"user_code": "A\nB"}, "user_code"},
		{"a user code that nobody could type", map[string]any{"user_code": strings.Repeat("A", 41)}, "user_code"},
		{"no address", map[string]any{"verification_uri": nil}, "verification_uri"},
		{"an address that is a script", map[string]any{"verification_uri": "javascript:alert(1)"}, "no https URL"},
		{"an address that is a file", map[string]any{"verification_uri": "file:///etc/passwd"}, "no https URL"},
		{"an address without TLS", map[string]any{"verification_uri": "http://auth.example.com/device"}, "not https"},
		{"an address that moves the cursor", map[string]any{"verification_uri": "https://auth.example.com/\u009b2J"}, "character that no URL has"},
		{"an address with a password", map[string]any{"verification_uri": "https://bank.example@evil.example/"}, "user name"},
		{"an address that fills the screen", map[string]any{"verification_uri": "https://auth.example.com/" + strings.Repeat("A", 2000)}, "2025 bytes"},
		{"a complete address that is a script", map[string]any{"verification_uri_complete": "javascript:alert(1)"}, "verification_uri_complete"},
		{"a complete address without TLS", map[string]any{"verification_uri_complete": "http://auth.example.com/?c=1"}, "not https"},
		{"no expires_in", map[string]any{"expires_in": nil}, "expires_in"},
		{"two user codes, spelt apart", map[string]any{"User_Code": "WDJB-MJHX"}, "user_code can be read in two ways"},
		{"expires_in that is past", map[string]any{"expires_in": -1}, "expires_in"},
		{"expires_in that is a word", map[string]any{"expires_in": "soon"}, "expires_in"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProvider(t)
			maps.Copy(p.codes, test.bend)
			d, err := p.client(t).DeviceAuthorize(context.Background(), p.request())
			if test.want != "" {
				wantCheck(t, err, test.want)
				presentable(t, err, fmt.Sprint(p.codes["device_code"]))
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			left := time.Until(d.Expires)
			if d.UserCode != p.codes["user_code"] || d.VerificationURI == "" || left <= 9*time.Minute || left > 24*time.Hour {
				t.Errorf("got %q, %q, %v left", d.UserCode, d.VerificationURI, left)
			}
		})
	}
}

// GitHub answers a form to whoever doesn't ask for JSON alone, and old providers always do.
func TestDeviceAnswerIsAForm(t *testing.T) {
	answer := "device_code=d&user_code=WDJB-MJHT&verification_uri=https%3A%2F%2Fauth.example.com%2Fdevice&expires_in=899&interval=5"
	accepted := ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		accepted = r.Header.Get("Accept")
		w.Header().Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		io.WriteString(w, answer)
	}))
	defer s.Close()
	c := &Client{ID: clientID, HTTP: HTTPClient(http.DefaultTransport), Metadata: &Metadata{DeviceAuthorizationEndpoint: s.URL}}
	d, err := c.DeviceAuthorize(t.Context(), Request{})
	if err != nil || d.UserCode != "WDJB-MJHT" || d.interval != 5*time.Second || accepted != "application/json" {
		t.Errorf("got %+v, %v, asked for %q", d, err, accepted)
	}
	answer += "&verification_uri=https%3A%2F%2Fevil.example.com%2F"
	_, err = c.DeviceAuthorize(t.Context(), Request{})
	wantCheck(t, err, "can't be read")
}

// A device code is for the token endpoint alone: who reads it off a screen gets the
// tokens.
func TestDeviceAnswerShowsNoSecret(t *testing.T) {
	for name, shown := range map[string]string{
		"user_code": "%s", "verification_uri": "https://auth.example.com/%s", "verification_uri_complete": "https://auth.example.com/?c=%s",
	} {
		t.Run(name, func(t *testing.T) {
			p := newProvider(t)
			secret := "device-code-of-30-characters.."
			p.codes["device_code"], p.codes[name] = secret, fmt.Sprintf(shown, secret)
			_, err := p.client(t).DeviceAuthorize(context.Background(), p.request())
			wantCheck(t, err, "holds a secret")
			presentable(t, err, secret)
		})
	}
}

func TestDeviceInterval(t *testing.T) {
	for raw, want := range map[string]time.Duration{
		"": usualInterval, "null": usualInterval, "0": usualInterval, "-5": usualInterval, `"soon"`: usualInterval, "[]": usualInterval, `"NaN"`: usualInterval,
		"1": time.Second, "7": 7 * time.Second, `"7"`: 7 * time.Second, "0.001": time.Second, "2.5": 2500 * time.Millisecond,
		"3600": time.Minute, "1e999": time.Minute,
	} {
		if got := interval([]byte(raw)); got != want {
			t.Errorf("%s: got %v, want %v", raw, got, want)
		}
	}
}

func TestDeviceAuthorizeRefuses(t *testing.T) {
	refuse := func(status int, body string) func(*provider, *Client) {
		return func(p *provider, c *Client) {
			p.device = reply(status, "application/json", body)
		}
	}
	for _, test := range []struct {
		name string
		bend func(*provider, *Client)
		want string
	}{
		{"no endpoint", func(_ *provider, c *Client) { c.Metadata.DeviceAuthorizationEndpoint = "" }, "*errors.errorString the provider has no"},
		{"an endpoint without TLS", func(_ *provider, c *Client) { c.Metadata.DeviceAuthorizationEndpoint = "http://auth.example.com/" }, "*oauth.InsecureError"},
		{"an endpoint that is none", func(_ *provider, c *Client) { c.Metadata.DeviceAuthorizationEndpoint = "x" }, "*oauth.ConfigError"},
		{"no client ID", func(_ *provider, c *Client) { c.ID = "" }, "*oauth.ConfigError"},
		{"nobody there", func(_ *provider, c *Client) { c.Metadata.DeviceAuthorizationEndpoint = unusedAddress(t) }, "unreachable device authorization"},
		{"forbidden to this client", refuse(400, `{"error":"unauthorized_client"}`), "error unauthorized_client"},
		{"an error with 200", refuse(200, `{"error":"invalid_scope"}`), "error invalid_scope"},
		{"5xx", refuse(503, ``), "unreachable device authorization"},
		{"a web page", refuse(200, `<html>`), "check device authorization: the answer can't be read"},
		{"404", refuse(404, `<html>`), "check device authorization: answered 404"},
		{"a list", refuse(200, `[]`), "check device authorization"},
		{"null", refuse(200, `null`), "check device authorization"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProvider(t)
			c := p.client(t)
			test.bend(p, c)
			d, err := c.DeviceAuthorize(context.Background(), p.request())
			if got := describe(err); d != nil || !strings.HasPrefix(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	for _, name := range []string{"scope", "client_id", "state"} {
		p, config := newProvider(t), (*ConfigError)(nil)
		_, err := p.client(t).DeviceAuthorize(context.Background(), Request{Params: map[string]string{name: "x"}})
		if !errors.As(err, &config) || p.counted("/device_authorization") != 0 {
			t.Errorf("the parameter %s: got %v, want a ConfigError and no request", name, err)
		}
	}
}

// Nothing that the provider echoes brings the client's secret into an error.
func TestDeviceAuthorizeEchoesSecrets(t *testing.T) {
	p := newProvider(t)
	c := p.client(t)
	c.Secret = "s3cr3t/with+odd=chars"
	p.device = func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		writeJSON(w, map[string]string{"error": "invalid_request", "error_description": r.Header.Get("Authorization") + c.Secret})
	}
	_, err := c.DeviceAuthorize(context.Background(), p.request())
	presentable(t, err, c.Secret)
	if !strings.Contains(err.Error(), redacted) {
		t.Errorf("nothing was echoed: %v", err)
	}
}
