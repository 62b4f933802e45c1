package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/pkg/browser"
)

// browserRunner opens url and returns when the browser's command ends, which for
// some is when the person closes the browser.
type browserRunner func(url string) error

// longestShellURL is what ShellExecute is sure to open. A longer address than 2,083
// characters (INTERNET_MAX_URL_LENGTH) is cut or lost, and not always with an error.
const longestShellURL = 2000

// systemBrowser is the desktop's own. On Linux and the BSDs it is pkg/browser's openers,
// detached as runBrowser does it: there pkg/browser keeps the opener, and a browser that
// it is the first to start, in our foreground, where Ctrl-C ends it. What is printed goes
// nowhere: stdout is ours, and a file, unlike a pipe, doesn't kill who outlives us.
func systemBrowser(url string) error {
	if runtime.GOOS == "windows" && len(url) > longestShellURL {
		return errorf("the address has %d characters, too many for Windows to open: --browser with a browser's program can", len(url))
	}
	for _, opener := range foregroundOpeners {
		if path, err := exec.LookPath(opener); err == nil {
			return runBrowser([]string{path, url})
		}
	}
	nowhere, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer nowhere.Close()
	browser.Stdout, browser.Stderr = nowhere, nowhere
	if err := browser.OpenURL(url); err != nil {
		return errorf("the browser could not be opened: %w", err)
	}
	return nil
}

// openerBrowser runs the command as it is.
func openerBrowser(command []string) browserRunner {
	return func(url string) error { return runBrowser(append(slices.Clone(command), url)) }
}

// commandBrowser runs the first of the commands that works (BROWSER may list several).
func commandBrowser(commands []string) browserRunner {
	return func(url string) (err error) {
		for _, command := range commands {
			if command == "" {
				continue
			}
			if err = runBrowser(browserArgs(command, url)); err == nil {
				return nil
			}
		}
		return err
	}
}

// browserList splits BROWSER at the system's list separator, outside of double quotes.
// Those stay, unlike with filepath.SplitList on Windows: a path with spaces needs them.
func browserList(s string) []string {
	var commands []string
	quoted, begin := false, 0
	for i, c := range s {
		switch {
		case c == '"':
			quoted = !quoted
		case c == filepath.ListSeparator && !quoted:
			commands = append(commands, s[begin:i])
			begin = i + 1
		}
	}
	return append(commands, s[begin:])
}

// runBrowser runs it in a session of its own, so that neither Ctrl-C here nor the end
// of this terminal ends the person's browser.
func runBrowser(args []string) error {
	child := exec.Command(args[0], args[1:]...)
	if err := takesURL(child.Path); err != nil {
		return errorf("the browser %q: %w", args[0], err)
	}
	detach(child)
	if err := child.Run(); err != nil {
		return errorf("the browser %q failed: %w", args[0], err)
	}
	return nil
}

// browserArgs is the command with the URL in place of %s, or at its end.
func browserArgs(command, url string) []string {
	args := []string{command}
	if _, err := exec.LookPath(command); err != nil { // a path with spaces is one word
		args = splitCommand(command)
	}
	placed := false
	for i, arg := range args {
		if i > 0 && strings.Contains(arg, "%s") {
			args[i], placed = strings.ReplaceAll(arg, "%s", url), true
		}
	}
	if !placed {
		args = append(args, url)
	}
	return args
}

// splitCommand splits at spaces outside of quotes. There are no variables and no
// escapes: a browser that needs a shell can be a script.
func splitCommand(s string) []string {
	var words []string
	var word strings.Builder
	var quote rune
	started := false
	for _, c := range s {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, started = c, true
		case quote == 0 && (c == ' ' || c == '\t'):
			if started {
				words = append(words, word.String())
				word.Reset()
				started = false
			}
		default:
			word.WriteRune(c)
			started = true
		}
	}
	if started || len(words) == 0 {
		words = append(words, word.String())
	}
	return words
}
