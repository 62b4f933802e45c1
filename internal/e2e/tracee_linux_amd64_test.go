package e2e

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// tracee is an authctl whose threads stop before each system call that may write. It
// starts no programs: they would inherit its filter.
type tracee struct {
	strike strike
	said   func(text string) // is told what it says on stderr
	pid    int
	points int    // so far
	struck string // what
}

// run runs authctl to its end, or to the strike's.
func (s strike) run(said func(text string)) (struck, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return struck{}, err
	}
	defer null.Close()
	fd, err := unix.MemfdCreate("stdout", unix.MFD_CLOEXEC)
	if err != nil {
		return struck{}, err
	}
	stdout := os.NewFile(uintptr(fd), "stdout")
	defer stdout.Close()
	t := &tracee{strike: s, said: said}
	end, err := t.follow([]uintptr{null.Fd(), stdout.Fd(), null.Fd()})
	if err != nil {
		return struck{}, err
	}
	text := make([]byte, 1<<20)
	n, _ := stdout.ReadAt(text, 0)
	return struck{Ended: true, What: t.struck, Code: end.ExitStatus(), Stdout: string(text[:n])}, nil
}

// follow starts authctl, by way of the program tracee, and lets its threads run from stop
// to stop until the last has ended.
func (t *tracee) follow(files []uintptr) (end syscall.WaitStatus, err error) {
	var numbers []string
	for number := range writers {
		numbers = append(numbers, strconv.FormatUint(number, 10))
	}
	args := append([]string{t.strike.Tracee, strings.Join(numbers, ",")}, t.strike.Args...)
	t.pid, err = syscall.ForkExec(args[0], args, &syscall.ProcAttr{Dir: t.strike.Dir, Env: t.strike.Env,
		Files: files, Sys: &syscall.SysProcAttr{Ptrace: true}})
	if err != nil {
		return end, err
	}
	if _, err := syscall.Wait4(t.pid, &end, 0, nil); err != nil || !end.Stopped() {
		return end, fmt.Errorf("the first stop: %v, status %#x", err, uint32(end))
	}
	const options = unix.PTRACE_O_TRACESECCOMP | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_EXITKILL
	if err := syscall.PtraceSetOptions(t.pid, options); err != nil {
		return end, err
	}
	known := map[int]bool{}
	for id, signal := t.pid, 0; ; {
		known[id] = true
		syscall.PtraceCont(id, signal) // fails, rightly, for a thread that has ended
		if id, err = await(&end); err != nil {
			return end, err
		}
		signal = 0
		switch {
		case !end.Stopped() && id == t.pid:
			return end, nil
		case end.TrapCause() == unix.PTRACE_EVENT_SECCOMP:
			t.atCall(id)
		case !end.Stopped(), end.TrapCause() > 0: // an end, a new thread, or authctl begins
		case end.StopSignal() == syscall.SIGSTOP && !known[id]: // which begins
		default:
			signal = int(end.StopSignal())
		}
	}
}

// await waits for any thread to stop or to end.
func await(end *syscall.WaitStatus) (thread int, err error) {
	for {
		if thread, err = syscall.Wait4(-1, end, unix.WALL, nil); err != syscall.EINTR {
			return thread, err
		}
	}
}

// atCall looks at a thread that is about to make a call.
func (t *tracee) atCall(thread int) {
	var r syscall.PtraceRegs
	if syscall.PtraceGetRegs(thread, &r) != nil {
		return // it was killed
	}
	args := [...]uint64{r.Rdi, r.Rsi, r.Rdx, r.R10}
	if r.Orig_rax == unix.SYS_PRCTL {
		if args[0] == unix.PR_SET_DUMPABLE { // would hide its memory from us
			pretend(thread, &r, 0)
		}
		return
	}
	if r.Orig_rax == unix.SYS_WRITE && args[0] == uint64(syscall.Stderr) {
		t.said(string(t.memory(args[1], int(args[2]))))
	}
	what, target := t.writes(writers[r.Orig_rax], args)
	if !slices.Contains(t.strike.Way.targets(), target) {
		return
	}
	t.points++
	hit := t.points == t.strike.Point
	switch {
	case hit && t.strike.Way == wayKill:
		syscall.Kill(t.pid, syscall.SIGKILL) // a call that it stopped before is not made
	case hit && target == toKeychain:
		pretend(thread, &r, syscall.EPIPE)
	case hit, t.strike.Way == wayDisk && t.struck != "":
		pretend(thread, &r, t.strike.Errno)
	}
	if hit {
		t.struck = what
	}
}

// pretend gives a call a result in place of the kernel, which doesn't carry it out.
func pretend(thread int, r *syscall.PtraceRegs, errno syscall.Errno) {
	r.Orig_rax, r.Rax = ^uint64(0), uint64(-int64(errno))
	syscall.PtraceSetRegs(thread, r)
}
