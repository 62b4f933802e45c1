//go:build !windows

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// detach gives the child a session of its own.
func detach(child *exec.Cmd) { child.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// takesURL: a program gets its arguments as they are.
func takesURL(string) error { return nil }

// readTerminal hands over what is typed or pasted, line by line, until take is content
// or the context ends. The terminal doesn't echo, so that a code stays off the screen,
// and isn't line-buffered: a canonical line ends at 4,096 bytes (1,024 on macOS) and
// codes are longer. Signals and output work as ever; Ctrl-D is io.EOF. Nothing is read, set
// or asked while another job has the terminal: away is called once that has lasted a
// moment. ask is called once echo is off, and again whenever it was on meanwhile, since a
// shell has then spoken. Ctrl-Z and Ctrl-\ come to us as characters: not every shell turns
// echo on.
func readTerminal(ctx context.Context, f *os.File, away, ask func(), take func(string) bool) error {
	fd := int(f.Fd())
	var before *unix.Termios
	restore := func() {
		if before != nil && inForeground(fd) {
			unix.IoctlSetTermios(fd, setTermios, before)
		}
	}
	defer restore()
	var line pastedLine
	for looks := 0; ctx.Err() == nil; {
		if !inForeground(fd) {
			if looks++; looks == 2 { // some shells put a job there only after they have started it
				away()
			}
			sleep(ctx, pollEvery)
			continue
		}
		was, err := withoutEcho(fd)
		if err != nil {
			return err
		}
		if before == nil || was.Lflag&unix.ECHO != 0 {
			ask()
		}
		if before == nil {
			before = was
		}
		ready, err := readable(fd)
		if err != nil {
			return err
		}
		if !ready {
			continue
		}
		buf := make([]byte, 4096)
		n, err := unix.Read(fd, buf)
		if errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN) {
			continue
		}
		if err != nil {
			return err
		}
		if s := signalOf(before, buf[:n]); s != 0 {
			line = pastedLine{}
			restore()
			unix.Kill(0, s)       // as the terminal does
			sleep(ctx, pollEvery) // another thread may stop us, a little later
			if s == unix.SIGQUIT {
				<-ctx.Done() // Go shows its goroutines and ends us
			}
			continue
		}
		if done, err := line.add(buf[:n], take); done || err != nil {
			return err
		}
	}
	return nil
}

// hush keeps the terminal from echoing until show is called: what is typed ahead of the
// next question is not to be seen either.
func hush(f *os.File) (show func()) {
	fd := int(f.Fd())
	if !inForeground(fd) {
		return func() {}
	}
	before, err := withoutEcho(fd)
	if err != nil {
		return func() {}
	}
	return func() {
		if inForeground(fd) {
			unix.IoctlSetTermios(fd, setTermios, before)
		}
	}
}

// pollEvery is how soon the end of the wait, or a change of the foreground, is seen.
const pollEvery = 100 * time.Millisecond

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// controls reports whether the terminal is our session's: only then is it known which job
// has it, and only then is its Ctrl-C for us.
func controls(f *os.File) bool {
	_, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP)
	return err == nil
}

func inForeground(fd int) bool {
	group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// withoutEcho turns echo and line buffering off, and returns how it was. It is done
// before every read: a shell that suspends and resumes us sets its own modes. A read
// never waits (VMIN 0): Ctrl-C throws away what poll has just seen, and a read that
// waited for more would outlast the signal, which Go restarts it after.
func withoutEcho(fd int) (*unix.Termios, error) {
	was, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, err
	}
	now := *was
	now.Lflag &^= unix.ECHO | unix.ICANON
	now.Cc[unix.VMIN], now.Cc[unix.VTIME] = 0, 0
	now.Cc[unix.VSUSP], now.Cc[unix.VQUIT] = noKey, noKey
	if now == *was {
		return was, nil
	}
	return was, unix.IoctlSetTermios(fd, setTermios, &now)
}

// signalOf is what a key that was typed sends where the terminal is as before; 0: none was.
func signalOf(before *unix.Termios, typed []byte) unix.Signal {
	sends := func(key uint8) bool {
		return before.Lflag&unix.ISIG != 0 && key != noKey && bytes.IndexByte(typed, key) >= 0
	}
	switch {
	case sends(before.Cc[unix.VQUIT]):
		return unix.SIGQUIT
	case sends(before.Cc[unix.VSUSP]):
		return unix.SIGTSTP
	}
	return 0
}

// readable waits a moment for input. A terminal that hung up has none any more.
func readable(fd int) (bool, error) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, int(pollEvery/time.Millisecond))
	if errors.Is(err, unix.EINTR) {
		return false, nil
	}
	if err == nil && fds[0].Revents&unix.POLLHUP != 0 {
		return false, io.ErrUnexpectedEOF
	}
	return n > 0, err
}
