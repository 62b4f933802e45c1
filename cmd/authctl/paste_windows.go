package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/windows"
)

// detach gives the child a process group of its own, which Ctrl-C doesn't reach.
func detach(child *exec.Cmd) {
	child.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
}

// takesURL refuses what hands its arguments to cmd.exe, which takes the & of an address for
// the end of a command, and what the provider has put behind it for the next.
func takesURL(program string) error {
	switch name := strings.ToLower(filepath.Base(program)); filepath.Ext(name) {
	case ".bat", ".cmd":
	default:
		if name != "cmd.exe" && name != "cmd" {
			return nil
		}
	}
	return errorf("cmd.exe can't take an address: name the browser's program itself")
}

// readTerminal hands over what is typed or pasted, line by line, until take is content
// or the context ends. The console doesn't echo, so that a code stays off the screen,
// and isn't line-buffered; ask is called when that is so. io.EOF is Ctrl-D. A read can't be
// interrupted, so it is left behind. A console has no background.
func readTerminal(ctx context.Context, f *os.File, _, ask func(), take func(string) bool) error {
	console := windows.Handle(f.Fd())
	var before uint32
	if err := windows.GetConsoleMode(console, &before); err != nil {
		return err
	}
	const typed = windows.ENABLE_ECHO_INPUT | windows.ENABLE_LINE_INPUT
	if err := windows.SetConsoleMode(console, before&^typed); err != nil {
		return err
	}
	defer windows.SetConsoleMode(console, before)
	ask()
	ended := make(chan error, 1)
	go func() {
		var line pastedLine
		buf := make([]byte, 4096)
		for {
			n, err := f.Read(buf)
			done := false
			if err == nil {
				done, err = line.add(buf[:n], take)
			}
			if done || err != nil {
				ended <- err
				return
			}
		}
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return nil
	}
}

// controls reports nothing, and hush does: no passphrase is asked for on Windows.
func controls(*os.File) bool { return false }

func hush(*os.File) (show func()) { return func() {} }
