package e2e

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/need"
)

// disk is a small file system that holds a user's home. Only processes that the test
// starts on it see it, and it is gone when the test ends.
type disk struct {
	u      *user
	holder string // the process that keeps it, by its ID
}

// newDisk gives u's home a file system of its own, of 256 KiB.
func newDisk(t *testing.T, u *user) *disk {
	t.Helper()
	need.Program(t, "unshare", "nsenter", "mount")
	if os.Getuid() != 0 {
		need.Missing(t, "root, to mount a small file system")
	}
	const script = `mount -t tmpfs -o size=256k,mode=700 authctl-test "$0" && echo mounted && exec cat`
	cmd := u.program("unshare", "--mount", "--propagation", "private", "sh", "-c", script, u.home)
	said := newTranscript()
	cmd.Stdout, cmd.Stderr = said, said
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); cmd.Wait() })
	said.await(t, "(?m)^mounted$")
	return &disk{u, strconv.Itoa(cmd.Process.Pid)}
}

// command runs a program where the disk is seen.
func (d *disk) command(name string, args ...string) *exec.Cmd {
	return d.u.program("nsenter", append([]string{"--target", d.holder, "--mount", "--root", "--", name}, args...)...)
}

// run runs authctl there to its end.
func (d *disk) run(args ...string) (stdout, stderr string, code int) {
	d.u.t.Helper()
	return d.runDuring(func() {}, args...)
}

// runDuring does the same, with something that happens meanwhile.
func (d *disk) runDuring(meanwhile func(), args ...string) (stdout, stderr string, code int) {
	d.u.t.Helper()
	var out, errs bytes.Buffer
	cmd := d.command(authctl, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		d.u.t.Fatal(err)
	}
	meanwhile()
	cmd.Wait() // its exit code is in ProcessState
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func (d *disk) must(args ...string) string {
	d.u.t.Helper()
	stdout, stderr, code := d.run(args...)
	if code != 0 {
		d.u.t.Fatalf("authctl %s: exit %d\n%s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

// path is where the test itself finds a file of the disk.
func (d *disk) path(elem ...string) string {
	return filepath.Join(append([]string{"/proc", d.holder, "root", d.u.home}, elem...)...)
}

// fill writes until there is no room for a byte.
func (d *disk) fill() {
	d.u.t.Helper()
	if err := os.WriteFile(d.path("filler"), make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		d.u.t.Fatalf("filling the disk: got %v, want that it is full", err)
	}
}

func (d *disk) empty() {
	d.u.t.Helper()
	if err := os.Remove(d.path("filler")); err != nil {
		d.u.t.Fatal(err)
	}
}

func (d *disk) remount(option string) {
	d.u.t.Helper()
	if out, err := d.command("mount", "-o", "remount,"+option, d.u.home).CombinedOutput(); err != nil {
		d.u.t.Fatalf("mount: %v\n%s", err, out)
	}
}

// kept are the files that matter, with what is in them: all but locks and the filler.
func (d *disk) kept() map[string]string {
	d.u.t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(d.path(), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || filepath.Base(filepath.Dir(path)) == "locks" || e.Name() == "filler" {
			return err
		}
		content, err := os.ReadFile(path)
		files[path] = string(content)
		return err
	})
	if err != nil {
		d.u.t.Fatal(err)
	}
	return files
}

// badDisks are the ways in which a disk can't be written.
var badDisks = []struct {
	name         string
	damage, mend func(d *disk)
	said, hint   string
}{
	{"full", (*disk).fill, (*disk).empty, "no space left", "free some space"},
	{"read-only", func(d *disk) { d.remount("ro") }, func(d *disk) { d.remount("rw") }, "read-only file system", "AUTHCTL_STATE_DIR"},
}

// What can't be kept is said before a browser opens or a refresh token is spent. What
// was there stays whole.
func TestDiskThatCannotBeWritten(t *testing.T) {
	for _, bad := range badDisks {
		for _, store := range []string{"keychain", "file"} {
			t.Run(bad.name+"/"+store, func(t *testing.T) {
				t.Parallel()
				u := newUser(t)
				d := newDisk(t, u)
				p := demoProvider(t, idp.Options{})
				browser, opened := u.marker("browser")
				flags := append(u.storeFlags(store), "--issuer", p.Issuer(), "--client-id", "demo")
				login := func(browser string, more ...string) []string {
					return append(append([]string{"login", "--timeout", "20s", "--browser", browser}, flags...), more...)
				}
				refuses := func(code int, args ...string) {
					t.Helper()
					before := d.kept()
					bad.damage(d)
					stdout, stderr, got := d.run(args...)
					if got != code || stdout != "" || !strings.Contains(stderr, bad.said) || !strings.Contains(stderr, "\nhint: ") || !strings.Contains(stderr, bad.hint) {
						t.Errorf("%v: got exit %d, stdout %q, stderr %q, want %d, nothing, %q and a hint of %q", args, got, stdout, stderr, code, bad.said, bad.hint)
					}
					if lines := strings.Count(stderr, "authctl: "); lines != 1 {
						t.Errorf("%v: got %d lines of errors:\n%s", args, lines, stderr)
					}
					bad.mend(d)
					if after := d.kept(); !maps.Equal(before, after) {
						t.Errorf("%v: got other files than before:\n%q\n%q", args, slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)))
					}
				}

				refuses(1, login(browser)...) // the config file can't be saved

				d.must(login(robotBrowser())...)
				token := d.must("token")
				bad.damage(d)
				if got := d.must("token"); got != token {
					t.Error("a cached token: got another one")
				}
				bad.mend(d)

				if store == "file" {
					refuses(5, "login", "--timeout", "20s", "--browser", browser) // nothing to save but the session
					refuses(5, "token", "--refresh")
				}
				refuses(1, login(browser, "--profile", "second")...)
				if opened() {
					t.Error("a browser was opened")
				}
				if renewals(p) != 0 {
					t.Error("a refresh token was spent")
				}
				if got := d.must("token"); got != token {
					t.Error("afterwards: got another token")
				}
				d.must("token", "--refresh")

				bad.damage(d) // forgetting needs no room, but a place that can be written
				_, stderr, code := d.run("logout")
				stays := bad.name == "read-only" && store == "file"
				if stays != (code == 5) || stays != strings.Contains(stderr, "its tokens are revoked, but still stored") || p.Count("revoke") == 0 {
					t.Errorf("logout: exit %d after %d revocations\n%s", code, p.Count("revoke"), stderr)
				}
				bad.mend(d)
				d.must("logout")
				if _, _, code := d.run("token"); code != 3 {
					t.Errorf("token after logout: exit %d, want 3", code)
				}
			})
		}
	}
}

// The disk fills while the provider answers: the refresh token is spent, and what
// follows is said. The old token is still there.
func TestDiskFillsDuringARenewal(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	d := newDisk(t, u)
	p := demoProvider(t, idp.Options{})
	d.must(append([]string{"login", "--issuer", p.Issuer(), "--client-id", "demo", "--browser", robotBrowser()}, u.storeFlags("file")...)...)
	token, before := d.must("token"), d.kept()
	p.Set(func(o *idp.Options) { o.Latency = time.Second })
	stdout, stderr, code := d.runDuring(func() {
		eventually(t, "the request is sent", func() bool { return renewals(p) == 1 })
		d.fill()
	}, "token", "--refresh")
	if code != 5 || stdout != "" || !strings.Contains(stderr, "not saved") || !strings.Contains(stderr, "authctl login") {
		t.Errorf("got exit %d, stdout %q, stderr %q, want 5 and what to do", code, stdout, stderr)
	}
	if after := d.kept(); !maps.Equal(before, after) {
		t.Errorf("got other files than before: %q", slices.Sorted(maps.Keys(after)))
	}
	if got := d.must("token"); got != token {
		t.Error("the old token, which is good: got another one")
	}
	d.empty()
	if _, _, code := d.run("token", "--refresh"); code != 3 {
		t.Errorf("its refresh token: exit %d, want 3", code)
	}
	d.must("login", "--browser", robotBrowser())
	d.must("token", "--refresh")
}
