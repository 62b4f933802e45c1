package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// newCacher is a user with a key file, which is what the tests take away to see what comes
// from the kernel, and has it keep the access token.
func newCacher(t *testing.T) *locker {
	t.Helper()
	l := newLocker(t)
	l.env = append(l.env, "AUTHCTL_STORE_KEY_FILE="+l.home+"/store.key")
	l.runs(0, "authctl", "login", "--kernel-cache")
	first := l.cached()
	t.Cleanup(func() {
		for _, id := range []int{first, l.cached()} {
			unix.KeyctlInt(unix.KEYCTL_INVALIDATE, id, 0, 0, 0) // or it is gone
		}
	})
	return l
}

// cached is the kernel's number of the key that counts; 0 when there is none.
func (l *locker) cached() int {
	mark, err := os.ReadFile(l.home + "/state/authctl/locks/default.cached")
	if err != nil {
		return 0
	}
	sum := sha256.Sum256([]byte(l.home + "/state/authctl/file\x00default"))
	id, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", "authctl:"+hex.EncodeToString(sum[:16]), 0)
	if err != nil {
		return 0
	}
	key := make([]byte, 32<<10)
	n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, key, 0)
	if err != nil || !bytes.HasPrefix(key[sha256.Size:n], mark) {
		return 0
	}
	return id
}

// gone reports whether the kernel has forgotten a key.
func gone(id int) bool {
	_, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, make([]byte, 1), 0)
	return err != nil
}

// without runs f while the store can't be read.
func (l *locker) without(f func()) {
	l.t.Helper()
	for _, move := range [][2]string{{"store.key", "away"}, {"away", "store.key"}} {
		if err := os.Rename(l.home+"/"+move[0], l.home+"/"+move[1]); err != nil {
			l.t.Fatal(err)
		}
		if f != nil {
			f()
		}
		f = nil
	}
}

// What the kernel has is what token, exec and curl print, whatever becomes of the store;
// all else asks the store.
func TestKernelCache(t *testing.T) {
	t.Parallel()
	l := newCacher(t)
	has(t, l.runs(0, "authctl", "profile", "show"), `^kernel_cache = true$`)
	has(t, l.runs(0, "authctl", "doctor"), `^ok    cache        the kernel has the access token for (58|59) minutes more, whatever becomes of the store$`)
	token := l.runs(0, "authctl", "token")
	object := l.runs(0, "authctl", "token", "--format", "json")
	l.without(func() {
		if got := l.runs(0, "authctl", "token"); got != token {
			t.Error("from the kernel: another token")
		}
		if got := l.runs(0, "authctl", "token", "--format", "json"); got != object {
			t.Errorf("from the kernel: got %d bytes of JSON, want the %d from the store", len(got), len(object))
		}
		l.runs(0, "authctl", "exec", "--", "sh", "-c", `test "$ACCESS_TOKEN" = "`+strings.TrimSpace(token)+`"`)
		for _, command := range []string{"token --refresh", "token --id-token", "token --min-ttl 2h", "whoami", "status"} {
			l.runs(5, append([]string{"authctl"}, strings.Fields(command)...)...)
		}
		l.runs(3, "authctl", "token", "-p", "other")
	})
	if got := l.runs(0, "authctl", "token"); got != token {
		t.Error("from the kernel afterwards: another token")
	}
	renewed := l.runs(0, "authctl", "token", "--refresh")
	l.without(func() {
		if got := l.runs(0, "authctl", "token"); got != renewed || got == token {
			t.Error("after a renewal the kernel has another token than the store")
		}
	})
}

// A token is good for the settings that it was obtained with, and for no others.
func TestKernelCacheIsOfItsSettings(t *testing.T) {
	t.Parallel()
	l := newCacher(t)
	token := l.runs(0, "authctl", "token")
	l.runs(0, "authctl", "profile", "set", "--audience", "other")
	l.runs(3, "authctl", "token")
	l.runs(0, "authctl", "profile", "set", "--audience", "")
	for _, other := range []string{"AUTHCTL_CLIENT_ID=other", "AUTHCTL_PROFILE=other", "AUTHCTL_STATE_DIR=" + l.home + "/other", "AUTHCTL_CONFIG=" + l.home + "/other.toml"} {
		l.runs(3, "env", other, "AUTHCTL_KERNEL_CACHE=true", "authctl", "token")
	}
	l.without(func() {
		l.runs(5, "env", "AUTHCTL_KERNEL_CACHE=false", "authctl", "token")
		if got := l.runs(0, "authctl", "token"); got != token {
			t.Error("with its settings: another token")
		}
	})
}

// Whatever ends a session, or turns the cache off, ends what the kernel has of it, also
// where that command may not use the kernel, or was told not to.
func TestKernelCacheEndsWithTheSession(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		command string
		code    int // of token then
		stays   bool
	}{
		{"authctl logout", 3, false},
		{"authctl logout --all", 3, false},
		{"env AUTHCTL_KERNEL_CACHE=false authctl logout", 3, false},
		{"nokeyctl authctl logout", 3, true},
		{"authctl profile remove default", 3, false},
		{"authctl profile set --kernel-cache=false", 0, false},
		{"authctl login --kernel-cache=false --login-hint grace", 0, false},
		{"authctl login --login-hint grace", 0, false},
		{"nokeyctl authctl login --login-hint grace", 0, true},
		{"authctl token --refresh", 0, false},
		{"env AUTHCTL_KERNEL_CACHE=false authctl token --refresh", 0, false},
		{"nokeyctl authctl token --refresh", 0, true},
	} {
		t.Run(tc.command, func(t *testing.T) {
			t.Parallel()
			l := newCacher(t)
			id, before := l.cached(), l.runs(0, "authctl", "token")
			if id == 0 {
				t.Fatal("the kernel has no token")
			}
			out := l.runs(0, strings.Fields(tc.command)...)
			if gone(id) == tc.stays || strings.Contains(out, "kernel") {
				t.Errorf("gone: %v, want %v; said:\n%s", gone(id), !tc.stays, out)
			}
			l.env = append(l.env, "AUTHCTL_KERNEL_CACHE=true")
			after := l.runs(tc.code, "authctl", "token")
			if ends := !strings.HasPrefix(tc.command, "authctl profile set"); ends && after == before {
				t.Error("the token of before is printed still")
			}
		})
	}
	t.Run("logout of a store that can't be read", func(t *testing.T) {
		t.Parallel()
		l := newCacher(t)
		id := l.cached()
		l.without(func() { has(t, l.runs(4, "authctl", "logout"), "not revoked") })
		if !gone(id) {
			t.Error("the kernel has the token still")
		}
	})
}

// Where keyctl is refused, as in many containers, nothing else is: nobody is told but who
// asks doctor.
func TestKernelCacheIsRefused(t *testing.T) {
	t.Parallel()
	l := newCacher(t)
	l.runs(0, "nokeyctl", "authctl", "login")
	token := l.runs(0, "nokeyctl", "authctl", "token")
	if renewed := l.runs(0, "nokeyctl", "authctl", "token", "--refresh"); renewed == token || strings.Count(renewed, "\n") != 1 {
		t.Errorf("a renewal: got %d bytes, want another token and no word", len(renewed))
	}
	has(t, l.runs(0, "nokeyctl", "authctl", "doctor"), `^warn  cache        kernel_cache is on, and has no effect here: the kernel's keyring can't be used: operation not permitted\n      fix: authctl profile set default --kernel-cache=false$`)
	has(t, l.runs(0, "authctl", "doctor"), `^ok    cache        kernel_cache is on; the kernel gets the next new access token$`)
	l.runs(0, "nokeyctl", "authctl", "logout")
}

// Who doesn't ask for it has nothing in the kernel, and no call is made that a service
// might be killed for. Where somebody else asked, nobody looks at it all the same; a write
// ends it, and the next one finds nothing.
func TestNoKernelCacheUnasked(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	l.env = append(l.env, "AUTHCTL_STORE_KEY_FILE="+l.home+"/store.key")
	for _, command := range []string{"login", "token", "token --refresh", "status", "login --login-hint grace", "profile set --scope openid", "doctor", "logout"} {
		l.runs(0, append([]string{"nokeyctl", "-kill", "authctl"}, strings.Fields(command)...)...)
	}
	if out := l.runs(0, "authctl", "doctor"); strings.Contains(out, "cache") {
		t.Errorf("doctor says:\n%s", out)
	}
	if _, err := os.Stat(l.home + "/state/authctl/locks/default.cached"); !os.IsNotExist(err) {
		t.Errorf("something counts in the kernel: %v", err)
	}
	l.runs(0, "env", "AUTHCTL_KERNEL_CACHE=true", "authctl", "login")
	if l.cached() == 0 {
		t.Fatal("the kernel has no token")
	}
	for _, command := range []string{"token", "token --id-token", "whoami", "status", "profile set --scope openid", "doctor"} {
		l.runs(0, append([]string{"nokeyctl", "-kill", "authctl"}, strings.Fields(command)...)...)
	}
	if l.cached() == 0 {
		t.Error("who only reads has ended it")
	}
	l.runs(-1, "nokeyctl", "-kill", "authctl", "token", "--refresh") // it can't end it, and hasn't spent the refresh token
	l.runs(0, "authctl", "token", "--refresh")
	if l.cached() != 0 {
		t.Error("a write hasn't ended it")
	}
	l.runs(0, "nokeyctl", "-kill", "authctl", "token", "--refresh")
	l.runs(0, "nokeyctl", "-kill", "authctl", "logout")
}
