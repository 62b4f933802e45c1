package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/keychaintest"
	"github.com/authctl/authctl/internal/need"
)

// stranger is the ID of another user.
const stranger = 65534

// A state directory in which others can write is refused: a link in the place of the lock
// or of the sealed file would lead what authctl writes to any file of the user's.
func TestStateDirectoryOfOthers(t *testing.T) {
	if os.Getuid() != 0 {
		need.Missing(t, "root, to give a directory to another user")
	}
	for _, tc := range []struct {
		name string
		make func(t *testing.T, dir string) // dir is ours, 0700, and has a session's state in it
		said string                         // empty: it is fine
	}{
		{"ours alone", func(*testing.T, string) {}, ""},
		{"readable by all", chmod(0o755), ""},
		{"a link of ours to it", func(t *testing.T, dir string) { link(t, dir, os.Getuid()) }, ""},
		{"written by all", chmod(0o777), "its mode is 0777"},
		{"written by all, as /tmp is", chmod(os.ModeSticky | 0o777), "its mode is 0777"},
		{"written by the group", chmod(0o770), "its mode is 0770"},
		{"another's", func(t *testing.T, dir string) { chown(t, dir, stranger) }, "has the ID 65534"},
		{"another's link to it", func(t *testing.T, dir string) { link(t, dir, stranger) }, "has the ID 65534"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			u := newUserWith(t, keychaintest.Open(t, keychaintest.NoBus))
			dir := filepath.Join(u.home, "shared")
			u.set("AUTHCTL_STATE_DIR=" + dir)
			p := u.signIn(idp.Options{}, u.storeFlags("file")...)
			token := u.must("token")
			tc.make(t, dir)
			victim := filepath.Join(u.home, "victim")
			if err := os.WriteFile(victim, []byte("untouched"), 0o644); err != nil {
				t.Fatal(err)
			}
			if tc.said != "" { // what the others would do
				u.plant(victim, dir, "locks/default.lock", "locks/.config.lock", "locks/default.attempt", "file/file~default~sealed")
			}
			browser, opened := u.marker("browser")
			for _, args := range [][]string{{"token"}, {"token", "--refresh"}, {"login", "--timeout", "5s", "--browser", browser, "--scope", "openid"}, {"logout"}} {
				if tc.said == "" && args[0] != "token" {
					continue
				}
				stdout, stderr, code := u.run(args...)
				if tc.said == "" && (code != 0 || stdout == "") {
					t.Errorf("%v: exit %d\n%s", args, code, stderr)
				}
				if tc.said != "" && (code != 2 || stdout != "" || !strings.Contains(stderr, tc.said) || !strings.Contains(stderr, "AUTHCTL_STATE_DIR")) {
					t.Errorf("%v: got exit %d, stderr %q, want 2, %q and what to do", args, code, stderr, tc.said)
				}
				checkWords(t, code, stderr, p.Secrets())
			}
			info, err := os.Stat(victim)
			content, _ := os.ReadFile(victim)
			if err != nil || info.Mode().Perm() != 0o644 || string(content) != "untouched" || opened() {
				t.Errorf("the file that links lead to is %d bytes, %v now; a browser was opened: %t", len(content), info.Mode(), opened())
			}
			if tc.said == "" && (token == "" || renewals(p) != 1) {
				t.Errorf("got %d renewals, want 1", renewals(p))
			}
		})
	}
}

func chmod(mode os.FileMode) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		t.Helper()
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
}

func chown(t *testing.T, path string, uid int) {
	t.Helper()
	if err := os.Lchown(path, uid, -1); err != nil {
		t.Fatal(err)
	}
}

// link puts a link of somebody's in dir's place, which leads to it.
func link(t *testing.T, dir string, uid int) {
	t.Helper()
	if err := os.Rename(dir, dir+".real"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir+".real", dir); err != nil {
		t.Fatal(err)
	}
	chown(t, dir, uid)
}

// plant puts links to a file in the place of others.
func (u *user) plant(to, dir string, names ...string) {
	u.t.Helper()
	for _, name := range names {
		path := filepath.Join(dir, name)
		os.Remove(path)
		if err := os.Symlink(to, path); err != nil {
			u.t.Fatal(err)
		}
	}
}
