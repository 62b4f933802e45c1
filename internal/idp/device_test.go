package idp

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/robot"
)

// begin asks for codes and returns the answer.
func (c *client) begin() map[string]any {
	c.t.Helper()
	status, answer := c.post("device_authorization", url.Values{"client_id": {"demo"}, "scope": {"openid email offline_access"}})
	if status != http.StatusOK {
		c.t.Fatalf("got %d, %v", status, answer["error"])
	}
	return answer
}

// poll is the error of a poll, made when the interval is over; "" for the tokens.
func (c *client) poll(answer map[string]any) (code string, tokens map[string]any) {
	c.t.Helper()
	c.Advance(time.Minute)
	return c.pollNow(answer)
}

func (c *client) pollNow(answer map[string]any) (code string, tokens map[string]any) {
	c.t.Helper()
	_, tokens = c.post("token", url.Values{"grant_type": {deviceGrant}, "client_id": {"demo"}, "device_code": {answer["device_code"].(string)}})
	code, _ = tokens["error"].(string)
	return code, tokens
}

func TestDevice(t *testing.T) {
	c := start(t, Options{Alg: "ES256"})
	for name, visit := range map[string]func(answer map[string]any) (string, robot.Options){
		"the complete address": func(a map[string]any) (string, robot.Options) {
			return a["verification_uri_complete"].(string), robot.Options{}
		},
		"typed": func(a map[string]any) (string, robot.Options) {
			return a["verification_uri"].(string), robot.Options{Fill: map[string]string{"user_code": a["user_code"].(string)}}
		},
		"typed carelessly": func(a map[string]any) (string, robot.Options) {
			code := strings.ToLower(strings.ReplaceAll(a["user_code"].(string), "-", " "))
			return a["verification_uri"].(string), robot.Options{Fill: map[string]string{"user_code": code}}
		},
	} {
		answer := c.begin()
		if got := answer["user_code"].(string); !regexp.MustCompile(`^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$`).MatchString(got) || answer["interval"] != nil || answer["expires_in"] != 600.0 {
			t.Errorf("%s: got the code %q, the interval %v, %v seconds", name, got, answer["interval"], answer["expires_in"])
		}
		if !slices.Contains(c.Secrets(), answer["device_code"].(string)) {
			t.Errorf("%s: Secrets lacks the device code", name)
		}
		if code, _ := c.poll(answer); code != "authorization_pending" {
			t.Errorf("%s: before: got %q", name, code)
		}
		address, options := visit(answer)
		page, err := robot.Visit(context.Background(), address, options)
		if err != nil || !strings.HasPrefix(page.Title, "You are signed in") {
			t.Errorf("%s: got %+v, %v", name, page, err)
		}
		code, tokens := c.poll(answer)
		if code != "" || c.hello(tokens["access_token"]) != http.StatusOK || tokens["refresh_token"] == nil {
			t.Errorf("%s: after: got %q, or tokens that don't work", name, code)
			continue
		}
		if verified, claims := c.claims(tokens["id_token"]); !verified || claims["sub"] != "248289761001" || claims["nonce"] != nil {
			t.Errorf("%s: the ID token: verified %t, got %v", name, verified, claims)
		}
		if code, _ := c.poll(answer); code != "invalid_grant" {
			t.Errorf("%s: a second time: got %q", name, code)
		}
	}
}

func TestDeviceRefuses(t *testing.T) {
	c := start(t, Options{})
	answer := c.begin()
	if page, err := robot.Visit(context.Background(), answer["verification_uri_complete"].(string), robot.Options{Press: "cancel"}); err != nil || !strings.HasPrefix(page.Title, "Nobody") {
		t.Errorf("a no: got %+v, %v", page, err)
	}
	if code, _ := c.poll(answer); code != "access_denied" {
		t.Errorf("a no: got %q", code)
	}
	answer = c.begin()
	c.Advance(10 * time.Minute)
	if code, _ := c.pollNow(answer); code != "expired_token" {
		t.Errorf("an old code: got %q", code)
	}
	for name, code := range map[string]string{"an old code": answer["user_code"].(string), "an invented one": "AAAA-AAAA", "none": ""} {
		page, err := robot.Visit(context.Background(), c.issuer+"/device", robot.Options{Fill: map[string]string{"user_code": code}})
		if err != nil || page.Status != http.StatusNotFound || !strings.Contains(page.Text, "No sign-in waits") {
			t.Errorf("%s: got %+v, %v", name, page, err)
		}
	}
	if code, _ := c.poll(map[string]any{"device_code": "invented"}); code != "invalid_grant" {
		t.Errorf("an invented device code: got %q", code)
	}
	if status, answer := c.post("device_authorization", url.Values{"client_id": {"another"}}); status != http.StatusUnauthorized {
		t.Errorf("another client: got %d, %v", status, answer["error"])
	}
}

func TestSlowDown(t *testing.T) {
	c := start(t, Options{Interval: 2 * time.Second})
	answer := c.begin()
	if answer["interval"] != 2.0 {
		t.Errorf("interval: got %v, want 2", answer["interval"])
	}
	for i, step := range []struct {
		after time.Duration
		want  string
	}{
		{0, "authorization_pending"},
		{0, "slow_down"},
		{3 * time.Second, "slow_down"}, // it is 7 s by now
		{13 * time.Second, "authorization_pending"},
	} {
		c.Advance(step.after)
		if got, _ := c.pollNow(answer); got != step.want {
			t.Errorf("poll %d: got %q, want %q", i+1, got, step.want)
		}
	}
}

func TestNoDevice(t *testing.T) {
	c := start(t, Options{NoDevice: true})
	for _, endpoint := range []string{"device", "device_authorization"} {
		if response, _ := c.get(c.issuer + "/" + endpoint); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", endpoint, response.StatusCode)
		}
	}
	m := c.document()
	if m["device_authorization_endpoint"] != nil || slices.Contains(m["grant_types_supported"].([]any), any(deviceGrant)) {
		t.Error("the metadata lists it")
	}
	c.Set(func(o *Options) { o.NoDevice = false })
	m = c.document()
	if m["device_authorization_endpoint"] != c.issuer+"/device_authorization" || !slices.Contains(m["grant_types_supported"].([]any), any(deviceGrant)) {
		t.Error("the metadata lacks it")
	}
}

func TestDeviceModes(t *testing.T) {
	c := start(t, Options{})
	for mode, wrong := range map[string]func(a map[string]any) bool{
		"device-no-code":   func(a map[string]any) bool { return a["user_code"] == nil },
		"device-escape":    func(a map[string]any) bool { return strings.Contains(a["user_code"].(string), "\x1b") },
		"device-long-code": func(a map[string]any) bool { return len(a["user_code"].(string)) == 500 },
		"device-http":      func(a map[string]any) bool { return a["verification_uri"] == "http://device.invalid/" },
		"device-script":    func(a map[string]any) bool { return a["verification_uri_complete"] == "javascript:alert(1)" },
		"device-over":      func(a map[string]any) bool { return a["expires_in"] == 0.0 },
		"device-impatient": func(a map[string]any) bool { return a["interval"] == -1.0 },
		"device-odd-pace":  func(a map[string]any) bool { return a["interval"] == "when you like" },
	} {
		c.only(mode)
		if a := c.begin(); !wrong(a) {
			t.Errorf("%s: it is honest", mode)
		}
	}
	for mode, want := range map[string]string{"slow-down": "slow_down", "device-expired": "expired_token", "deny": "access_denied"} {
		c.only(mode)
		if got, _ := c.poll(c.begin()); got != want {
			t.Errorf("%s: got %q, want %q", mode, got, want)
		}
	}
	c.only("device-forbidden")
	if _, a := c.post("device_authorization", url.Values{"client_id": {"demo"}}); a["error"] != "unauthorized_client" {
		t.Errorf("device-forbidden: got %v", a["error"])
	}
}
