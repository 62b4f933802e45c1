package e2e

import (
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/keychaintest"
	"github.com/authctl/authctl/internal/need"
)

// On a file system without locks, as some network homes are, what needs none goes on. All
// else says so before a browser opens or a refresh token is spent, and names the way out.
func TestHomeWithoutLocks(t *testing.T) {
	t.Parallel()
	need.Program(t, "strace")
	u := newUserWith(t, keychaintest.Open(t, keychaintest.NoBus))
	p := u.signIn(idp.Options{}, u.storeFlags("file")...)
	token := u.must("token")
	browser, opened := u.marker("browser")
	for _, tc := range []struct {
		code int // 0: it needs no lock
		args []string
	}{
		{0, []string{"token"}},
		{0, []string{"whoami"}},
		{0, []string{"status"}},
		{5, []string{"token", "--refresh"}},
		{5, []string{"login", "--browser", browser}},
		{1, []string{"login", "--browser", browser, "--scope", "openid"}}, // the config's lock comes first
		{1, []string{"profile", "set", "--scope", "openid"}},
		{5, []string{"logout"}},
		{0, []string{"token"}},
	} {
		stdout, stderr, code := u.withoutLocks(tc.args...)
		said := strings.Contains(stderr, "the file system ") && strings.Contains(stderr, " has no locks: ") &&
			strings.Contains(stderr, "\nhint: this file system knows no locks: set AUTHCTL_STATE_DIR to a directory on a local disk\n")
		if code != tc.code || said != (code != 0) || (stdout != "") != (code == 0) {
			t.Errorf("%v: got exit %d, %d characters of stdout, stderr %q, want %d and what to do", tc.args, code, len(stdout), stderr, tc.code)
		}
		checkWords(t, code, stderr, p.Secrets())
	}
	if opened() || renewals(p) != 0 || p.Count("revoke") != 0 {
		t.Error("a browser was opened, or the provider was asked")
	}
	if got := u.must("token"); got != token {
		t.Error("with locks again: got another token")
	}
	u.must("token", "--refresh")
}

// withoutLocks runs authctl where the kernel answers as such a file system does.
func (u *user) withoutLocks(args ...string) (stdout, stderr string, code int) {
	u.t.Helper()
	var out, errs strings.Builder
	cmd := u.program("strace", append([]string{"-f", "-qq", "-o", "/dev/null", "-e", "trace=flock", "-e", "inject=flock:error=ENOLCK", authctl}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Run() // its exit code is in ProcessState
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}
