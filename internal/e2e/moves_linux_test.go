package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/keychaintest"
)

// stops are the flags that take a profile somewhere, in turn; it begins in the keychain.
func (u *user) stops() [][]string {
	another := []string{"--store-key-file", filepath.Join(u.home, "keys", "another")}
	return [][]string{u.storeFlags("file"), another, {"--store", "keychain"}}
}

// moveTo is a command line.
func moveTo(flags []string) []string { return append([]string{"profile", "set"}, flags...) }

// A profile is moved to and fro while scripts ask for tokens, some of which are renewed.
// None of them hears that nobody is signed in, and the provider, which ends a session whose
// refresh token it sees twice, sees none twice.
func TestMovesWhileManyAsk(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	p := u.signIn(idp.Options{})
	stop := u.ask(20)
	stops := u.stops()
	for n := range 20 {
		if _, stderr, code := u.run(moveTo(stops[n%len(stops)])...); code != 0 || !strings.Contains(stderr, "Moved the session") {
			t.Errorf("move %d: exit %d\n%s", n, code, stderr)
		}
	}
	stop()
	u.must("token", "--refresh")
	t.Logf("%d renewals", renewals(p))
}

// The same holds when whoever moves it is killed at a moment of chance. The next renewal
// leaves the session in one store.
func TestMovesAreKilledWhileManyAsk(t *testing.T) {
	t.Parallel()
	const moves = 60
	u := newUser(t)
	p := u.signIn(idp.Options{})
	began, stops := time.Now(), u.stops()
	for _, flags := range stops {
		u.must(moveTo(flags)...)
	}
	span := min(time.Since(began)/time.Duration(len(stops))*4, 400*time.Millisecond) // others are at work then
	seed := uint64(time.Now().UnixNano())
	chance := rand.New(rand.NewPCG(seed, 0))
	stop, killed := u.ask(8), 0
	for n := range moves {
		move := u.start(nil, moveTo(stops[n%len(stops)])...)
		time.Sleep(time.Duration(chance.Int64N(int64(span)))) // the moment
		move.cmd.Process.Kill()
		switch code := move.wait(); code {
		case -1:
			killed++
		case 0:
		default:
			t.Errorf("move %d: exit %d\n%s", n, code, move.stderr)
		}
	}
	stop()
	u.must("token", "--refresh")
	status := u.must("status", "--json")
	is := "keychain"
	if strings.Contains(status, `"file"`) {
		is = "file"
	}
	u.isAt(is)
	t.Logf("seed %d: %d of %d moves were killed, within %v; %d renewals", seed, killed, moves, span, renewals(p))
}

// ask has n shells ask for tokens, one after the other, until stop is called. Each has to
// get one.
func (u *user) ask(n int) (stop func()) {
	ended := make(chan struct{})
	var all sync.WaitGroup
	for shell := range n {
		all.Go(func() {
			for asks := shell; ; asks++ {
				args := []string{"token"}
				if asks%4 == 0 {
					args = append(args, "--refresh")
				}
				if stdout, stderr, code := u.run(args...); code != 0 || stdout == "" {
					u.t.Errorf("authctl %s: exit %d\n%s", strings.Join(args, " "), code, stderr)
				}
				select {
				case <-ended:
					return
				default:
				}
			}
		})
	}
	return func() { close(ended); all.Wait() }
}

// Who waits for the lock while a profile is moved goes on where it is then: a renewal, a
// sign-in whose browser was open meanwhile, a logout.
func TestWhoWaitsFollowsAMove(t *testing.T) {
	t.Run("renewals", func(t *testing.T) {
		t.Parallel()
		u := newUser(t)
		p := u.signIn(idp.Options{})
		lock := u.lock()
		release := lock.hold()
		move := u.queue(lock, 1, moveTo(u.storeFlags("file"))...)
		all := u.crowd(20, "token", "--refresh")
		lock.await(21)
		release()
		if code := move.wait(); code != 0 {
			t.Errorf("profile set: exit %d\n%s", code, move.stderr)
		}
		if token := alike(t, all, 0, ""); token == "" || renewals(p) != 1 || token != u.must("token") {
			t.Errorf("got a token of %d characters after %d renewals, want one after 1, which is stored", len(token), renewals(p))
		}
		u.isAt("file")
	})
	t.Run("login", func(t *testing.T) {
		t.Parallel()
		u := newUser(t)
		u.signIn(idp.Options{})
		before := u.must("token")
		login, asked := u.login()
		u.must(moveTo(u.storeFlags("file"))...)
		visit(t, asked)
		if code := login.wait(); code != 0 {
			t.Errorf("login: exit %d\n%s", code, login.stderr)
		}
		if u.must("token") == before {
			t.Error("the session of before is left, not the login's")
		}
		u.isAt("file")
	})
	t.Run("logout", func(t *testing.T) {
		t.Parallel()
		u := newUser(t)
		p := u.signIn(idp.Options{})
		lock := u.lock()
		release := lock.hold()
		move := u.queue(lock, 1, moveTo(u.storeFlags("file"))...)
		logout := u.queue(lock, 2, "logout")
		release()
		if codes := fmt.Sprint(move.wait(), logout.wait()); codes != "0 0" || p.Count("revoke") == 0 {
			t.Errorf("profile set and logout: exit %s after %d revocations\n%s%s", codes, p.Count("revoke"), move.stderr, logout.stderr)
		}
		u.isAt("")
	})
}

// queue starts a command that waits for the lock, as the nth.
func (u *user) queue(lock *profileLock, n int, args ...string) *process {
	u.t.Helper()
	p := u.start(nil, args...)
	lock.await(n)
	return p
}

// A renewal that is under way ends first, and it is what it brought that is moved.
func TestMoveWaitsForARenewal(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.signIn(idp.Options{})
	before := u.kept()
	lock := u.lock()
	release := lock.hold()
	renewal := u.queue(lock, 1, "token", "--refresh")
	move := u.queue(lock, 2, moveTo(u.storeFlags("file"))...)
	release()
	if codes := fmt.Sprint(renewal.wait(), move.wait()); codes != "0 0" {
		t.Errorf("token and profile set: exit %s\n%s%s", codes, renewal.stderr, move.stderr)
	}
	if token := u.must("token", "--min-ttl", "0s"); strings.TrimSpace(token) == before.AccessToken {
		t.Error("what was there before the renewal was moved")
	}
	u.isAt("file")
}

// cutShort kills a command that moves a session from the keychain to a file when it is in
// both, and the settings don't say so yet.
func (u *user) cutShort(there func() bool, args ...string) {
	u.t.Helper()
	lock := u.lock()
	release := lock.hold()
	p := u.queue(lock, 1, args...)
	settings := profileLock{t: u.t, path: u.stateFile("locks", ".config.lock")}
	save := settings.hold()
	release()
	eventually(u.t, "the session is there", there)
	p.cmd.Process.Kill()
	p.wait()
	save()
}

func (u *user) inFile() bool {
	_, err := os.Stat(u.stateFile("file", "file~default~sealed"))
	return err == nil
}

func (u *user) inKeychain() bool { return u.lookup("default") != "" }

// Whoever edits the settings by hand after a move was cut short keeps what is where the
// profile was.
func TestSettingsAreEditedAfterAMove(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	p := u.signIn(idp.Options{})
	token := u.must("token")
	u.cutShort(u.inFile, moveTo(u.storeFlags("file"))...)
	file := filepath.Join(u.home, "config", "authctl", "config.toml")
	before, err := os.ReadFile(file)
	edit := func(lines string) {
		t.Helper()
		if err = errors.Join(err, os.WriteFile(file, append(slices.Clone(before), lines...), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	edit("store = \"file\"\nstore_key_file = \"another\"\n")
	u.signInAt(p)
	edit("")
	if u.must("token") != token {
		t.Error("back in the keychain: got another token")
	}
}

// A session that was on its way to another store when its login was killed is none that a
// logout leaves.
func TestLogoutAfterALoginThatMovedAndWasKilled(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	p := u.signIn(idp.Options{})
	u.must("logout")
	u.cutShort(u.inFile, append([]string{"login", "--browser", robotBrowser()}, u.storeFlags("file")...)...)
	before := p.Count("revoke")
	u.must("logout")
	u.isAt("")
	if p.Count("revoke") == before {
		t.Error("what the login had left is not revoked")
	}
}

// A move doesn't begin while another that was cut short has left something where it can't be
// forgotten: nobody would look there again.
func TestMoveAfterAMoveThatLeftSomething(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.signIn(idp.Options{}, u.storeFlags("file")...)
	u.cutShort(u.inKeychain, moveTo([]string{"--store", "keychain"})...)
	u.bus.Keyring(keychaintest.Locked)
	second := moveTo([]string{"--store-key-file", filepath.Join(u.home, "keys", "second")})
	if _, stderr, code := u.run(second...); code != 5 || !strings.Contains(stderr, "the keychain is locked") {
		t.Errorf("got exit %d, %q, want 5 and that it is locked", code, stderr)
	}
	u.bus.Keyring(keychaintest.Unlocked)
	u.must(second...)
	u.isAt("file")
}

// Two shells whose environments name two key files have a session each, and none takes the
// other's for a move that came to nothing.
func TestTwoKeyFilesOfTwoShells(t *testing.T) {
	t.Parallel()
	u := newUserWith(t, keychaintest.Open(t, keychaintest.NoBus))
	p := u.signIn(idp.Options{}, u.storeFlags("file")...)
	other := *u
	other.env = append(slices.Clone(u.env), "AUTHCTL_STORE_KEY_FILE="+filepath.Join(u.home, "keys", "another"))
	other.signInAt(p)
	shells := []*user{u, &other}
	tokens := []string{u.must("token"), other.must("token")}
	for n := range 4 {
		tokens[n%2] = shells[n%2].must("token", "--refresh")
		if u.must("token") != tokens[0] || other.must("token") != tokens[1] {
			t.Errorf("renewal %d: a shell got another token than its own", n)
		}
	}
}

// isAt wants the session to be in one store and nothing of it in the other; "" is neither.
func (u *user) isAt(store string) {
	u.t.Helper()
	found := ""
	if u.lookup("default") != "" {
		found = "keychain"
	}
	for _, pattern := range []string{"file/file~*", "keychain/keychain~*", "locks/*.moving"} {
		names, _ := filepath.Glob(u.stateFile(pattern))
		for _, name := range names {
			if dir := filepath.Base(filepath.Dir(name)); dir != store {
				u.t.Errorf("there is %s in %s, and the session is to be in %q", filepath.Base(name), dir, store)
			} else {
				found += dir
			}
		}
	}
	if found != store {
		u.t.Errorf("the session is in %q, want %q", found, store)
	}
}

// A keychain that can't be read keeps what is in it, and one that can't be written is
// nowhere to move to.
func TestMoveAndALockedKeychain(t *testing.T) {
	for _, tc := range []struct {
		name, from string
		to         func(*user) []string
	}{
		{"out of it", "keychain", func(u *user) []string { return u.storeFlags("file") }},
		{"into it", "file", func(*user) []string { return []string{"--store", ""} }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			u.signIn(idp.Options{}, u.storeFlags(tc.from)...)
			token := u.must("token")
			config := filepath.Join(u.home, "config", "authctl", "config.toml")
			before, _ := os.ReadFile(config)
			u.bus.Keyring(keychaintest.Locked)
			_, stderr, code := u.run(moveTo(tc.to(u))...)
			if code != 5 || !strings.Contains(stderr, "the keychain is locked\nhint: unlock the keychain") {
				t.Errorf("got exit %d, %q, want 5 and that it is locked", code, stderr)
			}
			if after, _ := os.ReadFile(config); string(after) != string(before) {
				t.Errorf("the config file says now:\n%s", after)
			}
			u.bus.Keyring(keychaintest.Unlocked)
			u.isAt(tc.from)
			u.must(moveTo(tc.to(u))...)
			if u.must("token") != token {
				t.Error("got another token")
			}
		})
	}
}

// Whatever happens to one of a move's calls to the keychain, the session is where the
// profile says, whole, and nowhere else once it is renewed.
func TestEveryKeychainCallOfAMoveFails(t *testing.T) {
	t.Parallel()
	for i, fault := range keychainFaults {
		for _, to := range []string{"file", "keychain"} {
			t.Run("to the "+to+"/"+fault.name, func(t *testing.T) {
				t.Parallel()
				m := &moveSweep{keychainSweep: newKeychainSweep(t, sweep{}, fault), to: to}
				m.run(i)
			})
		}
	}
}

type moveSweep struct {
	*keychainSweep
	to string
}

func (m *moveSweep) move(to string) (stderr string, code int) {
	m.t.Helper()
	flags := m.u.storeFlags(to)
	if to == "keychain" {
		flags = []string{"--store", "keychain"}
	}
	_, stderr, code = m.u.run(moveTo(flags)...)
	return stderr, code
}

// there takes the session to where the move begins, or ends.
func (m *moveSweep) there(to string) {
	m.t.Helper()
	if stderr, code := m.move(to); code != 0 {
		m.t.Fatalf("to the %s: exit %d\n%s", to, code, stderr)
	}
	m.u.isAt(to)
}

// honestly signs in and moves once without a fault. It returns the calls of that, and from
// where it was.
func (m *moveSweep) honestly() (calls []string, from string) {
	m.t.Helper()
	m.u.must("login", "--issuer", m.f.issuer, "--client-id", "demo", "--browser", robotBrowser())
	from = map[string]string{"file": "keychain", "keychain": "file"}[m.to]
	m.there(from)
	m.arm(-1)
	stderr, code := m.move(m.to)
	if calls = m.arm(-1); code != 0 {
		m.t.Fatalf("to the %s: exit %d\n%s", m.to, code, stderr)
	}
	m.u.isAt(m.to)
	return calls, from
}

func (m *moveSweep) run(offset int) {
	calls, from := m.honestly()
	ends := &count{}
	for at := range calls {
		if !m.strikes(at, calls, offset) {
			continue
		}
		m.there(from)
		token := m.u.must("token")
		m.arm(at)
		stderr, code := m.move(m.to)
		m.arm(-1)
		if !m.stays {
			m.bus.Keyring(keychaintest.Unlocked)
		}
		is := map[int]string{0: m.to, 5: from}[code]
		ends.add(is)
		if got, _, _ := m.u.run("token"); is == "" || got != token {
			m.t.Errorf("%s at call %d: exit %d, and a token of %d characters, want that of before\n%s", calls[at], at, code, len(got), stderr)
		}
		checkWords(m.t, code, stderr, m.f.Secrets())
		m.u.must("token", "--refresh")
		m.u.isAt(is)
	}
	m.t.Logf("%d calls: %v", len(calls), ends)
}

// A keychain that stops answering in the middle is waited for within a bound, and then it
// is said what is so.
func TestMoveAndAKeychainThatHangs(t *testing.T) {
	for _, tc := range []struct {
		to, member, said string // the last call of that name
		code             int
	}{
		{"file", "GetSecret", "the keychain does not answer", 5},
		{"file", "Delete", "could not be deleted", 0},
		{"keychain", "CreateItem", "the keychain does not answer", 5},
	} {
		for name, strike := range map[string]keychaintest.Verdict{"never heard": keychaintest.Swallow, "done": keychaintest.Stall} {
			t.Run(tc.member+"/"+name, func(t *testing.T) {
				t.Parallel()
				m := &moveSweep{keychainSweep: newKeychainSweep(t, sweep{}, keychainFault{strike: comes(strike)}), to: tc.to}
				calls, from := m.honestly()
				m.there(from)
				token := m.u.must("token")
				slices.Reverse(calls)
				m.arm(len(calls) - 1 - slices.Index(calls, tc.member))
				began := time.Now()
				stderr, code := m.move(m.to)
				m.arm(-1)
				if code != tc.code || !strings.Contains(stderr, tc.said) || time.Since(began) > 30*time.Second {
					t.Errorf("got exit %d, %q after %v, want %d, %q", code, stderr, time.Since(began), tc.code, tc.said)
				}
				if m.u.must("token") != token {
					t.Error("got another token")
				}
				m.u.must("token", "--refresh")
				m.u.isAt(map[int]string{0: m.to, 5: from}[code])
			})
		}
	}
}
