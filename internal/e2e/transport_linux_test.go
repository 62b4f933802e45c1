package e2e

import (
	"fmt"
	"net/http"
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
		code:     unreachableOrNoAnswer,
	},
	{
		name: "login over a session", before: signedIn,
		args:     []string{"login"},
		requests: []string{"/.well-known/openid-configuration", "/token", "/jwks"},
		code:     unreachableOrNoAnswer,
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

// Whatever happens to one of a command's requests, what is there afterwards is the old
// session or the new one, and the command has said which.
func TestEveryRequestFails(t *testing.T) {
	t.Parallel()
	for _, s := range sweeps {
		t.Run(s.name, func(t *testing.T) {
			order := s.honest(t)
			count := &count{}
			t.Cleanup(func() { t.Logf("%d requests: %v", own(order), count) })
			for at := 1; at <= own(order); at++ {
				for _, fault := range wireFaults {
					t.Run(fmt.Sprintf("%s/%d", fault.name, at), func(t *testing.T) {
						t.Parallel()
						count.add(s.fail(t, at, fault, order))
					})
				}
			}
		})
	}
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

// fail is the run with one fault, and then one without.
func (s sweep) fail(t *testing.T, at int, fault wireFault, order []string) string {
	u, f := s.begin(t)
	before := u.view(f.alive())
	f.spoil(fault, at, order)
	_, stderr, code := s.run(u)
	_, struck := f.outcome()
	f.mend()
	after := u.view(f.alive())
	if want := s.code(at, fault); !struck || code != want {
		t.Errorf("struck %t, got exit %d, want %d\n%s", struck, code, want, stderr)
	}
	checkWords(t, code, stderr, f.Secrets())
	end, spent := s.end(u, before, after), s.renewed && at == 1 && fault.served
	for _, token := range before.alive {
		if end == "old" && !spent && !slices.Contains(after.alive, token) {
			t.Errorf("the provider has ended a token of %d characters that was there before", len(token))
		}
	}
	if end == "mixed" {
		t.Errorf("a mix: %s", after)
	}
	s.again(u, f, spent)
	return end
}

// checkWords wants one line that says what is wrong, if something is, and no secret.
func checkWords(t *testing.T, code int, stderr string, secrets []string) {
	t.Helper()
	lines := strings.Count("\n"+stderr, "\nauthctl: ") - strings.Count(stderr, "authctl: warning: ")
	if lines != min(1, code) {
		t.Errorf("exit %d with %d lines of errors:\n%s", code, lines, stderr)
	}
	if code == 6 && !strings.Contains(stderr, "\nhint: ") {
		t.Errorf("exit %d without a hint:\n%s", code, stderr)
	}
	for _, secret := range secrets {
		if strings.Contains(stderr, secret) {
			t.Errorf("stderr holds a secret of %d characters", len(secret))
		}
	}
}

// again is the same command once all is well. It does what it should, unless the
// provider had rotated a refresh token whose successor was lost: nobody can know that
// before it is used, and then it is remembered.
func (s sweep) again(u *user, f *front, spent bool) {
	u.t.Helper()
	if !spent {
		if _, stderr, code := s.run(u); code != 0 {
			u.t.Errorf("again: exit %d\n%s", code, stderr)
		}
		if now := u.view(f.alive()); s.args[0] != "logout" && !now.isWhole(newTTL, s.kept) {
			u.t.Error("again: the state is mixed")
		}
		return
	}
	before := u.view(nil)
	for range 2 {
		if stdout, stderr, code := s.run(u); code != 3 || stdout != "" || !strings.Contains(stderr, "\nhint: authctl login\n") {
			u.t.Errorf("again: got exit %d, %d characters of stdout, stderr %q, want 3, none and what to do", code, len(stdout), stderr)
		}
	}
	if got := renewals(f.Server); got != 2 {
		u.t.Errorf("got %d renewals, want the lost one and one that is refused", got)
	}
	if after := u.view(nil); after.token != before.token {
		u.t.Error("the cached token, which has life in it: got another one")
	}
}

// A request that is never answered ends when time runs out: a login's own, or that of
// every request. All wait at the same time, since what is tested is mostly waiting.
func TestProviderThatNeverAnswers(t *testing.T) {
	t.Parallel()
	silent := wireFault{name: "silent", spoil: func(_ http.ResponseWriter, r *http.Request, _ string) { <-r.Context().Done() }}
	type waiting struct {
		name   string
		sweep  sweep
		u      *user
		f      *front
		before view
		p      *process
		end    string
		within time.Duration
	}
	var all []*waiting
	for _, s := range sweeps {
		for at := 1; at <= len(s.requests) && (s.name == "login over a session" || s.name == "logout" && at == 1); at++ {
			w := &waiting{name: fmt.Sprintf("%s/%d", s.name, at), sweep: s, end: "new", within: 30 * time.Second}
			w.u, w.f = s.begin(t)
			w.before = w.u.view(w.f.alive())
			w.f.spoil(silent, at, nil)
			more := []string{}
			if s.name != "logout" {
				more, w.end, w.within = []string{"--timeout", "5s"}, "old", 5*time.Second
			}
			w.p = s.start(w.u, more...)
			all = append(all, w)
		}
	}
	began := time.Now()
	for _, w := range all {
		code, stderr := w.p.wait(), w.p.stderr.String()
		if took := time.Since(began); took > w.within+10*time.Second {
			t.Errorf("%s: took %v, want %v and a little", w.name, took, w.within)
		}
		_, struck := w.f.outcome()
		if !struck || code != 6 {
			t.Errorf("%s: struck %t, exit %d, want 6\n%s", w.name, struck, code, stderr)
		}
		checkWords(t, code, stderr, w.f.Secrets())
		if end := w.sweep.end(w.u, w.before, w.u.view(w.f.alive())); end != w.end {
			t.Errorf("%s: the state is %s, want %s", w.name, end, w.end)
		}
	}
}
