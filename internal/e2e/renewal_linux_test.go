package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/idp"
)

// many is how many shells of one person may ask at once.
const many = 64

// The provider rotates, and a refresh token that it sees twice ends the session: a
// second request would be noticed by everybody.
func TestManyAskForAnExpiredToken(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	p := u.signInExpired(idp.Options{Latency: 2 * time.Second})
	token := alike(t, u.crowd(many, "token"), 0, "")
	if got := renewals(p); got != 1 || len(token) < 2 {
		t.Errorf("got %d requests and a token of %d characters, want 1 and a token", got, len(token))
	}
	if got := u.must("token"); got != token {
		t.Error("token afterwards: got another one")
	}
	u.must("token", "--refresh") // the provider has not ended the session
}

// They all wait before the first request is made, and take its result, whatever it is.
func TestManyTakeOneResult(t *testing.T) {
	for _, tc := range []struct {
		name string
		ttl  time.Duration // of the new token
		mode string        // of the provider
		args []string
		code int
		said string
		took time.Duration // at the least
	}{
		{"asked to renew", time.Hour, "", []string{"token", "--refresh"}, 0, "", 2 * time.Second},
		{"shorter than asked for", 30 * time.Second, "", []string{"token"}, 0, "lives", 2 * time.Second},
		{"longer asked for than there is", time.Minute, "", []string{"token", "--min-ttl", "2h"}, 0, "lives", 2 * time.Second},
		{"provider hangs up", time.Hour, "token-down", []string{"token"}, 6, "the connection ended", 2 * time.Second},
		{"provider never answers", time.Hour, "token-hang", []string{"token"}, 6, "timed out", 30 * time.Second},
		{"provider is in trouble", time.Hour, "token-500", []string{"token"}, 6, "500", 2 * time.Second},
		{"session has ended", time.Hour, "invalid-grant", []string{"token"}, 3, "authctl login", 2 * time.Second},
		{"client is refused", time.Hour, "invalid-client", []string{"token"}, 4, "invalid_client", 2 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			p := u.signInExpired(idp.Options{Latency: 2 * time.Second, AccessTTL: tc.ttl})
			if tc.mode != "" {
				p.Set(func(o *idp.Options) { o.Modes[tc.mode] = true })
			}
			lock := u.lock()
			release := lock.hold()
			all := u.crowd(many, tc.args...)
			lock.await(many)
			release()
			began := time.Now()
			answer := alike(t, all, tc.code, tc.said)
			if took := time.Since(began); took < tc.took || took > tc.took+20*time.Second {
				t.Errorf("took %v, want one attempt's %v and a little", took, tc.took)
			}
			if got := renewals(p); got != 1 || (answer != "") != (tc.code == 0) {
				t.Errorf("got %d requests and %d characters of stdout, want 1", got, len(answer))
			}
			if tc.code == 6 { // the refresh token was not spent
				p.Set(func(o *idp.Options) { delete(o.Modes, tc.mode) })
				u.must("token")
			}
		})
	}
}

// A login wins over a renewal: its session is what stays.
func TestLoginWhileManyWait(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	p := u.signInExpired(idp.Options{})
	lock := u.lock()
	release := lock.hold()
	all := u.crowd(20, "token")
	lock.await(20)
	login := u.start(nil, "login", "--scope", "openid email", "--browser", robotBrowser())
	lock.await(21)
	release()
	if code := login.wait(); code != 0 {
		t.Errorf("login: exit %d\n%s", code, login.stderr)
	}
	for end := range tally(all) {
		if end.code != 0 || end.stdout == "" {
			t.Errorf("one that waited: %v, want a token", end)
		}
	}
	if got := renewals(p); got > 1 {
		t.Errorf("got %d renewals, want one at most", got)
	}
	if got := u.must("token", "--format", "json"); strings.Contains(got, "profile") {
		t.Error("the renewed session is left, not the login's")
	}
	u.must("token", "--refresh")
}

// Whoever waits for a logout has no token when it ends.
func TestLogoutWhileManyWait(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	at, gate := gatedProvider(t, "revoke")
	p := at.Server
	u.must("login", "--issuer", at.issuer, "--client-id", "demo", "--browser", robotBrowser())
	p.Set(func(o *idp.Options) { o.AccessTTL = time.Hour })
	u.awaitExpiry()
	logout := u.start(nil, "logout")
	gate.await()
	all := u.crowd(20, "token")
	u.lock().await(20)
	gate.open()
	if code := logout.wait(); code != 0 {
		t.Errorf("logout: exit %d\n%s", code, logout.stderr)
	}
	if answer := alike(t, all, 3, "authctl login"); answer != "" || renewals(p) != 0 {
		t.Errorf("got %d renewals and %d characters of stdout, want neither", renewals(p), len(answer))
	}
}

// A logout that comes last lets those before it have theirs, which it then revokes.
func TestLogoutAfterManyWait(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	p := u.signInExpired(idp.Options{})
	lock := u.lock()
	release := lock.hold()
	all := u.crowd(20, "token")
	lock.await(20)
	logout := u.start(nil, "logout")
	lock.await(21)
	release()
	if code := logout.wait(); code != 0 {
		t.Errorf("logout: exit %d\n%s", code, logout.stderr)
	}
	for end, n := range tally(all) {
		if end.code != 0 && end != (outcome{code: 3}) {
			t.Errorf("%d that waited: %v, want a token or exit 3", n, end)
		}
	}
	if _, _, code := u.run("token"); code != 3 || renewals(p) > 1 || p.Count("revoke") == 0 {
		t.Errorf("afterwards: token ends with %d after %d renewals and %d revocations, want 3, 1 at most and some",
			code, renewals(p), p.Count("revoke"))
	}
}
