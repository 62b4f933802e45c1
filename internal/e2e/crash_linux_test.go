package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/idp"
)

// waiting is authctl with secrets in its memory: the provider has got its request and
// takes a minute for the answer. Cores are of any size here.
func (l *life) waiting(env []string, args ...string) *process {
	l.t.Helper()
	l.p.Set(func(o *idp.Options) { o.Latency = time.Minute })
	before := l.p.Count("token")
	cmd := l.program("sh", append([]string{"-c", `ulimit -c unlimited; exec "$0" "$@"`, authctl}, args...)...)
	cmd.Env = append(cmd.Env, env...)
	p := l.begin(cmd, nil)
	eventually(l.t, "the request is sent", func() bool { return l.p.Count("token") > before })
	l.p.Set(func(o *idp.Options) { o.Latency = 0 })
	return p
}

// A crash leaves no core file, and the goroutines that Go shows then hold no secret: they
// show where a text is and how long, not what it says.
func TestCrashLeavesNoSecret(t *testing.T) {
	for name, args := range map[string][]string{
		"login": {"login", "--browser", robotBrowser()},
		"token": {"token", "--refresh"},
	} {
		for _, sig := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGABRT, syscall.SIGSEGV} {
			t.Run(name+", "+sig.String(), func(t *testing.T) {
				t.Parallel()
				l := newLife(newUser(t), demoProvider(t, idp.Options{ConfidentialSecret: "client/secret+with=0123456789"}))
				file := filepath.Join(l.home, "client-secret")
				if err := os.WriteFile(file, []byte(l.p.Options().ConfidentialSecret), 0o600); err != nil {
					t.Fatal(err)
				}
				l.signInAt(l.p, append(l.storeFlags("file"), "--client-secret-file", file)...)
				p := l.waiting([]string{"GOTRACEBACK=crash"}, args...)
				p.cmd.Process.Signal(sig)
				p.wait()
				if status := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.CoreDump() {
					t.Errorf("got %v, want a death by signal without a core", p.cmd.ProcessState)
				}
				if cores := l.cores(); len(cores) > 0 {
					t.Errorf("got %v, want no core file", cores)
				}
				if got := p.stderr.String(); !strings.Contains(got, "\ngoroutine 1 ") || !strings.Contains(got, "main.run(") {
					t.Fatalf("got no goroutines on stderr, which holds %d characters", len(got))
				}
				l.learn()
				l.learnKeys()
				l.look("stderr of a crash", p.stderr.String())
				for _, finding := range l.findings {
					t.Error(finding)
				}
			})
		}
	}
}

// The twin: what exec becomes is as ever. Its core is written, and the token in its
// environment is found there.
func TestExecsChildMayLeaveACore(t *testing.T) {
	t.Parallel()
	pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	if err != nil {
		t.Fatal(err)
	}
	l := newLife(newUser(t), demoProvider(t, idp.Options{}))
	l.signInAt(l.p, l.storeFlags("file")...)
	cmd := l.program("sh", "-c", `ulimit -c unlimited; exec "$0" exec -- sh -c 'grep core /proc/self/limits; kill -ABRT $$'`, authctl)
	p := l.begin(cmd, nil)
	p.wait()
	if got := strings.Fields(p.stdout.String()); len(got) < 6 || got[4] != "unlimited" {
		t.Errorf("the child's limit of a core: got %q, want what it was", got)
	}
	if strings.ContainsAny(string(pattern), "|/") {
		t.Logf("cores go to %s here: nothing to look at", strings.TrimSpace(string(pattern)))
		return
	}
	cores := l.cores()
	if status := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !status.CoreDump() || len(cores) != 1 {
		t.Fatalf("got %v and %v, want a core", p.cmd.ProcessState, cores)
	}
	core, err := os.ReadFile(cores[0])
	if err != nil {
		t.Fatal(err)
	}
	l.learn()
	if leaks := l.secrets.In(string(core)); len(leaks) == 0 {
		t.Errorf("got nothing in a core of %d bytes, want the token", len(core))
	}
}

// cores are the core files in the directory where authctl ran.
func (l *life) cores() []string {
	l.t.Helper()
	found, err := filepath.Glob(filepath.Join(l.home, "core*"))
	if err != nil {
		l.t.Fatal(err)
	}
	return found
}
