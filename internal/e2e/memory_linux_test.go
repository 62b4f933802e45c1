package e2e

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/keychaintest"
	"github.com/authctl/authctl/internal/need"
)

// ordinary is a user without the rights of root, and with a copy of authctl.
type ordinary struct {
	*user
	authctl    string
	credential *syscall.Credential // nil: whoever runs the tests is one
}

func newOrdinary(t *testing.T) *ordinary {
	t.Helper()
	o := &ordinary{user: newUserWith(t, keychaintest.Open(t, keychaintest.NoBus))}
	home, err := os.MkdirTemp("", "authctl-ordinary") // t.TempDir's parents are root's alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	o.home, o.authctl = home, filepath.Join(home, "authctl")
	o.set("HOME="+home, "TMPDIR="+home, "XDG_CONFIG_HOME="+home+"/config", "XDG_STATE_HOME="+home+"/state", "XDG_RUNTIME_DIR="+home)
	copyProgram(t, authctl, o.authctl)
	if os.Getuid() == 0 {
		const nobody = 65534
		o.credential = &syscall.Credential{Uid: nobody, Gid: nobody}
		if err := os.Chown(home, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// copyProgram has another process write it: what this one has open for writing, its
// children would have open too for a moment, and no such file can be run.
func copyProgram(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.Command("install", "-m", "755", from, to).CombinedOutput(); err != nil {
		t.Fatalf("install: %v\n%s", err, out)
	}
}

// starts starts a program as this user.
func (o *ordinary) starts(program string, args ...string) *process {
	o.t.Helper()
	cmd := o.program(program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: o.credential}
	return o.begin(cmd, nil)
}

// Another program of the same user's can't look into authctl: not into the token that it
// was given in its environment, nor into its memory. The twin: it can into what exec
// becomes.
func TestNobodyLooksIntoAuthctl(t *testing.T) {
	t.Parallel()
	need.Program(t, "cat", "strace", "sleep")
	o := newOrdinary(t)
	o.set("AUTHCTL_TOKEN=" + given)
	provider := demoProvider(t, idp.Options{})
	login := o.starts(o.authctl, "login", "--no-browser", "--issuer", provider.Issuer(), "--client-id", "demo", "--store", "file", "--store-key-file", "key")
	login.stderr.await(t, `(?m)^http://\S+$`)
	child := o.starts(o.authctl, "exec", "--", "sleep", "600")
	eventually(t, "exec has become its command", func() bool { return comm(child) == "sleep" })
	for _, tc := range []struct {
		name  string
		of    *process
		may   bool
		owner int
	}{
		{"authctl", login, false, 0},
		{"what exec becomes", child, true, os.Getuid()},
	} {
		if tc.may && o.credential != nil {
			tc.owner = int(o.credential.Uid)
		}
		proc := filepath.Join("/proc", strconv.Itoa(tc.of.cmd.Process.Pid))
		if info, err := os.Stat(filepath.Join(proc, "mem")); err != nil || int(info.Sys().(*syscall.Stat_t).Uid) != tc.owner {
			t.Errorf("%s: %s/mem is not owned by %d, %v", tc.name, proc, tc.owner, err)
		}
		look := o.starts("cat", filepath.Join(proc, "environ"))
		if code, got := look.wait(), look.stdout.String(); (code == 0) != tc.may || strings.Contains(got, given) != tc.may {
			t.Errorf("%s: reading its environment ended with %d and %d characters, want that it may: %t", tc.name, code, len(got), tc.may)
		}
		if tc.may && !tracingIsFree(t) {
			continue
		}
		attach := o.starts("strace", "-e", "trace=none", "-p", filepath.Base(proc))
		if tc.may {
			attach.stderr.await(t, "attached")
			attach.cmd.Process.Signal(syscall.SIGINT)
			attach.wait()
		} else if code := attach.wait(); code == 0 || !strings.Contains(attach.stderr.String(), "not permitted") {
			t.Errorf("%s: strace ended with %d, want that it may not\n%s", tc.name, code, attach.stderr)
		}
	}
	login.cmd.Process.Signal(os.Interrupt)
	if code := login.wait(); code != 130 {
		t.Errorf("login: exit %d, want 130", code)
	}
}

func comm(p *process) string {
	name, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "comm"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(name))
}

// tracingIsFree: some systems let nobody trace but a parent, whatever the program.
func tracingIsFree(t *testing.T) bool {
	t.Helper()
	f, err := os.Open("/proc/sys/kernel/yama/ptrace_scope")
	if err != nil {
		return true
	}
	defer f.Close()
	scope, err := io.ReadAll(f)
	return err == nil && strings.TrimSpace(string(scope)) == "0"
}

// A port that another login has is still said to be authctl's, though nobody sees what
// it has open.
func TestPortOfAnotherLogin(t *testing.T) {
	t.Parallel()
	o := newOrdinary(t)
	provider := demoProvider(t, idp.Options{})
	redirect := "http://127.0.0.1:" + freePort(t) + "/callback"
	args := []string{"login", "--no-browser", "--issuer", provider.Issuer(), "--client-id", "demo", "--redirect-uri", redirect, "--store", "file", "--store-key-file", "key"}
	first := o.starts(o.authctl, args...)
	first.stderr.await(t, `(?m)^http://\S+$`)
	second := o.starts(o.authctl, append(args, "--prompt", "login")...) // or it would wait for the other
	if code, got := second.wait(), second.stderr.String(); code != 1 || !strings.Contains(got, "another authctl has it") {
		t.Errorf("got exit %d and %q, want 1, and that another authctl has it", code, got)
	}
	first.cmd.Process.Signal(os.Interrupt)
	first.wait()
}
