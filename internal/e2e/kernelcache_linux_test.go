package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/need"
)

// cachesInKernel lets the user's profiles have their access token in the kernel, and has
// the kernel forget it when the test ends. There is one kernel for all users, so theirs
// are names of their own; that comes before they sign in.
func (u *user) cachesInKernel() {
	u.t.Helper()
	if _, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_USER_KEYRING, true); err != nil {
		need.Missing(u.t, "the kernel's keyring")
	}
	u.namesItsOwn()
	u.t.Cleanup(u.forgetInKernel)
}

// forgetInKernel has the kernel forget what it has.
func (u *user) forgetInKernel() {
	for _, store := range u.stores() {
		if id := u.key(store); id != 0 {
			unix.KeyctlInt(unix.KEYCTL_INVALIDATE, id, 0, 0, 0)
		}
	}
}

// stores are what the kernel tells apart.
func (u *user) stores() []string { return []string{"keychain", u.stateFile("file")} }

// key is the kernel's number of what it has of the default profile in a store; 0: nothing.
func (u *user) key(store string) int {
	id, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", u.keyName(store), 0)
	if err != nil {
		return 0
	}
	return id
}

func (u *user) keyName(store string) string {
	sum := sha256.Sum256([]byte(store + "\x00" + u.named("default")))
	return "authctl:" + hex.EncodeToString(sum[:16])
}

// beforeCached is what comes before the token in the kernel: what it is good for, and the
// mark by which it counts.
const beforeCached = sha256.Size + 26

// cached is the kernel's number of what counts as the profile's access token; 0: nothing.
func (u *user) cached() int {
	u.t.Helper()
	mark, err := os.ReadFile(u.stateFile("locks", u.named("default")+".cached"))
	for _, store := range u.stores() {
		id, buf := u.key(store), make([]byte, 32<<10)
		if err != nil || id == 0 {
			continue
		}
		n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, buf, 0)
		if err == nil && bytes.Equal(buf[sha256.Size:min(n, beforeCached)], mark) {
			return id
		}
	}
	return 0
}

// inKernel is what the kernel has there.
func (u *user) inKernel() string {
	u.t.Helper()
	id, buf := u.cached(), make([]byte, 32<<10)
	if id == 0 {
		return ""
	}
	n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, buf, 0)
	if err != nil {
		u.t.Fatal(err)
	}
	return string(buf[:n])
}

// keepInKernel has the kernel keep that again, of the session in the keychain.
func (u *user) keepInKernel(kernel string) {
	u.t.Helper()
	if kernel == "" {
		return
	}
	id, err := unix.AddKey("user", u.keyName("keychain"), []byte(kernel), unix.KEY_SPEC_USER_KEYRING)
	if err == nil {
		_, err = unix.KeyctlInt(unix.KEYCTL_SET_TIMEOUT, id, int(time.Hour/time.Second), 0, 0)
	}
	if err != nil {
		u.t.Fatal(err)
	}
}

// The kernel goes on when the keychain is locked, or another program deletes the item: who
// asks for it is told so. It ends with a logout all the same.
func TestKernelCacheOutlivesTheKeychain(t *testing.T) {
	for name, harm := range map[string]func(*keyring){
		"locked":                     func(k *keyring) { k.lock() },
		"deleted by another program": func(k *keyring) { k.restore(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			u.cachesInKernel()
			u.signIn(idp.Options{}, "--kernel-cache")
			session := u.kept()
			token := u.must("token")
			kernel := u.inKernel()
			if !strings.Contains(kernel, session.AccessToken) || strings.Contains(kernel, session.RefreshToken) || strings.Contains(kernel, session.IDToken) {
				t.Error("the kernel doesn't have the access token alone")
			}
			harm(newKeyring(t, u.bus))
			if got := u.must("token"); got != token {
				t.Error("got another token")
			}
			if _, _, code := u.run("whoami"); code == 0 {
				t.Error("whoami needs no keychain")
			}
			u.run("logout") // its code is another test's
			if stdout, _, code := u.run("token"); code == 0 || stdout != "" || u.cached() != 0 {
				t.Errorf("after logout: exit %d and %d characters", code, len(stdout))
			}
		})
	}
}

// However many ask, one renews, and all have one token: what the kernel has then.
func TestManyAskTheKernel(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.cachesInKernel()
	p := u.signInExpired(idp.Options{Latency: 2 * time.Second}, "--kernel-cache")
	if u.cached() != 0 {
		t.Error("the kernel has a token that lives for a second")
	}
	token := alike(t, u.crowd(many, "token"), 0, "")
	if got := renewals(p); got != 1 || !strings.Contains(u.inKernel(), strings.TrimSpace(token)) {
		t.Errorf("got %d requests, or another token in the kernel", got)
	}
	renewing := u.crowd(many/8, "token", "--refresh")
	for end := range tally(u.crowd(many, "token")) {
		if end.code != 0 || end.stdout == "" {
			t.Errorf("during a renewal: %v", end)
		}
	}
	renewed := alike(t, renewing, 0, "")
	if got := u.must("token"); got != renewed || renewed == token || renewals(p) != 2 {
		t.Errorf("after %d requests the token is another one", renewals(p))
	}
}

// After a login as somebody else the kernel has their token, and no other one.
func TestKernelCacheIsTheAccounts(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.cachesInKernel()
	p := u.signIn(idp.Options{}, "--kernel-cache")
	ada := u.must("token")
	u.signInAt(p, "--login-hint", "grace")
	grace := u.must("token")
	if payload(ada).Subject == payload(grace).Subject || !strings.Contains(u.inKernel(), strings.TrimSpace(grace)) {
		t.Errorf("got the token of %q, then of %q", payload(ada).Subject, payload(grace).Subject)
	}
}

// What is done in another state directory, to the same item of the keychain, ends what the
// kernel has from this one, whether it uses the kernel itself or not.
func TestKernelCacheEndsFromAnotherStateDirectory(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		command string
		code    int // of token then
		renewed bool
	}{
		{"login --login-hint grace", 0, false},
		{"token --refresh", 0, true},
		{"logout", 3, false},
		{"logout --all", 3, false},
		{"profile set --store file", 3, false},
	} {
		for _, caches := range []string{"true", "false"} {
			t.Run(tc.command+", kernel_cache "+caches, func(t *testing.T) {
				t.Parallel()
				u := newUser(t)
				u.cachesInKernel()
				u.set("AUTHCTL_STORE=keychain", "AUTHCTL_STORE_KEY_FILE="+filepath.Join(u.home, keyFile))
				p := u.signIn(idp.Options{}, "--kernel-cache")
				before := ""
				if calls := watch(t, u.bus, func() { before = u.must("token") }); len(calls) > 0 || u.key("keychain") == 0 {
					t.Errorf("the token is not the kernel's: %v", calls)
				}

				other := *u
				other.env = slices.Concat(u.env, []string{"AUTHCTL_STORE=", "AUTHCTL_STATE_DIR=" + filepath.Join(u.home, "other"), "AUTHCTL_KERNEL_CACHE=" + caches})
				if got := other.must("token"); got != before || u.cached() == 0 {
					t.Error("another state directory reads, and has another token or the kernel none")
				}
				words := strings.Fields(tc.command)
				if words[0] == "login" {
					other.signInAt(p, words[1:]...)
				} else {
					other.must(words...)
				}
				if u.cached() != 0 {
					t.Error("the kernel has it still")
				}
				stdout, stderr, code := u.run("token")
				if code != tc.code || stdout == before || (stdout == "") != (code != 0) {
					t.Errorf("got exit %d, %d characters, the token of before: %v\n%s", code, len(stdout), stdout == before, stderr)
				}
				if same := payload(stdout).Subject == payload(before).Subject; code == 0 && same != tc.renewed {
					t.Errorf("got the token of %q, then of %q", payload(before).Subject, payload(stdout).Subject)
				}
				if code == 0 && stdout != other.must("token") {
					t.Error("two state directories have two tokens")
				}
			})
		}
	}
}

// Who waits for the lock while a profile is moved has the kernel keep the token of where it
// is then.
func TestKernelCacheFollowsAMove(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.cachesInKernel()
	u.signIn(idp.Options{}, "--kernel-cache")
	lock := u.lock()
	release := lock.hold()
	move := u.start(nil, append([]string{"profile", "set"}, u.storeFlags("file")...)...)
	lock.await(1)
	renewal := u.start(nil, "token", "--refresh")
	lock.await(2)
	release()
	if codes := fmt.Sprint(move.wait(), renewal.wait()); codes != "0 0" {
		t.Errorf("profile set and token: exit %s\n%s%s", codes, move.stderr, renewal.stderr)
	}
	if u.key("keychain") != 0 || u.cached() == 0 || u.cached() != u.key(u.stateFile("file")) {
		t.Error("the kernel has a token of the keychain's, or none of the file's")
	}
	os.Remove(filepath.Join(u.home, "keys", "authctl"))
	if got := u.must("token"); got != renewal.stdout.String() {
		t.Error("got another token than the renewal")
	}
}
