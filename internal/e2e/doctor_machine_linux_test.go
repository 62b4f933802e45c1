package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/need"
)

// A file system without locks, as the kernel would answer on it, and one with them.
func TestDoctorWithoutLocks(t *testing.T) {
	t.Parallel()
	need.Program(t, "strace")
	u := newUser(t)
	u.signIn(idp.Options{})
	if all, _ := u.doctor(); all["state"].Result != "ok" {
		t.Errorf("with locks: got %+v, want ok", all["state"])
	}
	out, _, code := u.withoutLocks("doctor", "--json")
	got := stateOf(t, []byte(out))
	if code != 1 || got.Result != "fail" || !strings.Contains(got.Detail, "has no locks") || !strings.Contains(got.Fix, "AUTHCTL_STATE_DIR") {
		t.Errorf("without: got exit %d, %+v, want 1, fail and another place", code, got)
	}
}

// What a sudo left behind belongs to root, and who has to do what about it differs.
func TestDoctorFindsAnotherUsersFiles(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		need.Missing(t, "root, to be two users")
	}
	u := newUser(t)
	u.signIn(idp.Options{}, u.storeFlags("file")...)
	for _, dir := range []string{filepath.Dir(authctl), filepath.Dir(u.home)} { // a stranger has to get there
		if err := os.Chmod(dir, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	asStranger := func() finding {
		t.Helper()
		cmd := u.command("doctor", "--json")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stranger, Gid: stranger}}
		out, err := cmd.Output()
		if failed, ok := err.(*exec.ExitError); err != nil && !ok {
			t.Fatal(err)
		} else if ok && failed.ExitCode() != 1 {
			t.Fatalf("exit %d: %s", failed.ExitCode(), failed.Stderr)
		}
		return stateOf(t, out)
	}
	give(t, stranger, u.home, "config", "keys")
	if err := os.Chown(filepath.Join(u.home, "state"), stranger, stranger); err != nil {
		t.Fatal(err)
	}
	if got := asStranger(); got.Result != "fail" || !strings.HasSuffix(got.Detail, "state/authctl belongs to user 0") || got.Fix != `sudo chown -R "$(id -un)" ~/state/authctl` {
		t.Errorf("root's files, seen by another: got %+v", got)
	}
	give(t, stranger, u.home, "state")
	if got := asStranger(); got.Result != "ok" {
		t.Errorf("one's own files: got %+v, want ok", got)
	}
	all, _ := u.doctor()
	if got := all["state"]; got.Result != "fail" || !strings.HasSuffix(got.Detail, "is another user's: its owner has the ID 65534") || !strings.Contains(got.Fix, "without sudo") {
		t.Errorf("another's files, seen by root: got %+v", got)
	}
}

// give makes the home, and what is below some directories of it, another user's.
func give(t *testing.T, uid int, home string, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		err := filepath.WalkDir(filepath.Join(home, dir), func(path string, _ os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Lchown(path, uid, uid)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(home, uid, uid); err != nil {
		t.Fatal(err)
	}
}

// stateOf is what doctor --json says of the state directory.
func stateOf(t *testing.T, out []byte) (found finding) {
	t.Helper()
	var all []finding
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	for _, f := range all {
		if f.Name == "state" {
			found = f
		}
	}
	return found
}
