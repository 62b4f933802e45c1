package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/creack/pty"
)

const prompt = "$ "

// terminal is a shell in a pseudo-terminal.
type terminal struct {
	shell *exec.Cmd
	pty   *os.File
	text  string // what it shows, lines ended by \n
}

// openTerminal starts a shell without settings and without line editing, so that what
// the terminal shows is plain text.
func openTerminal(ctx context.Context, m *machine) (*terminal, error) {
	shell := exec.CommandContext(ctx, "bash", "--noprofile", "--norc", "--noediting", "-i")
	shell.Env, shell.Dir = m.env, m.home
	f, err := pty.StartWithSize(shell, &pty.Winsize{Rows: 24, Cols: 120})
	if err != nil {
		return nil, err
	}
	t := &terminal{shell: shell, pty: f}
	return t, t.awaitPrompt()
}

// close ends the shell. Whatever still runs in the terminal gets a SIGHUP.
func (t *terminal) close() {
	t.pty.Close()
	t.shell.Process.Kill()
	t.shell.Wait()
}

// run types a command and waits for its end.
func (t *terminal) run(command string) error {
	if _, err := io.WriteString(t.pty, command+"\n"); err != nil {
		return err
	}
	return t.awaitPrompt()
}

// awaitPrompt reads until the shell asks for more.
func (t *terminal) awaitPrompt() error {
	buf := make([]byte, 4096)
	for {
		n, err := t.pty.Read(buf)
		t.text += strings.ReplaceAll(string(buf[:n]), "\r", "")
		if err != nil {
			return err
		}
		if t.text == prompt || strings.HasSuffix(t.text, "\n"+prompt) {
			return nil
		}
	}
}
