//go:build !darwin && !windows

package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authctl/authctl/internal/keychaintest"
)

// tapped is a keychain on the bus whose calls to the service are judged.
func tapped(t *testing.T, bus *keychaintest.Bus, judge func(member string) keychaintest.Verdict) *Keychain {
	t.Helper()
	_, address, _ := strings.Cut(bus.Tap(judge), "=")
	k := on(t, bus)
	k.Getenv = func(string) string { return address }
	return k
}

// What a renewal reads after its first look goes over the first's connection.
func TestConnectionIsKept(t *testing.T) {
	bus := keychaintest.Open(t, keychaintest.Unlocked)
	seed(t, bus.Connect(), "work", "the secret")
	var calls []string
	k := tapped(t, bus, func(member string) keychaintest.Verdict {
		calls = append(calls, member)
		return keychaintest.Pass
	})
	for _, want := range [][]string{{"Get", "OpenSession", "SearchItems", "GetSecret"}, {"Get", "SearchItems", "GetSecret"}, {"Get", "SearchItems", "GetSecret"}} {
		calls = nil
		ctx, end := context.WithCancel(t.Context())
		got, err := k.Get(ctx, "work")
		end() // is nothing to the next
		if err != nil || string(got) != "the secret" || !slices.Equal(calls, want) {
			t.Errorf("got %q, %v by the calls %v, want %v", got, err, calls, want)
		}
	}
}

// The service may be another one by the next read, or the connection at an end.
func TestKeptConnectionEnds(t *testing.T) {
	bus := keychaintest.Open(t, keychaintest.Unlocked)
	seed(t, bus.Connect(), "work", "the secret")
	verdict := keychaintest.Pass
	k := tapped(t, bus, func(string) keychaintest.Verdict {
		now := verdict
		verdict = keychaintest.Pass
		return now
	})
	wantSecret(t, k, "work", "the secret")
	for _, v := range []keychaintest.Verdict{keychaintest.HangUp, keychaintest.Pass} {
		verdict = v
		wantSecret(t, k, "work", "the secret")
	}
	bus.StopKeyring()
	bus.Keyring(keychaintest.Unlocked)
	wantSecret(t, k, "work", "the secret")
	if k.idle.Load() == nil {
		t.Error("the last connection isn't kept")
	}
}

// The keyring that counts may be another one by the next call, or none.
func TestKeyringChangesBetweenCalls(t *testing.T) {
	const session = dbus.ObjectPath("/org/freedesktop/secrets/collection/session")
	for name, tc := range map[string]struct {
		change func(t *testing.T, conn *dbus.Conn)
		secret string
		want   error // of both calls; nil: none
	}{
		"it is deleted": {change: func(t *testing.T, conn *dbus.Conn) {
			must(t, conn.Object(secretService, loginCollection).Call("org.freedesktop.Secret.Collection.Delete", 0).Err)
		}, want: ErrAbsent},
		"another is the default": {change: func(t *testing.T, conn *dbus.Conn) {
			must(t, conn.Object(secretService, loginCollection).Call("org.freedesktop.Secret.Collection.Delete", 0).Err)
			setDefault(t, conn, session)
			seedIn(t, conn, session, "work", []byte("the other secret"))
		}, secret: "the other secret"},
	} {
		t.Run(name, func(t *testing.T) {
			if os.Getenv(insideVar) == t.Name() {
				k := keychain(t, 0)
				wantSecret(t, k, "work", "the secret")
				kept := k.idle.Load()
				step(t)
				if err := k.Ready(t.Context(), "work"); !errors.Is(err, tc.want) {
					t.Errorf("ready: got %v, want %v", err, tc.want)
				}
				k.idle.Store(kept)
				if got, err := k.Get(t.Context(), "work"); string(got) != tc.secret || !errors.Is(err, tc.want) {
					t.Errorf("got %q, %v, want %q, %v", got, err, tc.secret, tc.want)
				}
				return
			}
			bus := keychaintest.Open(t, keychaintest.Unlocked)
			conn := bus.Connect()
			seed(t, conn, "work", "the secret")
			stepped(t, bus.Env(), func() { tc.change(t, conn) })
		})
	}
}

func setDefault(t *testing.T, conn *dbus.Conn, collection dbus.ObjectPath) {
	t.Helper()
	must(t, conn.Object(secretService, servicePath).Call("org.freedesktop.Secret.Service.SetAlias", 0, "default", collection).Err)
}

// A service that ends in the middle is asked again, whichever keyring counts.
func TestDefaultKeyringsServiceEnds(t *testing.T) {
	const session = dbus.ObjectPath("/org/freedesktop/secrets/collection/session")
	for at, ask := range map[int]func(context.Context, *Keychain) error{
		2: func(ctx context.Context, k *Keychain) error { return k.Ready(ctx, "work") },              // Locked
		3: func(ctx context.Context, k *Keychain) error { _, err := k.Get(ctx, "work"); return err }, // SearchItems
	} {
		t.Run(strconv.Itoa(at), func(t *testing.T) {
			if os.Getenv(insideVar) == t.Name() {
				if err := ask(t.Context(), keychain(t, 0)); err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Error(err)
				}
				return
			}
			bus := keychaintest.Open(t, keychaintest.Empty)
			conn := bus.Connect()
			setDefault(t, conn, session)
			seedIn(t, conn, session, "work", []byte("the secret"))
			calls := 0
			tap := bus.Tap(func(string) keychaintest.Verdict {
				if calls++; calls == at {
					return keychaintest.Lose
				}
				return keychaintest.Pass
			})
			again(t, append(bus.Env(), tap))
		})
	}
}

// Where nothing is in the way of a write, go-keyring's connection is made meanwhile: nobody
// waits for it.
func TestReadyConnectsTheWriter(t *testing.T) {
	if os.Getenv(insideVar) == t.Name() {
		must(t, keychain(t, 0).Ready(t.Context(), "work"))
		step(t)
		return
	}
	bus := keychaintest.Open(t, keychaintest.Unlocked)
	calls := make(chan string, 100)
	answered := 0
	tap := bus.Tap(func(member string) keychaintest.Verdict {
		calls <- member
		if answered++; answered == 3 {
			return keychaintest.Swallow
		}
		return keychaintest.Pass
	})
	stepped(t, append(bus.Env(), tap), func() {
		for range 3 { // for Collections and Locked, by us, and for Collections by godbus, which gets no answer
			select {
			case got := <-calls:
				if got != "Get" {
					t.Errorf("got a call of %s, want Get", got)
				}
			case <-time.After(10 * time.Second):
				t.Error("no such call comes")
			}
		}
	})
}
