package wine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/need"
)

// patience is how long one program may take.
const patience = time.Minute

// system is a Windows of the tests' own, with the built programs in «C:\Program Files».
type system struct {
	wine, server string // Wine's programs
	dir          string // everything is below it, the Unix home too
	err          error
	umask        string // of the server that runs; empty: none does
}

// made is what windows has made, empty until then.
var made = &system{}

// windows is made when the first test needs it, and ends with the last.
var windows = sync.OnceValue(func() *system {
	s := made
	if s.wine, s.server = find("wine64"), find("wineserver64", "wineserver"); s.wine == "" || s.server == "" {
		return s
	}
	if s.dir, s.err = os.MkdirTemp("", "authctl-wine"); s.err == nil {
		s.err = errors.Join(s.boot(), s.build())
	}
	return s
})

func TestMain(m *testing.M) {
	code := m.Run()
	if made.dir != "" {
		made.stop()
		os.RemoveAll(made.dir)
	}
	os.Exit(code)
}

// find looks on PATH, and where Debian's wine64 alone has them.
func find(names ...string) string {
	for _, name := range names {
		for _, place := range []string{name, "/usr/lib/wine/" + name} {
			if path, err := exec.LookPath(place); err == nil {
				return path
			}
		}
	}
	return ""
}

// boot makes the prefix, with the DLL without which Go's programs don't start.
func (s *system) boot() error {
	if err := s.unix(s.wine, "wineboot", "-i").Run(); err != nil {
		return fmt.Errorf("wineboot: %w", err)
	}
	dll := s.path(`C:\windows\system32\bcryptprimitives.dll`)
	if _, err := os.Stat(dll); err == nil {
		return nil
	}
	return os.WriteFile(dll, forwarder("bcryptprimitives.dll", "ProcessPrng", "advapi32.SystemFunction036"), 0o600)
}

// serve has one server for all programs, which makes their files. By itself it ends some
// time after the last of them, and one that comes at that moment ends without a word.
func (s *system) serve(t *testing.T, umask string) {
	t.Helper()
	if s.umask == umask {
		return
	}
	s.stop()
	if err := s.unix("sh", "-c", `umask "$0"; exec "$@"`, umask, s.server, "-p").Run(); err != nil {
		t.Fatalf("wineserver: %v", err)
	}
	s.umask = umask
}

// stop ends the server, and all programs.
func (s *system) stop() {
	s.unix(s.server, "-k").Run() // of this prefix alone
	s.unix(s.server, "-w").Run()
}

const programs = `C:\Program Files\authctl`

// build puts authctl into «C:\Program Files», beside person. It is built as .ci/check does,
// so that a compiler's work is done once.
func (s *system) build() error {
	cmd := exec.Command("go", "build", "-o", s.path(programs)+"/", "../../../cmd/authctl", "./person")
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// path is where Linux has a file of drive C.
func (s *system) path(name string) string {
	return filepath.Join(s.dir, "prefix", "drive_c", filepath.FromSlash(strings.ReplaceAll(strings.TrimPrefix(name, `C:`), `\`, "/")))
}

// unix is a command in the prefix's environment, in which nothing is of whoever runs the
// tests.
func (s *system) unix(name string, args ...string) *exec.Cmd {
	return s.unixUntil(context.Background(), name, args...)
}

// unixUntil is the same, killed when ctx ends.
func (s *system) unixUntil(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "WINEPREFIX=" + filepath.Join(s.dir, "prefix"),
		"WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=", "LANG=C.UTF-8", "TZ=UTC", "TERM=xterm"}
	cmd.WaitDelay = 5 * time.Second // what a program has started may keep its stdout
	return cmd
}

// user is somebody on that Windows, with directories of their own.
type user struct {
	t     *testing.T
	sys   *system
	other bool // than Wine's own
	home  string
	env   []string
	umask string // of Wine: what others may do with new files
}

// newUser leaves the test out where there is no Wine. A name may have spaces, and letters
// that ASCII hasn't; without one it is the user that Wine makes.
func newUser(t *testing.T, name string) *user {
	t.Helper()
	lookAtSources(t)
	s := windows()
	if s.wine == "" {
		need.Missing(t, "wine64")
	}
	if s.err != nil {
		t.Fatal(s.err)
	}
	u := &user{t: t, sys: s, other: name != "", umask: "077", home: `C:\users\` + name}
	u.set(fmt.Sprintf(`BROWSER="%s\person.exe" visit`, programs))
	if !u.other {
		u.home = s.ownHome(t)
		return u
	}
	u.set("USERPROFILE="+u.home, "APPDATA="+u.home+`\AppData\Roaming`, "LOCALAPPDATA="+u.home+`\AppData\Local`)
	u.mkdir(`AppData\Roaming`)
	u.mkdir(`AppData\Local`)
	return u
}

// lookAtSources sees every file that the programs are made of: go test repeats an old
// result until something has changed that a test looked at, as what go build reads is not.
func lookAtSources(t *testing.T) {
	t.Helper()
	for _, root := range []string{"../../../cmd", "../../../internal"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".go" && filepath.Ext(path) != ".txtar" {
				return err
			}
			_, err = os.Stat(path)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// ownHome is that of the one user whom Wine has made.
func (s *system) ownHome(t *testing.T) string {
	t.Helper()
	homes, err := filepath.Glob(s.path(`C:\users`) + "/*/AppData/Roaming/Microsoft")
	if err != nil || len(homes) != 1 {
		t.Fatalf("got %v, %v, want the home of one user", homes, err)
	}
	return `C:\users\` + filepath.Base(filepath.Dir(filepath.Dir(filepath.Dir(homes[0]))))
}

// set sets variables for what the user runs.
func (u *user) set(vars ...string) { u.env = append(u.env, vars...) }

// command is a program of ours, run by the user. Wine itself sets the variables of its
// own user, so another one's are set by a program that runs in it.
func (u *user) command(program string, args ...string) *exec.Cmd {
	u.sys.serve(u.t, u.umask)
	line := append([]string{programs + `\` + program + ".exe"}, args...)
	if u.other {
		with := slices.Concat([]string{programs + `\person.exe`, "with"}, u.env, []string{"--"})
		line = append(with, line...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	u.t.Cleanup(cancel)
	cmd := u.sys.unixUntil(ctx, "sh", slices.Concat([]string{"-c", `umask "$0"; exec "$@"`, u.umask, u.sys.wine}, line)...)
	if !u.other {
		cmd.Env = append(cmd.Env, u.env...)
	}
	return cmd
}

// result is how a program ended.
type result struct {
	stdout, stderr string
	code           int
}

func (u *user) run(program string, args ...string) result {
	u.t.Helper()
	return u.finish(u.command(program, args...))
}

func (u *user) finish(cmd *exec.Cmd) result {
	u.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		u.t.Fatal(err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// authctl runs it and wants that exit code.
func (u *user) authctl(code int, args ...string) result {
	u.t.Helper()
	r := u.run("authctl", args...)
	if r.code != code {
		u.t.Fatalf("authctl %q: got exit code %d, want %d: %s", args, r.code, code, r.stderr)
	}
	return r
}

// person runs it and wants success.
func (u *user) person(args ...string) string {
	u.t.Helper()
	r := u.run("person", args...)
	if r.code != 0 {
		u.t.Fatalf("person %q: got exit code %d: %s", args, r.code, r.stderr)
	}
	return r.stdout
}

// file is where Linux has a file of the user's home.
func (u *user) file(name string) string { return u.sys.path(u.home + `\` + name) }
