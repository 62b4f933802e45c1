package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/need"
	"github.com/authctl/authctl/internal/robot"
)

// tracerVar makes the test binary a tracer.
const tracerVar = "E2E_TRACER"

// strike is one run of authctl, and the system call at which harm comes to it.
type strike struct {
	Tracee    string   // the program of that name
	Args, Env []string // Args[0] is authctl
	Dir       string
	Way       way
	Point     int           // which of the calls that write, from 1; 0: none
	Errno     syscall.Errno // what a call on a file fails with; one to the keychain: EPIPE
}

// way is how a call is struck.
type way string

const (
	wayKill way = "killed before it"
	wayFail way = "it alone fails"
	wayDisk way = "the disk fails from it on"
)

// target is what a call writes to.
type target string

const (
	toNothing  target = ""
	toFile     target = "file" // or a directory
	toKeychain target = "keychain"
	toBus      target = "bus" // what asks the keychain
	toNetwork  target = "network"
)

// targets are those whose calls count. How a question fails, and how a network does, is
// other tests' matter.
func (w way) targets() []target {
	switch w {
	case wayKill:
		return []target{toFile, toKeychain, toBus, toNetwork}
	case wayFail:
		return []target{toFile, toKeychain}
	}
	return []target{toFile}
}

// struck is how that ended, or until then what is said.
type struck struct {
	Said    string // on stderr
	Ended   bool
	What    string // the call; empty: the run ended before it came to the point
	Code    int    // exit code, -1 for a signal
	Stdout  string
	Failure string // of the tracer
}

// tracer is a process that strikes. It is one of its own, for it waits for every child
// that it has.
type tracer struct {
	t    testing.TB
	cmd  *exec.Cmd
	to   *json.Encoder
	from *json.Decoder
}

func newTracer(t testing.TB) *tracer {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		need.Missing(t, "an amd64 processor, whose registers the tracer knows")
	}
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), tracerVar+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	return &tracer{t, cmd, json.NewEncoder(in), json.NewDecoder(out)}
}

// run strikes once, and is authctl's browser. Whoever hangs is killed with the tracer.
func (tr *tracer) run(s strike) struck {
	tr.t.Helper()
	late := time.AfterFunc(2*patience, func() { tr.cmd.Process.Kill() })
	defer late.Stop()
	s.Tracee = filepath.Join(filepath.Dir(authctl), "tracee")
	err := tr.to.Encode(s)
	for said := ""; ; {
		var r struck
		if err == nil {
			err = tr.from.Decode(&r)
		}
		switch said += r.Said; {
		case err != nil, r.Failure != "":
			tr.t.Fatalf("point %d of %q: the tracer: %v %s", s.Point, s.Args[1:], err, r.Failure)
		case r.Ended:
			r.Said = said
			return r
		}
		if at := askedFor.FindString(r.Said); at != "" {
			go robot.Visit(tr.t.Context(), at, robot.Options{}) // as far as it comes
		}
	}
}

// askedFor is the address that login asks to be opened.
var askedFor = regexp.MustCompile(`(?m)^http://\S+$`)

// beTracer carries strikes out until there are no more.
func beTracer(in io.Reader, out io.Writer) (code int) {
	runtime.LockOSThread() // ptrace obeys one thread
	from, to := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var s strike
		if err := from.Decode(&s); err != nil {
			return 0 // the test has ended
		}
		result, err := s.run(func(text string) { to.Encode(struck{Said: text}) })
		if err != nil {
			result.Failure = fmt.Sprint(err)
		}
		if to.Encode(result) != nil {
			return 1
		}
	}
}
