package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

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
				more, w.end, w.within = []string{"--timeout", "10s"}, "old", 10*time.Second
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
