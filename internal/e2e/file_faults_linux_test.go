package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/keychaintest"
	"github.com/authctl/authctl/internal/need"
)

// sealedState is where a session of the file store lies, with the tools to damage it.
type sealedState struct {
	t                                *testing.T
	key, dir, sealed, locks, another string // another: a second profile's sealed file
}

func (u *user) sealedState(t *testing.T) sealedState {
	return sealedState{
		t: t, key: filepath.Join(u.home, "keys", "authctl"), dir: u.stateFile(), locks: u.stateFile("locks"),
		sealed: u.stateFile("file", "file~default~sealed"), another: u.stateFile("file", "file~second~sealed"),
	}
}

func (s sealedState) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s sealedState) read(path string) []byte {
	content, err := os.ReadFile(path)
	s.check(err)
	return content
}

func (s sealedState) write(path string, content []byte) { s.check(os.WriteFile(path, content, 0o600)) }
func (s sealedState) remove(path string)                { s.check(os.Remove(path)) }
func (s sealedState) mkdir(path string)                 { s.check(os.Mkdir(path, 0o700)) }
func (s sealedState) move(from, to string)              { s.check(os.Rename(from, to)) }
func (s sealedState) link(to, path string)              { s.check(os.Symlink(to, path)) }
func (s sealedState) cut(size int64)                    { s.check(os.Truncate(s.sealed, size)) }

// flip changes one bit of the sealed file; at -1 it is in the last byte.
func (s sealedState) flip(at int) {
	content := s.read(s.sealed)
	content[(at+len(content))%len(content)] ^= 1
	s.write(s.sealed, content)
}

// aside puts a file out of the way.
func (s sealedState) aside(path string) { s.move(path, path+".away") }

// fileFault is what happens to it. The codes are those of a cached token, a renewal and a
// login; a login that succeeds has repaired what there was.
type fileFault struct {
	name                  string
	damage                func(s sealedState)
	token, renewal, login int
	said                  string // by those that fail
	root                  bool   // the test has to be root's
	late                  bool   // login finds out when it has the tokens, and revokes them
}

var fileFaults = []fileFault{
	{name: "none", damage: func(sealedState) {}},

	{name: "key gone", damage: func(s sealedState) { s.remove(s.key) }, token: 5, renewal: 5, said: "no such file"},
	{name: "key replaced", damage: func(s sealedState) { s.write(s.key, bytes.Repeat([]byte{7}, 32)) }, token: 5, renewal: 5, said: "sealed with another key"},
	{name: "key cut", damage: func(s sealedState) { s.write(s.key, make([]byte, 31)) }, token: 5, renewal: 5, login: 5, said: "31 bytes instead of 32"},
	{name: "key readable by others", damage: func(s sealedState) { chmod(0o640)(s.t, s.key) }, token: 5, renewal: 5, login: 5, said: "chmod 600"},
	{name: "key a directory", damage: func(s sealedState) { s.remove(s.key); s.mkdir(s.key) }, token: 5, renewal: 5, login: 5, said: "no regular file"},
	{name: "key another's", damage: func(s sealedState) { chown(s.t, s.key, stranger) }, token: 5, renewal: 5, login: 5, said: "permission denied", root: true},

	{name: "sealed file emptied", damage: func(s sealedState) { s.cut(0) }, token: 5, renewal: 5, said: "can't be read"},
	{name: "sealed file cut in its first line", damage: func(s sealedState) { s.cut(10) }, token: 5, renewal: 5, said: "can't be read"},
	{name: "sealed file cut", damage: func(s sealedState) { s.cut(100) }, token: 5, renewal: 5, said: "can't be read"},
	{name: "a bit of the form's name", damage: func(s sealedState) { s.flip(3) }, token: 5, renewal: 5, said: "can't be read"},
	{name: "a bit of the nonce", damage: func(s sealedState) { s.flip(20) }, token: 5, renewal: 5, said: "was changed"},
	{name: "a bit of the text", damage: func(s sealedState) { s.flip(200) }, token: 5, renewal: 5, said: "was changed"},
	{name: "a bit of the tag", damage: func(s sealedState) { s.flip(-1) }, token: 5, renewal: 5, said: "was changed"},
	{name: "another profile's sealed file", damage: func(s sealedState) { s.write(s.sealed, s.read(s.another)) }, token: 5, renewal: 5, said: "for another name"},
	{name: "sealed file a link", damage: func(s sealedState) { s.move(s.sealed, s.dir+"/elsewhere"); s.link(s.dir+"/elsewhere", s.sealed) }},
	{name: "sealed file a dead link", damage: func(s sealedState) { s.move(s.sealed, s.dir+"/lost"); s.link(s.dir+"/elsewhere", s.sealed) }, token: 3, renewal: 3, said: "not signed in"},
	{name: "sealed file unreadable", damage: func(s sealedState) { chmod(0)(s.t, s.sealed) }, token: 5, renewal: 5, said: "permission denied"},
	{name: "sealed file another's", damage: func(s sealedState) { chown(s.t, s.sealed, stranger) }, token: 5, renewal: 5, said: "permission denied", root: true},
	{name: "sealed file a directory", damage: func(s sealedState) { s.remove(s.sealed); s.mkdir(s.sealed) }, token: 5, renewal: 5, login: 5, late: true, said: "file~default~sealed"},

	{name: "sealed files read-only", damage: func(s sealedState) { chmod(0o500)(s.t, filepath.Dir(s.sealed)) }, renewal: 5, login: 5, said: "permission denied"},
	{name: "state a file", damage: func(s sealedState) { s.aside(s.dir); s.write(s.dir, nil) }, token: 5, renewal: 5, login: 1, said: "not a directory"},
	{name: "state a link", damage: func(s sealedState) { s.aside(s.dir); s.link(s.dir+".away", s.dir) }},
	{name: "state gone", damage: func(s sealedState) { s.aside(s.dir) }, token: 3, renewal: 3, said: "not signed in"},
	{name: "locks gone", damage: func(s sealedState) { s.aside(s.locks) }},
	{name: "locks read-only", damage: func(s sealedState) { chmod(0o500)(s.t, s.locks) }},
	{name: "locks read-only and empty", damage: func(s sealedState) { s.aside(s.locks); s.mkdir(s.locks); chmod(0o500)(s.t, s.locks) }, renewal: 5, login: 1, said: "permission denied"},
	{name: "locks a file", damage: func(s sealedState) { s.aside(s.locks); s.write(s.locks, nil) }, renewal: 5, login: 1, said: "not a directory"},
	{name: "lock a directory", damage: func(s sealedState) { s.remove(s.locks + "/default.lock"); s.mkdir(s.locks + "/default.lock") }, renewal: 5, login: 5, said: "default.lock"},
	{name: "lock unreadable", damage: func(s sealedState) { chmod(0)(s.t, s.locks+"/default.lock") }, renewal: 5, login: 5, said: "default.lock"},
}

// Whatever somebody does to the files, a token is printed only if it is the profile's, and
// the provider is not asked for one that can't be kept. Once all is back, so is the session.
func TestFilesAreDamaged(t *testing.T) {
	t.Parallel()
	need.Program(t, "setpriv")
	for _, fault := range fileFaults {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			if fault.root && os.Getuid() != 0 {
				need.Missing(t, "root, to give a file to another user")
			}
			u := newUserWith(t, keychaintest.Open(t, keychaintest.NoBus))
			p := u.signIn(idp.Options{}, u.storeFlags("file")...)
			u.signInAt(p, append(u.storeFlags("file"), "--profile", "second")...)
			token := u.must("token")
			before := u.copyHome()
			fault.damage(u.sealedState(t))
			for _, tc := range []struct {
				code int
				args []string
			}{
				{fault.token, []string{"token"}},
				{fault.renewal, []string{"token", "--refresh"}},
				{fault.login, []string{"login", "--timeout", "20s", "--scope", "openid email offline_access", "--browser", robotBrowser()}},
			} {
				asked := p.Count("")
				stdout, stderr, code := u.powerless(tc.args...)
				if code != tc.code || code != 0 && !strings.Contains(stderr, fault.said) {
					t.Errorf("%v: got exit %d, stderr %q, want %d, %q", tc.args, code, stderr, tc.code, fault.said)
				}
				if (stdout != "") != (code == 0 && tc.args[0] == "token") || len(tc.args) == 1 && code == 0 && stdout != token {
					t.Errorf("%v: exit %d with %d characters", tc.args, code, len(stdout))
				}
				if late := fault.late && tc.args[0] == "login"; code != 0 && (p.Count("") != asked) != late || late != (p.Count("revoke") > 0) {
					t.Errorf("%v: the provider was asked %d times, and %d times to revoke", tc.args, p.Count("")-asked, p.Count("revoke"))
				}
				checkWords(t, code, stderr, p.Secrets())
			}
			if _, stderr, code := u.powerless("token", "--refresh"); (code == 0) != (fault.login == 0) {
				t.Errorf("after the login: exit %d\n%s", code, stderr)
			}
			u.restoreHome(before)
			if got := u.must("token"); got != token {
				t.Error("once all is back: got another token")
			}
		})
	}
}

// An older copy that is put back is not told from the right one: its token is printed
// while it lives, and its refresh token, which was spent, is for the provider to refuse.
func TestOlderCopyIsPutBack(t *testing.T) {
	t.Parallel()
	u := newUserWith(t, keychaintest.Open(t, keychaintest.NoBus))
	u.signIn(idp.Options{}, u.storeFlags("file")...)
	token, older := u.must("token"), u.copyHome()
	u.must("token", "--refresh")
	u.restoreHome(older)
	if got := u.must("token"); got != token {
		t.Error("got another token than the older copy's")
	}
	if _, stderr, code := u.run("token", "--refresh"); code != 3 || !strings.Contains(stderr, "hint: authctl login\n") {
		t.Errorf("its refresh token: got exit %d, stderr %q, want 3 and what to do", code, stderr)
	}
	u.must("login", "--browser", robotBrowser())
	u.must("token", "--refresh")
}

// powerless runs authctl to its end with no more rights than anybody, also for root.
func (u *user) powerless(args ...string) (stdout, stderr string, code int) {
	u.t.Helper()
	cmd := u.command(args...)
	if os.Getuid() == 0 {
		cmd = u.program("setpriv", append([]string{"--bounding-set=-all", "--inh-caps=-all", authctl}, args...)...)
	}
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Run() // its exit code is in ProcessState
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// copyHome keeps all files of the user's as they are, for restoreHome.
func (u *user) copyHome() (copied string) {
	u.t.Helper()
	copied = filepath.Join(u.t.TempDir(), "home")
	u.copyFiles(u.home, copied)
	return copied
}

func (u *user) restoreHome(copied string) {
	u.t.Helper()
	if err := os.RemoveAll(u.home); err != nil {
		u.t.Fatal(err)
	}
	u.copyFiles(copied, u.home)
}

func (u *user) copyFiles(from, to string) {
	u.t.Helper()
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		u.t.Fatalf("cp: %v\n%s", err, out)
	}
}
