package e2e

import (
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/idp"
)

var signals = []struct {
	name   string
	signal syscall.Signal
	code   int
}{
	{"SIGINT", syscall.SIGINT, 130},
	{"SIGTERM", syscall.SIGTERM, 143},
}

func TestLoginIsInterrupted(t *testing.T) {
	for _, tc := range signals {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			p := demoProvider(t, idp.Options{})
			login, asked := u.login("--issuer", p.Issuer(), "--client-id", "demo")
			at, err := url.Parse(redirectURI(t, asked))
			if err != nil {
				t.Fatal(err)
			}
			if portFree(at.Port()) {
				t.Error("nobody listens on the redirect URI's port")
			}
			began := time.Now()
			login.cmd.Process.Signal(tc.signal)
			if code := login.wait(); code != tc.code || login.stdout.String() != "" {
				t.Errorf("login: got exit %d and stdout %q, want %d and nothing", code, login.stdout, tc.code)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("took %v to end", took)
			}
			if !portFree(at.Port()) {
				t.Error("the port isn't free")
			}
			if _, err := os.Stat(filepath.Join(u.home, "config", "authctl", "config.toml")); err == nil {
				t.Error("the profile was saved")
			}
			if _, _, code := u.run("token"); code != 3 {
				t.Errorf("token afterwards: exit %d, want 3", code)
			}
			u.signInAt(p) // as if nothing had been
		})
	}
}

// The refresh token is spent once its request is sent: Ctrl-C must not lose its successor.
func TestRenewalIsInterrupted(t *testing.T) {
	for _, tc := range signals {
		for _, store := range []string{"keychain", "file"} {
			t.Run(tc.name+"/"+store, func(t *testing.T) {
				t.Parallel()
				u := newUser(t)
				p := u.signInExpired(idp.Options{}, u.storeFlags(store)...)
				p.Set(func(o *idp.Options) { o.Latency = time.Second })
				renewal := u.start(nil, "token")
				eventually(t, "the request is sent", func() bool { return renewals(p) == 1 })
				renewal.cmd.Process.Signal(tc.signal)
				if code := renewal.wait(); code != tc.code || renewal.stdout.String() != "" {
					t.Errorf("token: got exit %d and %d characters on stdout, want %d and none\n%s",
						code, len(renewal.stdout.String()), tc.code, renewal.stderr)
				}
				u.must("token")
				if got := renewals(p); got != 1 {
					t.Errorf("got %d requests, want 1: the rotated token was stored", got)
				}
			})
		}
	}
}
