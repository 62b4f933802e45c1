package e2e

import (
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/need"
)

// cachesInKernel lets the user's profiles have their access token in the kernel, and has
// the kernel forget it when the test ends.
func (u *user) cachesInKernel() {
	u.t.Helper()
	if _, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_USER_KEYRING, true); err != nil {
		need.Missing(u.t, "the kernel's keyring")
	}
	u.t.Cleanup(u.forgetInKernel)
}

// forgetInKernel has the kernel forget what counts.
func (u *user) forgetInKernel() {
	if id := u.cached(); id != 0 {
		unix.KeyctlInt(unix.KEYCTL_INVALIDATE, id, 0, 0, 0)
	}
}

// cached is the kernel's number of what counts as the profile's access token; 0: nothing.
func (u *user) cached() int {
	name, err := os.ReadFile(u.stateFile("locks", "default.cached"))
	if err != nil {
		return 0
	}
	id, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", "authctl:"+string(name), 0)
	if err != nil {
		return 0
	}
	return id
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

// keepInKernel has the kernel keep that again.
func (u *user) keepInKernel(kernel string) {
	u.t.Helper()
	name, err := os.ReadFile(u.stateFile("locks", "default.cached"))
	if kernel == "" {
		return
	}
	id := 0
	if err == nil {
		id, err = unix.AddKey("user", "authctl:"+string(name), []byte(kernel), unix.KEY_SPEC_USER_KEYRING)
	}
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
