//go:build !darwin && !windows

package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/authctl/authctl/internal/keychaintest"
)

// on is a keychain of this process's on the bus: to read from, which takes no more of the
// environment than is given.
func on(t *testing.T, bus *keychaintest.Bus) *Keychain {
	env := map[string]string{}
	for _, e := range bus.Env() {
		name, value, _ := strings.Cut(e, "=")
		env[name] = value
	}
	return &Keychain{Service: "authctl-test", Dir: t.TempDir(), Getenv: func(name string) string { return env[name] }}
}

// An item of another keyring that looks the same is not the one that go-keyring writes.
func TestItemOfAnotherKeyring(t *testing.T) {
	bus := keychaintest.Open(t, keychaintest.Unlocked)
	k, conn := on(t, bus), bus.Connect()
	seedIn(t, conn, "/org/freedesktop/secrets/collection/session", "work", []byte("of another"))
	if _, err := k.Get(t.Context(), "work"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
	seed(t, conn, "work", "the secret")
	seedIn(t, conn, "/org/freedesktop/secrets/collection/session", "work", []byte("of another, and newer"))
	wantSecret(t, k, "work", "the secret")
}

// Without a keyring that is called login the default one is read, as go-keyring does.
func TestDefaultKeyring(t *testing.T) {
	bus := keychaintest.Open(t, keychaintest.Empty)
	k, conn := on(t, bus), bus.Connect()
	const session = dbus.ObjectPath("/org/freedesktop/secrets/collection/session")
	must(t, conn.Object(secretService, servicePath).Call("org.freedesktop.Secret.Service.SetAlias", 0, "default", session).Err)
	seedIn(t, conn, session, "work", []byte("the secret"))
	wantSecret(t, k, "work", "the secret")
	if _, err := k.Get(t.Context(), "other"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
}

// The item is replaced after it was found and before its secret is asked for.
func TestItemIsReplacedMeanwhile(t *testing.T) {
	bus := keychaintest.Open(t, keychaintest.Unlocked)
	conn := bus.Connect()
	old := seed(t, conn, "work", "the old secret")
	var replace sync.Once
	k := tapped(t, bus, func(member string) keychaintest.Verdict {
		if member == "GetSecret" {
			replace.Do(func() {
				seed(t, conn, "between", "so that no path is used again")
				if err := conn.Object(secretService, old).Call("org.freedesktop.Secret.Item.Delete", 0).Err; err != nil {
					t.Error(err)
				}
				seed(t, conn, "work", "the new secret")
			})
		}
		return keychaintest.Pass
	})
	wantSecret(t, k, "work", "the new secret")
}

// Items that others wrote may be larger than those that we write.
func TestLargeItems(t *testing.T) {
	bus := keychaintest.Open(t, keychaintest.Unlocked)
	k, conn := on(t, bus), bus.Connect()
	for _, size := range []int{0, 1, 4095, 4096, 64 << 10, 1 << 20} {
		want := bytes.Repeat([]byte("x"), size)
		seedIn(t, conn, loginCollection, "work", want)
		if got, err := k.Get(t.Context(), "work"); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: got %d, %v", size, len(got), err)
		}
	}
}

// One who gives up in the middle of a read, be it the first or one after it, is let go at
// once.
func TestReadIsInterrupted(t *testing.T) {
	for _, member := range []string{"Get", "OpenSession", "SearchItems", "GetSecret", "the second Get", "the second SearchItems", "the second GetSecret"} {
		t.Run(member, func(t *testing.T) {
			member, second := strings.CutPrefix(member, "the second ")
			bus := keychaintest.Open(t, keychaintest.Unlocked)
			seed(t, bus.Connect(), "work", "the secret")
			ctx, interrupt := context.WithCancelCause(t.Context())
			defer interrupt(nil)
			because := errors.New("interrupted")
			var now atomic.Bool
			k := tapped(t, bus, func(m string) keychaintest.Verdict {
				if m != member || !now.Load() {
					return keychaintest.Pass
				}
				interrupt(because)
				return keychaintest.Swallow
			})
			if second {
				wantSecret(t, k, "work", "the secret")
			}
			now.Store(true)
			if _, err := k.Get(ctx, "work"); !errors.Is(err, because) || errors.Is(err, ErrAbsent) {
				t.Errorf("got %v, want %v", err, because)
			}
		})
	}
}

// gnome-keyring 42 stays alive under many reads, each on a connection of its own, and many
// writers, each a process: such as these can make it abort. AUTHCTL_SOAK multiplies how
// many there are.
func TestSoak(t *testing.T) {
	times, _ := strconv.Atoi(os.Getenv("AUTHCTL_SOAK"))
	times = max(times, 1)
	const writers, secret = 16, "the secret that all read"
	if os.Getenv(insideVar) == t.Name() {
		k, name := keychain(t, 0), "own"+strconv.Itoa(os.Getpid())
		for i := range 32 {
			must(t, k.Ready(t.Context(), name))
			must(t, k.Create(t.Context(), name, fmt.Append(nil, i)))
		}
		must(t, k.Delete(t.Context(), name))
		return
	}
	bus := keychaintest.Open(t, keychaintest.Unlocked)
	seed(t, bus.Connect(), "shared", secret)
	var readers sync.WaitGroup
	for _, s := range []struct{ reads, atOnce int }{{2000 * times, 8}, {2000 * times, 64}} {
		for range s.atOnce {
			k := on(t, bus)
			readers.Go(func() {
				for range s.reads / s.atOnce {
					if got, err := k.Get(t.Context(), "shared"); err != nil || string(got) != secret {
						t.Errorf("%d at once: got %d bytes, %v", s.atOnce, len(got), err)
						return
					}
					k.idle.Swap(nil).close()
				}
			})
		}
		readers.Wait()
	}
	for range times {
		var children sync.WaitGroup
		for range writers {
			children.Go(func() { again(t, bus.Env()) })
		}
		children.Wait()
	}
	if bus.KeyringDied() {
		t.Error("gnome-keyring aborted")
	}
}
