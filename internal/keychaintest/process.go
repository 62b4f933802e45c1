package keychaintest

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// process is a daemon that lives as long as the test.
type process struct {
	t      testing.TB
	cmd    *exec.Cmd
	stdout *os.File
	stderr bytes.Buffer // to be read once done is closed, or when the test fails anyway
	done   chan struct{}
}

// start runs a daemon with env added to the environment. It is killed when the
// test ends, and, where the system can do that, when the test binary dies.
func start(t testing.TB, env []string, stdin, name string, args ...string) *process {
	t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	p := &process{t: t, cmd: exec.Command(name, args...), stdout: out, done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = strings.NewReader(stdin), in, &p.stderr
	p.cmd.SysProcAttr = dieWithUs()
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	t.Cleanup(func() { p.stop(); out.Close() })
	return p
}

// run keeps to one thread until the daemon has ended: Linux ties its death to that
// of the thread that started it.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err == nil {
		p.cmd.Wait()
	}
	close(p.done)
}

// firstLine waits for the first line that the daemon prints.
func (p *process) firstLine() string {
	p.t.Helper()
	line, err := bufio.NewReader(p.stdout).ReadString('\n')
	if err != nil {
		<-p.done
		p.t.Fatalf("%s said nothing: %v: %s", p.cmd.Path, err, p.stderr.String())
	}
	go io.Copy(io.Discard, p.stdout)
	return line
}

func (p *process) stop() {
	p.cmd.Process.Kill() // fails, rightly, once it has ended
	<-p.done
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}
