package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/keychaintest"
)

// sweep is one command whose requests fail in turn, each in every way.
type sweep struct {
	name     string
	before   func(u *user, f *front) // what there is
	args     []string
	requests []string // that an honest run makes
	code     func(at int, fault wireFault) int
	renewed  bool // a fault may leave the provider with a rotated token that nobody has
	kept     bool // a fault may leave the claims of the ID token before
}

// lives of the tokens: of what there is before, and of what comes.
const (
	oldTTL = time.Hour
	newTTL = 2 * time.Hour
)

var sweeps = []sweep{
	{
		name: "first login", before: func(_ *user, f *front) { f.Set(func(o *idp.Options) { o.AccessTTL = newTTL }) },
		args:     []string{"login", "--client-id", "demo"},
		requests: []string{"/.well-known/openid-configuration", "/token", "/jwks"},
		code:     ofALogin,
	},
	{
		name: "login over a session", before: signedIn,
		args:     []string{"login"},
		requests: []string{"/.well-known/openid-configuration", "/token", "/jwks"},
		code:     ofALogin,
	},
	{
		name: "renewal", before: expired, args: []string{"token"}, renewed: true,
		requests: []string{"/token"},
		code:     unreachableOrNoAnswer,
	},
	{
		name: "renewal with life left", before: signedIn, args: []string{"token", "--refresh"}, renewed: true,
		requests: []string{"/token"},
		code: func(_ int, fault wireFault) int {
			if fault.page {
				return 4
			}
			return 0 // the old token, with a warning
		},
	},
	{
		name: "renewal with a new key", args: []string{"token"}, renewed: true, kept: true,
		before: func(u *user, f *front) {
			expired(u, f)
			f.RotateKey()
		},
		requests: []string{"/token", "/jwks"},
		code: func(at int, fault wireFault) int {
			if at == 2 {
				return 0 // the new access token must not be lost over the ID token's key
			}
			return unreachableOrNoAnswer(at, fault)
		},
	},
	{
		name: "logout", before: signedIn, args: []string{"logout"},
		requests: []string{"/revoke", "/revoke"},
		code: func(at int, fault wireFault) int {
			if fault.page {
				return 0 // RFC 7009 §2.2: what is in a good answer says nothing
			}
			return 6
		},
	},
	{name: "cached token", before: signedIn, args: []string{"token"}},
	{name: "whoami", before: expired, args: []string{"whoami"}},
	{name: "status", before: expired, args: []string{"status"}},
}

func unreachableOrNoAnswer(_ int, fault wireFault) int {
	if fault.page {
		return 4
	}
	return 6
}

func ofALogin(at int, fault wireFault) int {
	if at == 1 && fault.page {
		return 0 // the provider's metadata are in a second place, too
	}
	return unreachableOrNoAnswer(at, fault)
}

// signedIn is ada, with tokens that live. Whoever signs in next is grace.
func signedIn(u *user, f *front) {
	u.must("login", "--issuer", f.issuer, "--client-id", "demo", "--browser", robotBrowser())
	f.Set(func(o *idp.Options) {
		o.Users = []idp.User{o.Users[1], o.Users[0]}
		o.AccessTTL = newTTL
	})
}

// expired is the same with tokens that are over.
func expired(u *user, f *front) {
	f.Set(func(o *idp.Options) { o.Modes["past-expires-in"] = true })
	signedIn(u, f)
	f.Set(func(o *idp.Options) { delete(o.Modes, "past-expires-in") })
}

// count says how often there was which state.
type count struct {
	mu   sync.Mutex
	ends map[string]int
}

func (c *count) add(end string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ends == nil {
		c.ends = map[string]int{}
	}
	c.ends[end]++
}

func (c *count) String() string { return fmt.Sprint(c.ends) }

// begin is a user at a provider, with what the command finds.
func (s sweep) begin(t *testing.T) (*user, *front) {
	t.Helper()
	u, f := newUserWith(t, keychaintest.Open(t, keychaintest.NoBus)), newFront(t, idp.Options{AccessTTL: oldTTL})
	u.set("AUTHCTL_STORE=file", "AUTHCTL_STORE_KEY_FILE="+u.home+"/keys/authctl", "AUTHCTL_ISSUER="+f.issuer)
	s.before(u, f)
	return u, f
}

func (s sweep) start(u *user, more ...string) *process {
	u.t.Helper()
	args := append(slices.Clone(s.args), more...)
	if args[0] == "login" {
		args = append(args, "--browser", robotBrowser())
	}
	return u.start(nil, args...)
}

func (s sweep) run(u *user) (stdout, stderr string, code int) {
	u.t.Helper()
	p := s.start(u)
	code = p.wait()
	return p.stdout.String(), p.stderr.String(), code
}

// honest is the run without a fault. It returns all requests, the browser's too.
func (s sweep) honest(t *testing.T) (order []string) {
	u, f := s.begin(t)
	before := u.view(f.alive())
	f.spoil(wireFault{}, 0, nil)
	_, stderr, code := s.run(u)
	order, _ = f.outcome()
	after := u.view(f.alive())
	if got := slices.DeleteFunc(slices.Clone(order), isBrowsers); code != 0 || !slices.Equal(got, s.requests) {
		t.Fatalf("an honest run: exit %d, requests %q, want 0, %q\n%s", code, got, s.requests, stderr)
	}
	if end := s.end(u, before, after); (end == "old") != (len(s.requests) == 0) {
		t.Fatalf("an honest run: the state is %s", end)
	}
	return order
}

// end says which state there is.
func (s sweep) end(u *user, before, after view) string {
	signedOut := after.claims == "" && after.token == "" && !strings.Contains(after.status, "expires_at")
	switch {
	case after.sameAs(before):
		return "old"
	case s.args[0] == "logout" && signedOut:
		return "new"
	case s.args[0] != "logout" && after.isWhole(newTTL, s.kept):
		return "new"
	}
	return "mixed"
}
