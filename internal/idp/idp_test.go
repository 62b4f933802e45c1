package idp

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSignIn(t *testing.T) {
	c := start(t, Options{AccessTTL: time.Minute})
	tokens := c.signIn(nil)
	for name, want := range map[string]any{"token_type": "Bearer", "expires_in": 60.0, "scope": "openid profile email offline_access"} {
		if tokens[name] != want {
			t.Errorf("%s: got %v, want %v", name, tokens[name], want)
		}
	}
	if got := c.hello(tokens["access_token"]); got != http.StatusOK {
		t.Errorf("the protected page answered %d, want 200", got)
	}
	response, body := c.get(c.issuer+"/userinfo", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+tokens["access_token"].(string)) })
	if response.StatusCode != http.StatusOK || !strings.Contains(body, `"name":"Ada Lovelace"`) {
		t.Errorf("userinfo: got %d, %q", response.StatusCode, body)
	}
	for _, endpoint := range []string{"authorize", "signin", "token", "token/authorization_code", "userinfo", "api/hello"} {
		if got := c.Count(endpoint); got != 1 {
			t.Errorf("Count(%q): got %d, want 1", endpoint, got)
		}
	}
	for name, secret := range map[string]string{"access token": tokens["access_token"].(string), "refresh token": tokens["refresh_token"].(string),
		"ID token": tokens["id_token"].(string), "verifier": verifier} {
		if !slices.Contains(c.Secrets(), secret) {
			t.Errorf("Secrets lacks the %s", name)
		}
	}
}

func TestProtectedPageRefuses(t *testing.T) {
	c := start(t, Options{})
	tokens := c.signIn(nil)
	for name, header := range map[string]string{
		"no token": "", "another scheme": "Basic abc", "an invented token": "Bearer abc",
		"a refresh token": "Bearer " + tokens["refresh_token"].(string),
	} {
		response, _ := c.get(c.issuer+"/api/hello", func(r *http.Request) { r.Header.Set("Authorization", header) })
		if response.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(response.Header.Get("WWW-Authenticate"), "Bearer ") {
			t.Errorf("%s: got %d, WWW-Authenticate %q", name, response.StatusCode, response.Header.Get("WWW-Authenticate"))
		}
	}
	if got := c.hello(tokens["access_token"]); got != http.StatusOK {
		t.Errorf("a good token: got %d, want 200", got)
	}
}

func TestAdvanceExpires(t *testing.T) {
	c := start(t, Options{AccessTTL: time.Minute, RefreshTTL: time.Hour})
	tokens := c.signIn(nil)
	c.Advance(time.Minute)
	if got := c.hello(tokens["access_token"]); got != http.StatusUnauthorized {
		t.Errorf("an expired access token: got %d, want 401", got)
	}
	status, renewed := c.refresh(tokens["refresh_token"])
	if status != http.StatusOK || c.hello(renewed["access_token"]) != http.StatusOK {
		t.Errorf("a renewal in time: got %d, %v", status, renewed)
	}
	c.Advance(time.Hour)
	if status, answer := c.refresh(renewed["refresh_token"]); status != 400 || answer["error"] != "invalid_grant" {
		t.Errorf("an expired refresh token: got %d, %v", status, answer)
	}
}

// What time it is at the provider is in every answer, by its own clock.
func TestAdvanceMovesTheDate(t *testing.T) {
	c := start(t, Options{})
	for _, d := range []time.Duration{0, time.Hour, -3 * time.Hour} {
		c.Advance(d)
		response, _ := c.get(c.issuer + "/jwks")
		date, err := http.ParseTime(response.Header.Get("Date"))
		if off := date.Sub(c.now()).Abs(); err != nil || off > 5*time.Second {
			t.Errorf("%v further: the Date is off by %v (%v)", d, off, err)
		}
	}
}

func TestCloseEndsRequests(t *testing.T) {
	c := start(t, Options{Modes: map[string]bool{"token-hang": true}})
	failed := make(chan error)
	go func() {
		response, err := http.PostForm(c.issuer+"/token", url.Values{"grant_type": {"refresh_token"}})
		if err == nil {
			response.Body.Close()
			err = errors.New("it answered")
		}
		failed <- err
	}()
	for c.Count("token/refresh_token") == 0 {
		time.Sleep(time.Millisecond)
	}
	c.Close()
	var lost *url.Error
	if err := <-failed; !errors.As(err, &lost) {
		t.Errorf("got %v, want a lost connection", err)
	}
}
