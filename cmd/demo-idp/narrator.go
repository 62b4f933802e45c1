package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// narrator tells the story between the commands.
type narrator struct {
	out    io.Writer
	colour bool
}

func newNarrator(out io.Writer) narrator {
	file, ok := out.(*os.File)
	return narrator{out, ok && term.IsTerminal(int(file.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

const (
	bold  = "1"
	green = "32"
	grey  = "90"
)

func (n narrator) paint(style, text string) string {
	if !n.colour {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// tell begins a scene.
func (n narrator) tell(format string, args ...any) {
	fmt.Fprintf(n.out, "\n"+format+"\n", args...)
}

// command shows a command line as one would type it.
func (n narrator) command(args ...string) {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = quote(arg)
	}
	fmt.Fprintln(n.out, n.paint(grey, "$ ")+n.paint(bold, strings.Join(words, " ")))
}

// note is a remark on what has just been seen.
func (n narrator) note(format string, args ...any) {
	fmt.Fprintln(n.out, n.paint(grey, fmt.Sprintf("(%s)", fmt.Sprintf(format, args...))))
}

// quote makes a word safe to paste into a shell.
func quote(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@%+,") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// shortened shows that there is a token without showing it.
func shortened(token string) string {
	return fmt.Sprintf("%.12s… (%d characters; cut short here, as it is a secret)", token, len(token))
}
