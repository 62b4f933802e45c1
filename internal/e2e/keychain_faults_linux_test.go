package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/keychaintest"
)

// keychainFault is what happens to one call to the keychain.
type keychainFault struct {
	name   string
	strike func(b *keychaintest.Bus) keychaintest.Verdict
	next   func(b *keychaintest.Bus) // at the call after that
	writes bool                      // it is one of those that ask before they write
	stays  bool                      // the keychain is as it was afterwards
}

var keychainFaults = []keychainFault{
	{name: "an error", strike: comes(keychaintest.Refuse), stays: true},
	{name: "done without an answer", strike: comes(keychaintest.Lose), stays: true},
	{name: "done without an answer, and dead", strike: comes(keychaintest.Lose), next: (*keychaintest.Bus).StopKeyring},
	{name: "the bus hangs up", strike: comes(keychaintest.HangUp), stays: true},
	{name: "killed", strike: first((*keychaintest.Bus).StopKeyring)},
	{name: "killed and back", strike: first(func(b *keychaintest.Bus) { b.Keyring(keychaintest.Unlocked) })},
	{name: "killed and back locked", strike: first(func(b *keychaintest.Bus) { b.Keyring(keychaintest.Locked) })},
	{name: "locked", strike: first((*keychaintest.Bus).Lock)},
	{name: "a prompt is dismissed", strike: comes(keychaintest.Dismiss), writes: true, stays: true},
}

func comes(v keychaintest.Verdict) func(*keychaintest.Bus) keychaintest.Verdict {
	return func(*keychaintest.Bus) keychaintest.Verdict { return v }
}

// first does something before the call, which is passed on then.
func first(f func(*keychaintest.Bus)) func(*keychaintest.Bus) keychaintest.Verdict {
	return func(b *keychaintest.Bus) keychaintest.Verdict {
		f(b)
		return keychaintest.Pass
	}
}

// every so many calls a fault strikes, beginning at its place in the table, so that
// together they strike each call. What writes, and what comes after it, is struck by all.
const every = 8

// Whatever happens to one of a command's calls to the keychain, what is there once it is
// well is the old session or the new one, and the command has said which. A keychain that
// fails is never one where nothing is stored.
func TestEveryKeychainCallFails(t *testing.T) {
	t.Parallel()
	for _, s := range sweeps {
		if !slices.Contains([]string{"login over a session", "renewal", "cached token", "logout"}, s.name) {
			continue
		}
		for i, fault := range keychainFaults {
			t.Run(s.name+"/"+fault.name, func(t *testing.T) {
				t.Parallel()
				newKeychainSweep(t, s, fault).run(i)
			})
		}
	}
}

// keychainSweep is a command, a fault, and the person to whom it happens.
type keychainSweep struct {
	sweep
	keychainFault
	t   *testing.T
	u   *user
	f   *front
	bus *keychaintest.Bus

	mu    sync.Mutex
	at    int      // the call that is struck, from 0; -1: none
	calls []string // so far, by the member's name
}

func newKeychainSweep(t *testing.T, s sweep, fault keychainFault) *keychainSweep {
	bus := keychaintest.Open(t, keychaintest.Unlocked)
	k := &keychainSweep{sweep: s, keychainFault: fault, t: t, bus: bus, at: -1}
	k.u, k.f = newUserWith(t, bus), newFront(t, idp.Options{})
	k.u.set(bus.Tap(k.judge), "AUTHCTL_ISSUER="+k.f.issuer)
	return k
}

// judge sees each call. Where a question is dismissed, the call that puts it follows.
func (k *keychainSweep) judge(member string) keychaintest.Verdict {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := len(k.calls)
	k.calls = append(k.calls, member)
	switch {
	case n == k.at, k.at >= 0 && member == "Prompt":
		return k.strike(k.bus)
	case k.at >= 0 && n == k.at+1 && k.next != nil:
		k.next(k.bus)
	}
	return keychaintest.Pass
}

// arm has the fault strike from now on, and returns the calls until now.
func (k *keychainSweep) arm(at int) (calls []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	calls, k.at, k.calls = k.calls, at, nil
	return calls
}

// begin is ada's session, which is the old one when the command comes.
func (k *keychainSweep) begin() view {
	k.t.Helper()
	k.f.Set(func(o *idp.Options) { o.Users, o.AccessTTL = nil, oldTTL })
	k.before(k.u, k.f)
	return k.u.view(k.f.alive())
}

func (k *keychainSweep) run(offset int) {
	calls, count := k.honest(), &count{}
	before := k.begin()
	for at := range calls {
		if !k.strikes(at, calls, offset) {
			continue
		}
		end, after := k.fail(at, before)
		count.add(end)
		if before = after; end != "old" {
			before = k.begin()
		}
	}
	k.t.Logf("%d calls: %v", len(calls), count)
}

func (k *keychainSweep) strikes(at int, calls []string, offset int) bool {
	writes := func(member string) bool { return member == "CreateItem" || member == "Delete" }
	switch {
	case writes(calls[at]):
		return true
	case k.writes:
		return calls[at] == "Unlock" && at%every == offset%every
	}
	return at > 0 && writes(calls[at-1]) || at%every == offset%every
}

// honest is the run without a fault. It returns the calls.
func (k *keychainSweep) honest() []string {
	before := k.begin()
	k.arm(-1)
	if _, stderr, code := k.sweep.run(k.u); code != 0 {
		k.t.Fatalf("an honest run: exit %d\n%s", code, stderr)
	}
	calls := k.arm(-1)
	if end := k.end(k.u, before, k.u.view(k.f.alive())); (end == "old") != (len(k.requests) == 0) {
		k.t.Errorf("an honest run: the state is %s", end)
	}
	return calls
}

// fail is the run with one fault. It returns the state: what it is, and what is seen of it.
func (k *keychainSweep) fail(at int, before view) (end string, after view) {
	k.arm(at)
	asked := renewals(k.f.Server)
	stdout, stderr, code := k.sweep.run(k.u)
	calls := k.arm(-1)
	if len(calls) <= at {
		k.t.Fatalf("call %d never came", at)
	}
	if !k.stays {
		k.bus.Keyring(keychaintest.Unlocked)
	}
	after = k.u.view(k.f.alive())
	asked = renewals(k.f.Server) - asked
	end = k.end(k.u, before, after)
	if why := k.wrong(end, code, stdout, stderr, asked, before, after); why != "" {
		k.t.Errorf("%s at call %d: exit %d, the state is %s: %s\n%s", calls[at], at, code, end, why, stderr)
	}
	checkWords(k.t, code, stderr, k.f.Secrets())
	switch {
	case end == "old" && strings.Contains(stderr, "still stored"):
		end = "old, revoked, and said"
		k.again(k.u, k.f, false)
	case end == "old" && asked > 0:
		end = "old, spent, and said"
	}
	return end, after
}

// wrong says what doesn't fit together, "" if all does.
func (k *keychainSweep) wrong(end string, code int, stdout, stderr string, renewed int, before, after view) string {
	same := slices.Equal(before.alive, after.alive)
	switch k.args[0] + fmt.Sprint(" ", code) {
	case "login 0":
		return unless(end == "new", "it is not the one that was said to be stored")
	case "login 5":
		doubt := strings.Contains(stderr, "may have been stored") // then nothing is revoked
		return unless(end == "old" && same != doubt || end == "new" && doubt, "the provider takes other tokens than it should")
	case "token 0":
		return unless(stdout == after.token && end != "mixed", "another token was printed")
	case "token 5":
		said := strings.Contains(stderr, "renewed, but not saved")
		return unless(stdout == "" && end != "mixed" && said == (renewed > 0), "a token was printed, or lost without a word")
	case "logout 0":
		return unless(end == "new" && len(after.alive) < len(before.alive), "it is not signed out")
	case "logout 4":
		return unless(end == "new" && same && strings.Contains(stderr, "not revoked"), "it is not forgotten")
	case "logout 5":
		said := strings.Contains(stderr, "its tokens are revoked, but still stored")
		return unless(end == "old" && same != said || end == "new" && said, "what was revoked was not said")
	}
	return "the exit code is none of those"
}

func unless(fine bool, why string) string {
	if fine {
		return ""
	}
	return why
}
