//go:build !darwin && !windows

package store

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authctl/authctl/internal/keychaintest"
)

func TestKeychainRoundTrip(t *testing.T) {
	if !inside(t, keychaintest.Unlocked) {
		return
	}
	const small = 100
	for _, tc := range []struct {
		name       string
		limit      int
		secret     []byte
		wantSealed bool
	}{
		{"empty", 0, []byte{}, false},
		{"JSON", 0, []byte(`{"version":1,"refresh_token":"ä\n'\"$(x)"}`), false},
		{"64 KiB", 0, bytes.Repeat([]byte("x"), 64<<10), false},
		{"one byte more", 0, bytes.Repeat([]byte("x"), 64<<10+1), true},
		{"1 MiB", 0, bytes.Repeat([]byte("y"), 1<<20), true},
		{"at a small limit", small, bytes.Repeat([]byte("x"), small), false},
		{"over a small limit", small, bytes.Repeat([]byte("x"), small+1), true},
		{"64 KiB, small limit", small, bytes.Repeat([]byte("x"), 64<<10), true},
		{"1 MiB, small limit", small, bytes.Repeat([]byte("x"), 1<<20), true},
		{"not text", 0, []byte{0xff, 0, 0xfe, '\n'}, true},
		{"looks like a sealed one", 0, []byte(itemPrefix + "1:x:y"), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ctx, k := t.Context(), keychain(t, tc.limit)
			const name = "work@0a1b2c/client-secret"
			if _, err := k.Get(ctx, name); !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("Get before: got %v, want fs.ErrNotExist", err)
			}
			steps := []func(context.Context, string, []byte) error{k.Create, k.Update, k.Create}
			for i, store := range steps {
				secret := slices.Clone(tc.secret)
				if len(secret) > 20 {
					secret[20] = byte('0' + i) // each write is another secret
				}
				if err := k.Ready(ctx, name); err != nil {
					t.Errorf("Ready %d: %v", i, err)
				}
				if err := store(ctx, name, secret); err != nil {
					t.Fatalf("store %d: %v", i, err)
				}
				got, err := k.Get(ctx, name)
				if err != nil || !bytes.Equal(got, secret) {
					t.Fatalf("Get %d: got %d bytes, %v, want %d bytes", i, len(got), err, len(secret))
				}
			}
			if got := len(entries(t, k.Dir)) == 1; got != tc.wantSealed {
				t.Errorf("sealed: got %v, want %v", entries(t, k.Dir), tc.wantSealed)
			}
			for range 2 { // the second finds nothing, which is no error
				if err := k.Delete(ctx, name); err != nil {
					t.Errorf("Delete: %v", err)
				}
			}
			if _, err := k.Get(ctx, name); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("Get after: got %v, want fs.ErrNotExist", err)
			}
			if left := entries(t, k.Dir); len(left) != 0 {
				t.Errorf("got %v left over", left)
			}
		})
	}
}

// A renewal of a sealed secret writes its file and leaves the item alone, until it is
// small enough for the item.
func TestUpdateRewritesTheFileOnly(t *testing.T) {
	if !inside(t, keychaintest.Unlocked) {
		return
	}
	ctx, k := t.Context(), keychain(t, 10)
	must(t, k.Create(ctx, "work", []byte("first, and longer than ten bytes")))
	item, err := k.item(ctx, "work")
	must(t, err)
	file := filepath.Join(k.Dir, entries(t, k.Dir)[0])
	before, err := os.ReadFile(file)
	must(t, err)
	must(t, k.Update(ctx, "work", []byte("second, and longer than ten bytes")))
	after, err := os.ReadFile(file)
	must(t, err)
	if bytes.Equal(before, after) {
		t.Error("the file did not change")
	}
	if again, err := k.item(ctx, "work"); err != nil || again != item {
		t.Errorf("the item changed, or %v", err)
	}
	wantSecret(t, k, "work", "second, and longer than ten bytes")
	for path, want := range map[string]fs.FileMode{file: 0o600, k.Dir: 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got %v, %v, want %v", path, info.Mode().Perm(), err, want)
		}
	}
	must(t, k.Update(ctx, "work", []byte("short")))
	wantSecret(t, k, "work", "short")
	if left := entries(t, k.Dir); len(left) != 0 {
		t.Errorf("with a small secret: got %v", left)
	}
	must(t, k.Update(ctx, "work", []byte("grown over the limit")))
	wantSecret(t, k, "work", "grown over the limit")
}

// A crash before the item is written leaves the old secret, one after it the new
// one, and the file that nobody names is gone after the next login.
func TestCreateSurvivesACrash(t *testing.T) {
	if !inside(t, keychaintest.Unlocked) {
		return
	}
	ctx, k := t.Context(), keychain(t, 10)
	must(t, k.Create(ctx, "work", []byte("the old secret")))
	must(t, k.Create(ctx, "work2", []byte("of another name")))
	old := strings.TrimPrefix(findPrefix(t, k.Dir, filePrefix("keychain", "work")), k.Dir+"/")
	next := newSealedItem("work")
	must(t, k.writeSealed(next, "work", []byte("the new secret")))
	wantSecret(t, k, "work", "the old secret")

	must(t, k.set(ctx, "work", next.String()))
	wantSecret(t, k, "work", "the new secret")
	if !slices.Contains(entries(t, k.Dir), old) {
		t.Fatal("the old file is gone too early")
	}
	temp := filepath.Join(k.Dir, "."+next.file+".authctl-tmp-123") // of a write that was cut short
	must(t, os.WriteFile(temp, []byte("half"), 0o600))
	must(t, k.Create(ctx, "work", []byte("the next login's secret")))
	if got := entries(t, k.Dir); len(got) != 2 || slices.Contains(got, old) || slices.Contains(got, next.file) {
		t.Errorf("got %v, want one file for work and one for work2", got)
	}
	wantSecret(t, k, "work2", "of another name")
	wantSecret(t, k, "work", "the next login's secret")
}

// A reader that comes between the new item and the end of the old file gets one of
// the two secrets.
func TestReadDuringLogins(t *testing.T) {
	if !inside(t, keychaintest.Unlocked) {
		return
	}
	ctx, k := t.Context(), keychain(t, 10)
	secrets := []string{"one that is sealed", "another that is sealed"}
	must(t, k.Create(ctx, "work", []byte(secrets[0])))
	logins := make(chan error, 1)
	go func() {
		var err error
		for i := 0; i < 40 && err == nil; i++ {
			err = k.Create(ctx, "work", []byte(secrets[i%2]))
		}
		logins <- err
	}()
	for reads := 0; ; reads++ {
		select {
		case err := <-logins:
			if err != nil || reads == 0 {
				t.Errorf("got %v after %d reads", err, reads)
			}
			return
		default:
		}
		if got, err := k.Get(ctx, "work"); err != nil || !slices.Contains(secrets, string(got)) {
			t.Fatalf("read %d: got %q, %v", reads, got, err)
		}
	}
}

func TestKeychainDamage(t *testing.T) {
	if !inside(t, keychaintest.Unlocked) {
		return
	}
	ctx := t.Context()
	for _, tc := range []struct {
		name   string
		damage func(t *testing.T, k *Keychain, file string)
		want   string
	}{
		{"none", func(*testing.T, *Keychain, string) {}, ""},
		{"file missing", func(t *testing.T, _ *Keychain, file string) { must(t, os.Remove(file)) }, "is missing"},
		{"file empty", func(t *testing.T, _ *Keychain, file string) { must(t, os.Truncate(file, 0)) }, "not in the form"},
		{"file cut", func(t *testing.T, _ *Keychain, file string) { must(t, os.Truncate(file, 40)) }, "was changed"},
		{"another item's file", func(t *testing.T, k *Keychain, file string) {
			must(t, k.Create(ctx, "other", []byte("the other's secret")))
			data, err := os.ReadFile(findPrefix(t, k.Dir, filePrefix("keychain", "other")))
			must(t, err)
			must(t, os.WriteFile(file, data, 0o600))
		}, "was changed"},
		{"item cut", func(t *testing.T, k *Keychain, _ string) { must(t, k.set(ctx, "work", itemPrefix+"1:x")) }, "item was changed"},
		{"item of the future", func(t *testing.T, k *Keychain, _ string) { must(t, k.set(ctx, "work", itemPrefix+"2:x")) }, "another version"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := keychain(t, 10)
			must(t, k.Create(ctx, "work", []byte("longer than ten bytes")))
			tc.damage(t, k, findPrefix(t, k.Dir, filePrefix("keychain", "work")))
			_, err := k.Get(ctx, "work")
			if tc.want == "" {
				must(t, err)
				return
			}
			if !errors.Is(err, ErrDamaged) || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want ErrDamaged with %q", err, tc.want)
			}
			must(t, k.Create(ctx, "work", []byte("signed in again")))
			wantSecret(t, k, "work", "signed in again")
			must(t, k.Delete(ctx, "work"))
		})
	}
}

func TestCheckLeavesNothing(t *testing.T) {
	if !inside(t, keychaintest.Unlocked) {
		return
	}
	for _, limit := range []int{0, 100} {
		k := keychain(t, limit)
		killed, at := checkPrefix+randomText(), time.Now().Add(-time.Hour)
		k.mark(killed)
		must(t, os.Chtimes(filepath.Join(k.Dir, killed), at, at))
		must(t, k.create(t.Context(), killed, []byte("a secret that is too large for 10 bytes")))
		must(t, k.Check(t.Context()))
		if left := entries(t, k.Dir); len(left) != 0 {
			t.Errorf("limit %d: got files %v left over", limit, left)
		}
		if items := itemsOf(t, k.Service); len(items) != 0 {
			t.Errorf("limit %d: got items %v left over", limit, items)
		}
	}
	k := keychain(t, 100) // the sealed files' directory can't be made
	must(t, os.WriteFile(k.Dir, nil, 0o600))
	if err := k.Check(t.Context()); err == nil {
		t.Error("Check without a directory for sealed files: got no error")
	}
}

// Those who check at the same time don't take each other's secrets for left over.
func TestChecksAtOnce(t *testing.T) {
	if !inside(t, keychaintest.Unlocked) {
		return
	}
	k := keychain(t, 100)
	must(t, k.Check(t.Context())) // a read before the many writes
	checks := make(chan error)
	for range 8 {
		go func() { checks <- k.Check(t.Context()) }()
	}
	for range 8 {
		if err := <-checks; err != nil {
			t.Error(err)
		}
	}
	if left := entries(t, k.Dir); len(left)+len(itemsOf(t, k.Service)) != 0 {
		t.Errorf("got %v left over", left)
	}
}

// wantSecret reads name and compares.
func wantSecret(t *testing.T, k *Keychain, name, want string) {
	t.Helper()
	got, err := k.Get(t.Context(), name)
	if err != nil || string(got) != want {
		t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
	}
}

// findPrefix returns the path of the one file in dir whose name begins so.
func findPrefix(t *testing.T, dir, prefix string) string {
	t.Helper()
	found, err := files(dir, prefix)
	if err != nil || len(found) != 1 {
		t.Fatalf("got %v, %v, want one file", found, err)
	}
	return found[0]
}

// itemsOf lists the keychain's items of a service.
func itemsOf(t *testing.T, service string) []dbus.ObjectPath {
	t.Helper()
	conn, err := dbus.SessionBus()
	must(t, err)
	var found []dbus.ObjectPath
	must(t, conn.Object(secretService, loginCollection).Call("org.freedesktop.Secret.Collection.SearchItems", 0,
		map[string]string{"service": service}).Store(&found))
	return found
}
