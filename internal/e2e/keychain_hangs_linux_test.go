package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/keychaintest"
)

// A keychain that stops answering in the middle is waited for within a bound. All wait at
// the same time, since what is tested is mostly waiting.
func TestKeychainCallIsNeverAnswered(t *testing.T) {
	t.Parallel()
	swallow, stall := comes(keychaintest.Swallow), comes(keychaintest.Stall)
	type waiting struct {
		command, member string // the last call of that name
		name            string
		strike          func(*keychaintest.Bus) keychaintest.Verdict
		end             string // the state then
		sweep           *keychainSweep
		before          view
		asked           int
		p               *process
	}
	all := []*waiting{
		{command: "cached token", member: "GetSecret", name: "never heard", strike: swallow, end: "old"},
		{command: "renewal", member: "GetSecret", name: "never heard", strike: swallow, end: "old"},
		{command: "renewal", member: "OpenSession", name: "never heard", strike: swallow, end: "new"}, // saved at the second try
		{command: "renewal", member: "CreateItem", name: "never heard", strike: swallow, end: "new"},
		{command: "renewal", member: "CreateItem", name: "done", strike: stall, end: "new"},
		{command: "login over a session", member: "CreateItem", name: "never heard", strike: swallow, end: "old"},
		{command: "login over a session", member: "CreateItem", name: "done", strike: stall, end: "new"},
		{command: "logout", member: "Delete", name: "never heard", strike: swallow, end: "old"},
		{command: "logout", member: "Delete", name: "done", strike: stall, end: "new"},
	}
	for _, w := range all {
		s := sweeps[slices.IndexFunc(sweeps, func(s sweep) bool { return s.name == w.command })]
		w.sweep = newKeychainSweep(t, s, keychainFault{name: w.name, strike: w.strike})
		calls := w.sweep.honest()
		w.before = w.sweep.begin()
		slices.Reverse(calls)
		w.sweep.arm(len(calls) - 1 - slices.Index(calls, w.member))
		w.asked = renewals(w.sweep.f.Server)
	}
	began := time.Now()
	for _, w := range all {
		w.p = w.sweep.start(w.sweep.u)
	}
	for _, w := range all {
		code, stdout, stderr := w.p.wait(), w.p.stdout.String(), w.p.stderr.String()
		if took := time.Since(began); took > 45*time.Second {
			t.Errorf("%s, %s %s: took %v", w.command, w.member, w.name, took)
		}
		w.sweep.arm(-1)
		after := w.sweep.u.view(w.sweep.f.alive())
		end := w.sweep.end(w.sweep.u, w.before, after)
		why := w.sweep.wrong(end, code, stdout, stderr, renewals(w.sweep.f.Server)-w.asked, w.before, after)
		if end != w.end || why != "" || code == 5 && !strings.Contains(stderr, "the keychain does not answer") {
			t.Errorf("%s, %s %s: exit %d, the state is %s, want %s: %s\n%s", w.command, w.member, w.name, code, end, w.end, why, stderr)
		}
	}
}
