//go:build !darwin && !windows

package store

import (
	"context"
	"os"
	"slices"
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
	for _, want := range [][]string{{"Get", "OpenSession", "SearchItems", "GetSecret"}, {"SearchItems", "GetSecret"}, {"SearchItems", "GetSecret"}} {
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

// A keyring called login may come to be at any time, and is then the one that counts.
func TestConnectionToAnotherKeyringIsNotKept(t *testing.T) {
	bus := keychaintest.Open(t, keychaintest.Empty)
	k, conn := on(t, bus), bus.Connect()
	const session = dbus.ObjectPath("/org/freedesktop/secrets/collection/session")
	must(t, conn.Object(secretService, servicePath).Call("org.freedesktop.Secret.Service.SetAlias", 0, "default", session).Err)
	seedIn(t, conn, session, "work", []byte("the secret"))
	wantSecret(t, k, "work", "the secret")
	if k.idle.Load() != nil {
		t.Error("the connection is kept")
	}
}

// Where nothing is in the way of a write, go-keyring's connection is made meanwhile.
func TestReadyConnectsTheWriter(t *testing.T) {
	if os.Getenv(insideVar) == t.Name() {
		must(t, keychain(t, 0).Ready(t.Context(), "work"))
		step(t)
		return
	}
	bus := keychaintest.Open(t, keychaintest.Unlocked)
	calls := make(chan string, 100)
	tap := bus.Tap(func(member string) keychaintest.Verdict {
		calls <- member
		return keychaintest.Pass
	})
	stepped(t, append(bus.Env(), tap), func() {
		for range 4 { // for Collections and Locked, by us and by godbus
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
