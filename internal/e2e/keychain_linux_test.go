package e2e

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/keychaintest"
)

// A keychain that can't be used is said to be so before a browser opens, and soon.
// What is stored in it is never taken for absent.
func TestKeychainThatFails(t *testing.T) {
	renewal, login := []string{"token", "--refresh"}, []string{"login"}
	for _, tc := range []struct {
		name     string
		damage   func(b *keychaintest.Bus)
		within   time.Duration
		said     string
		commands [][]string
	}{
		{"locked", func(b *keychaintest.Bus) { b.Keyring(keychaintest.Locked) }, 5 * time.Second, "the keychain is locked", [][]string{renewal, login}},
		{"absent", func(b *keychaintest.Bus) { b.StopKeyring() }, 5 * time.Second, "there is no keychain", [][]string{renewal, login}},
		{"mute", serving(keychaintest.Mute), 15 * time.Second, "the keychain does not answer", [][]string{renewal, login}},
		{"hanging", serving(keychaintest.Hang), 15 * time.Second, "the keychain does not answer", [][]string{login}}, // only writes have anything unlocked
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			p := u.signIn(idp.Options{})
			tc.damage(u.bus)
			browser, opened := u.marker("browser")
			u.set("BROWSER=" + browser)
			began := time.Now()
			var all []*process
			for _, command := range tc.commands {
				all = append(all, u.start(nil, command...))
			}
			for _, p := range all {
				code, stdout, stderr := p.wait(), p.stdout.String(), p.stderr.String()
				if code != 5 || stdout != "" || !strings.Contains(stderr, tc.said) || !strings.Contains(stderr, "\nhint: ") {
					t.Errorf("%v: got exit %d, stderr %q, want 5, %q and a hint", p.cmd.Args[1:], code, stderr, tc.said)
				}
			}
			if took := time.Since(began); took > tc.within {
				t.Errorf("took %v, want %v at most", took, tc.within)
			}
			if opened() {
				t.Error("a browser was opened")
			}
			if renewals(p) != 0 {
				t.Error("the provider was asked for tokens that can't be kept")
			}
		})
	}
}

// serving replaces gnome-keyring by a service with a fault.
func serving(fault keychaintest.Fault) func(b *keychaintest.Bus) {
	return func(b *keychaintest.Bus) {
		b.StopKeyring()
		b.Serve(fault)
	}
}

// marker is a program that does nothing but show that it was run.
func (u *user) marker(name string) (path string, run func() bool) {
	u.t.Helper()
	dir := u.t.TempDir()
	path, mark := filepath.Join(dir, name), filepath.Join(dir, "mark")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n: > '"+mark+"'\n"), 0o700); err != nil {
		u.t.Fatal(err)
	}
	return path, func() bool {
		_, err := os.Stat(mark)
		return err == nil
	}
}

// The marker's twin: it is run where all is well.
func TestMarkerIsRun(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	browser, opened := u.marker("browser")
	p := demoProvider(t, idp.Options{})
	login := u.start(nil, "login", "--issuer", p.Issuer(), "--client-id", "demo", "--browser", browser)
	eventually(t, "the browser is opened", opened)
	login.cmd.Process.Signal(os.Interrupt)
	login.wait()
}

// One that takes 2 s for every unlock is waited for.
func TestKeychainThatIsSlow(t *testing.T) {
	t.Parallel()
	bus := keychaintest.Open(t, keychaintest.NoService)
	bus.Serve(keychaintest.Slow)
	u := newUserWith(t, bus)
	u.signIn(idp.Options{})
	first := u.must("token")
	if second := u.must("token", "--refresh"); second == first || u.must("token") != second {
		t.Error("the renewed token was not kept")
	}
}

// Without a bus D-Bus clients run dbus-launch, which leaves daemons behind.
func TestNoBusStartsNone(t *testing.T) {
	t.Parallel()
	u := newUserWith(t, keychaintest.Open(t, keychaintest.NoBus))
	launch, launched := u.marker("dbus-launch")
	u.set("PATH=" + filepath.Dir(launch) + ":" + os.Getenv("PATH"))
	browser, opened := u.marker("browser")
	p := demoProvider(t, idp.Options{})
	settings := []string{"--issuer", p.Issuer(), "--client-id", "demo"}
	u.must(append([]string{"profile", "set", "default"}, settings...)...)
	for _, args := range [][]string{{"login", "--browser", browser}, {"token"}, {"logout"}} {
		_, stderr, code := u.run(args...)
		if code != 5 || !strings.Contains(stderr, "there is no keychain") {
			t.Errorf("%v: got exit %d, stderr %q, want 5 and no keychain", args, code, stderr)
		}
	}
	if launched() || opened() {
		t.Error("dbus-launch or a browser was run")
	}
	u.signInAt(p, u.storeFlags("file")...) // the way out that the hint names
	u.must("token")
}

// gnome-keyring is killed while it is asked, and is back a moment later.
func TestKeychainThatDies(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.signIn(idp.Options{})
	token := u.must("token")
	ends := map[int]int{}
	for range 20 {
		p := u.start(nil, "token")
		time.Sleep(rand.N(40 * time.Millisecond)) // the moment
		u.bus.StopKeyring()
		code := p.wait()
		ends[code]++
		if stdout := p.stdout.String(); code != 5 && (code != 0 || stdout != token) {
			t.Errorf("got exit %d with %d characters, want the token or exit 5\n%s", code, len(stdout), p.stderr)
		}
		if _, _, code := u.run("token"); code != 5 {
			t.Errorf("without a keychain: exit %d, want 5", code)
		}
		u.bus.Keyring(keychaintest.Unlocked)
		if got := u.must("token"); got != token {
			t.Error("with the keychain back: got another token")
		}
	}
	t.Logf("exit codes: %v", ends)
}

// A person who logs in at morning has shells that all ask at once, on a machine that
// has other work as well.
func TestKeychainUnderLoad(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.signIn(idp.Options{})
	token := u.must("token")
	stop := loadMachine()
	all := u.crowd(128, "token")
	answer := alike(t, all, 0, "")
	stop()
	if answer != token {
		t.Error("got another token than the stored one")
	}
	if u.bus.KeyringDied() {
		t.Error("gnome-keyring has died of it")
	}
}

// loadMachine keeps every processor busy.
func loadMachine() (stop func()) {
	var done atomic.Bool
	var busy sync.WaitGroup
	for range runtime.NumCPU() {
		busy.Go(func() {
			for !done.Load() {
			}
		})
	}
	return func() { done.Store(true); busy.Wait() }
}
