//go:build !darwin && !windows

package store

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/keychaintest"
)

// operations are what a command may ask first.
var operations = []struct {
	name string
	do   func(context.Context, *Keychain) error
}{
	{"Get", get},
	{"Create", func(ctx context.Context, k *Keychain) error { return k.Create(ctx, "work", []byte("s")) }},
	{"Update", func(ctx context.Context, k *Keychain) error { return k.Update(ctx, "work", []byte("s")) }},
	{"Delete", func(ctx context.Context, k *Keychain) error { return k.Delete(ctx, "work") }},
	{"Check", check},
	{"Ready", func(ctx context.Context, k *Keychain) error { return k.Ready(ctx, "work") }},
}

// wantTrouble runs every operation and wants the error, as an *Error and in time.
func wantTrouble(t *testing.T, k *Keychain, want error, within time.Duration) {
	t.Helper()
	for _, op := range operations {
		began := time.Now()
		err := op.do(t.Context(), k)
		if took := time.Since(began); took > within {
			t.Errorf("%s: took %v, want at most %v", op.name, took, within)
		}
		if typed := new(Error); !errors.Is(err, want) || !errors.As(err, &typed) || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v, want %v", op.name, err, want)
		}
	}
}

func TestNoUsableKeychain(t *testing.T) {
	for _, tc := range []struct {
		name string
		mode keychaintest.Mode
		want error
		text string
	}{
		{"locked", keychaintest.Locked, ErrLocked, "the keychain is locked"},
		{"empty", keychaintest.Empty, ErrAbsent, "neither a keyring"},
		{"no service", keychaintest.NoService, ErrAbsent, "was not provided"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if !inside(t, tc.mode) {
				return
			}
			k := keychain(t, 0)
			wantTrouble(t, k, tc.want, 5*time.Second)
			if _, err := k.Get(t.Context(), "work"); !strings.Contains(err.Error(), tc.text) {
				t.Errorf("got %q, want %q in it", err, tc.text)
			}
		})
	}
}

// Without a bus godbus would start dbus-launch, and that a bus and a keyring that
// nobody ends.
func TestNoBusStartsNothing(t *testing.T) {
	if os.Getenv(insideVar) == t.Name() {
		wantTrouble(t, keychain(t, 0), ErrAbsent, 5*time.Second)
		return
	}
	bin, ran := t.TempDir(), filepath.Join(t.TempDir(), "ran")
	script := "#!/bin/sh\n: >'" + ran + "'\n"
	must(t, os.WriteFile(filepath.Join(bin, "dbus-launch"), []byte(script), 0o700))
	env := append(keychaintest.Start(t, keychaintest.NoBus), "PATH="+bin+":"+os.Getenv("PATH"))
	for _, address := range []string{"", "DBUS_SESSION_BUS_ADDRESS=autolaunch:"} {
		again(t, append(env, address))
		if _, err := os.Stat(ran); err == nil {
			t.Errorf("%q: dbus-launch was run", address)
		}
	}
}

func TestBusThatIsGone(t *testing.T) {
	if os.Getenv(insideVar) == t.Name() {
		wantTrouble(t, keychain(t, 0), ErrAbsent, 5*time.Second)
		return
	}
	again(t, []string{"DBUS_SESSION_BUS_ADDRESS=unix:path=" + t.TempDir() + "/bus"})
	stale := shortDir(t) + "/bus"
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale})
	must(t, err)
	l.SetUnlinkOnClose(false)
	must(t, l.Close())
	again(t, []string{"DBUS_SESSION_BUS_ADDRESS=unix:path=" + stale})
}

// The bus that XDG_RUNTIME_DIR holds is used where no address is set.
func TestBusInRuntimeDirectory(t *testing.T) {
	if os.Getenv(insideVar) == t.Name() {
		must(t, keychain(t, 0).Check(t.Context()))
		return
	}
	again(t, append(keychaintest.Start(t, keychaintest.Unlocked), "DBUS_SESSION_BUS_ADDRESS="))
}

// Who keeps the keychain is known where somebody does.
func TestServedBy(t *testing.T) {
	for _, c := range []struct {
		name string
		mode keychaintest.Mode
		want string
	}{
		{"unlocked", keychaintest.Unlocked, "gnome-keyring-daemon"},
		{"no service", keychaintest.NoService, ""},
		{"no bus", keychaintest.NoBus, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !inside(t, c.mode) {
				return
			}
			if got := keychain(t, 0).ServedBy(t.Context()); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// shortDir is a directory whose name leaves room for a socket's.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bus")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
