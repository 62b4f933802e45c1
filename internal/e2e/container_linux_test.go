package e2e

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/need"
)

// container is a root directory with two programs, a place for temporary files and
// /dev/null, as an image that is made from nothing has them: no shell, no libc, no users,
// no /proc, no bus, no keychain, no terminal, no certificates.
type container struct {
	t    *testing.T
	root string
	env  []string
}

func newContainer(t *testing.T) *container {
	t.Helper()
	if os.Getuid() != 0 {
		need.Missing(t, "root, to change the root directory")
	}
	if err := lookAtSources(); err != nil {
		t.Fatal(err)
	}
	c := &container{t: t, root: t.TempDir(), env: []string{"HOME=/root", "PATH=/bin"}}
	for _, dir := range []string{"bin", "dev", "root", "tmp"} {
		if err := os.Mkdir(filepath.Join(c.root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mknod(filepath.Join(c.root, "dev", "null"), syscall.S_IFCHR|0o666, 1<<8|3); err != nil {
		need.Missing(t, "the right to make a device")
	}
	c.install(authctl)
	c.install(demoIDP)
	return c
}

// install puts a program there.
func (c *container) install(program string) {
	c.t.Helper()
	from, err := os.Open(program)
	if err != nil {
		c.t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(filepath.Join(c.root, "bin", filepath.Base(program)), os.O_CREATE|os.O_WRONLY, 0o700)
	if err != nil {
		c.t.Fatal(err)
	}
	defer to.Close()
	if _, err := io.Copy(to, from); err != nil {
		c.t.Fatal(err)
	}
}

// run runs a program of the container's to its end.
func (c *container) run(program string, args ...string) (stdout, stderr string, code int) {
	c.t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(c.t.Context(), filepath.Join("/bin", program), args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = c.env, "/", &out, &errs
	cmd.Stdin = strings.NewReader("")
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: c.root, Setsid: true}
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	cmd.Wait() // its exit code is in ProcessState
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// A login there says what is missing and how to do without, before anything else happens.
// With what it names, everything works.
func TestContainerFromNothing(t *testing.T) {
	t.Parallel()
	c := newContainer(t)
	p := demoProvider(t, idp.Options{}).Issuer()
	login := []string{"login", "--issuer", p, "--client-id", "demo", "--timeout", "30s", "--browser", "demo-idp click"}
	stdout, stderr, code := c.run("authctl", login...)
	if code != 5 || stdout != "" || !strings.Contains(stderr, "there is no keychain") || !strings.Contains(stderr, "--store-key-file FILE") {
		t.Errorf("without a keychain: got exit %d, stdout %q, stderr %q, want 5 and the flags of the file store", code, stdout, stderr)
	}
	if _, stderr, code = c.run("authctl", "login", "--issuer", p, "--client-id", "demo"); code != 2 || !strings.Contains(stderr, "--device") {
		t.Errorf("without a browser: got exit %d, stderr %q, want 2 and the flags that help", code, stderr)
	}
	login = append(login, "--store", "file", "--store-key-file", "/root/key")
	if _, stderr, code = c.run("authctl", login...); code != 0 {
		t.Fatalf("login: exit %d\n%s", code, stderr)
	}
	first, stderr, code := c.run("authctl", "token")
	if code != 0 || len(first) < 20 {
		t.Fatalf("token: exit %d, %d bytes\n%s", code, len(first), stderr)
	}
	if renewed, stderr, code := c.run("authctl", "token", "--refresh"); code != 0 || renewed == first {
		t.Errorf("token --refresh: exit %d\n%s", code, stderr)
	}
	if got, stderr, code := c.run("authctl", "whoami", "--claim", "email"); code != 0 || got != account+"\n" {
		t.Errorf("whoami: exit %d, %q\n%s", code, got, stderr)
	}
	if _, stderr, code = c.run("authctl", "logout"); code != 0 {
		t.Errorf("logout: exit %d\n%s", code, stderr)
	}
	if _, _, code = c.run("authctl", "token"); code != 3 {
		t.Errorf("token after the logout: exit %d, want 3", code)
	}
}

// The demonstration needs nothing but itself.
func TestDemoInAContainerFromNothing(t *testing.T) {
	t.Parallel()
	c := newContainer(t)
	stdout, stderr, code := c.run("demo-idp", "demo", "--robot", "--authctl", "/bin/authctl")
	if code != 0 || !strings.Contains(stdout, "That was all of it") {
		t.Errorf("the demonstration: exit %d\n%s\n%s", code, stdout, stderr)
	}
	left, err := os.ReadDir(filepath.Join(c.root, "tmp"))
	if err != nil || len(left) > 0 {
		t.Errorf("it left %v in /tmp, %v", left, err)
	}
}
