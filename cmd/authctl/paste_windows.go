package main

import (
	"context"
	"os"
	"os/exec"

	"golang.org/x/sys/windows"
)

// detach does nothing: a Windows browser has a process group of its own.
func detach(*exec.Cmd) {}

// readTerminal hands over what is typed or pasted, line by line, until take is content
// or the context ends. The console doesn't echo, so that a code stays off the screen,
// and isn't line-buffered; ask is called when that is so. A read can't be interrupted, so
// it is left behind.
func readTerminal(ctx context.Context, f *os.File, ask func(), take func(string) bool) error {
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
			if err != nil || line.add(buf[:n], take) {
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
