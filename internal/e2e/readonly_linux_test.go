package e2e

import (
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/idp"
)

// A home that can't be written, as containers and managed machines have it, with the
// profile in it. What authctl names instead is enough for a whole life.
func TestReadOnlyHome(t *testing.T) {
	for _, store := range []string{"keychain", "file"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			d := newDisk(t, u)
			p := demoProvider(t, idp.Options{})
			d.must(append([]string{"profile", "set", "default", "--issuer", p.Issuer(), "--client-id", "demo"}, u.storeFlags(store)...)...)
			if store == "file" {
				d.must("login", "--browser", robotBrowser()) // makes the key file
				d.must("logout")
			}
			d.remount("ro")

			login := []string{"login", "--timeout", "20s", "--browser", robotBrowser()}
			stdout, stderr, code := d.run(login...)
			if code == 0 || stdout != "" || !strings.Contains(stderr, "read-only file system") || !strings.Contains(stderr, "hint: ") || !strings.Contains(stderr, "AUTHCTL_STATE_DIR") {
				t.Errorf("login: got exit %d, stdout %q, stderr %q, want an error that names AUTHCTL_STATE_DIR", code, stdout, stderr)
			}
			u.set("AUTHCTL_STATE_DIR=" + t.TempDir())
			d.must(login...)
			token := d.must("token")
			if renewed := d.must("token", "--refresh"); renewed == token {
				t.Error("token --refresh: got the same token")
			}
			if got := d.must("whoami", "--claim", "email"); got != account+"\n" {
				t.Errorf("whoami: got %q, want %q", got, account)
			}
			if _, stderr, code := d.run("profile", "set", "default", "--scope", "openid"); code != 1 || !strings.Contains(stderr, "--config") {
				t.Errorf("a setting that can't be saved: got exit %d, stderr %q, want 1 and --config", code, stderr)
			}
			d.must("logout")
			if _, _, code := d.run("token"); code != 3 {
				t.Errorf("token after the logout: exit %d, want 3", code)
			}
		})
	}
}
