package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/idp"
)

// outcome is how a process ended.
type outcome struct {
	code   int
	stdout string
}

func (o outcome) String() string {
	return fmt.Sprintf("exit %d with %d characters", o.code, len(o.stdout))
}

// crowd starts n processes of one command line at once.
func (u *user) crowd(n int, args ...string) []*process {
	u.t.Helper()
	var all []*process
	for range n {
		all = append(all, u.start(nil, args...))
	}
	return all
}

// tally waits for all and counts how they ended.
func tally(all []*process) map[outcome]int {
	ends := map[outcome]int{}
	for _, p := range all {
		code := p.wait()
		ends[outcome{code, p.stdout.String()}]++
	}
	return ends
}

// alike fails the test unless all end with the code, one answer among them, and what
// they say on stderr holds a text. It returns the answer.
func alike(t testing.TB, all []*process, code int, said string) (answer string) {
	t.Helper()
	ends := tally(all)
	for end := range ends {
		answer = end.stdout
	}
	if len(ends) != 1 || ends[outcome{code, answer}] != len(all) {
		t.Errorf("got %v, want %d times exit %d with one answer; one said:\n%s", ends, len(all), code, all[0].stderr)
	}
	for _, p := range all {
		if got := p.stderr.String(); !strings.Contains(got, said) || said == "" && got != "" {
			t.Errorf("stderr: got %q, want %q in it", got, said)
			break
		}
	}
	return answer
}

// signIn signs the user in at a provider of their own, by the robot.
func (u *user) signIn(o idp.Options, flags ...string) *idp.Server {
	u.t.Helper()
	p := demoProvider(u.t, o)
	u.signInAt(p, flags...)
	return p
}

func (u *user) signInAt(p *idp.Server, flags ...string) {
	u.t.Helper()
	u.must(append([]string{"login", "--issuer", p.Issuer(), "--client-id", "demo", "--browser", robotBrowser()}, flags...)...)
}

// signInExpired does the same, and returns when the token has expired. The next one
// lives for an hour.
func (u *user) signInExpired(o idp.Options, flags ...string) *idp.Server {
	u.t.Helper()
	ttl := o.AccessTTL
	o.AccessTTL = time.Second
	p := u.signIn(o, flags...)
	p.Set(func(o *idp.Options) { o.AccessTTL = ttl })
	u.awaitExpiry()
	return p
}

func (u *user) awaitExpiry() {
	u.t.Helper()
	eventually(u.t, "the token expires", func() bool {
		return strings.Contains(u.must("status", "--json"), `"expired"`)
	})
}

// renewals is how often a provider was asked for a renewal.
func renewals(p *idp.Server) int { return p.Count("token/refresh_token") }

// stateFile is a file below authctl's state directory.
func (u *user) stateFile(elem ...string) string {
	return filepath.Join(append([]string{u.home, "state", "authctl"}, elem...)...)
}

// profileLock is the lock of the profile "default".
type profileLock struct {
	t     testing.TB
	path  string
	inode string // as /proc/locks ends it
}

func (u *user) lock() *profileLock {
	u.t.Helper()
	path := u.stateFile("locks", u.named("default")+".lock")
	info, err := os.Stat(path)
	if err != nil {
		u.t.Fatal(err)
	}
	return &profileLock{u.t, path, fmt.Sprintf(":%d", info.Sys().(*syscall.Stat_t).Ino)}
}

// hold takes the lock, so that whoever asks for it waits until the test gives it back.
func (l *profileLock) hold() (release func()) {
	l.t.Helper()
	f, err := os.OpenFile(l.path, os.O_RDWR, 0)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { f.Close() })
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		l.t.Fatal(err)
	}
	return func() { f.Close() }
}

// await returns once n processes wait for the lock.
func (l *profileLock) await(n int) {
	l.t.Helper()
	eventually(l.t, fmt.Sprintf("%d processes wait for the lock", n), func() bool {
		_, waiting := l.look()
		return waiting >= n
	})
}

// look asks the kernel for the process that holds the lock, 0 for nobody, and for the
// number of those that wait.
func (l *profileLock) look() (holder, waiting int) {
	l.t.Helper()
	list, err := os.ReadFile("/proc/locks")
	if err != nil {
		l.t.Fatal(err)
	}
	for line := range strings.Lines(string(list)) {
		f := strings.Fields(line) // 1: [->] FLOCK ADVISORY WRITE PID MAJOR:MINOR:INODE 0 EOF
		switch {
		case len(f) > 6 && f[1] == "->" && strings.HasSuffix(f[6], l.inode):
			waiting++
		case len(f) > 5 && strings.HasSuffix(f[5], l.inode):
			holder, _ = strconv.Atoi(f[4])
		}
	}
	return holder, waiting
}
