package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// isTerminal reports whether a person is at the other end of f, which may be a
// reader or a writer.
func isTerminal(f any) bool {
	file := fileOf(f)
	return file != nil && term.IsTerminal(int(file.Fd()))
}

// fileOf is the file behind stdin, stdout or stderr; nil when there is none.
func fileOf(f any) *os.File {
	if out, ok := f.(*answers); ok {
		f = out.Writer
	}
	file, _ := f.(*os.File)
	return file
}

// unlockPrompt is nil unless somebody is there who could answer the dialog that
// unlocks the keychain.
func unlockPrompt(cmd *cobra.Command) func() {
	if !here().hasDisplay() || !isTerminal(cmd.InOrStdin()) || !isTerminal(cmd.ErrOrStderr()) {
		return nil
	}
	return func() { say(cmd, "The keychain is locked: unlock it in the dialog that opens.") }
}

// Colours, as terminals number them.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
)

// colour is text in one of them, where out is a terminal that may have it
// (no-color.org). The console of older Windows would show the escapes.
func colour(out any, code, text string) string {
	if code == "" || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" || runtime.GOOS == "windows" || !isTerminal(out) {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// width is how many columns a terminal has; 0 for what is none.
func width(out any) int {
	if !isTerminal(out) {
		return 0
	}
	columns, _, _ := term.GetSize(int(fileOf(out).Fd()))
	return columns
}

// wrap breaks s between words so that it ends before the last column, and begins each
// line but the first with a margin; columns is 0 where there is no end.
func wrap(s string, margin, columns int) string {
	var text strings.Builder
	at := margin
	for i, word := range strings.Fields(s) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case columns > 0 && at+1+n >= columns:
			text.WriteString("\n" + strings.Repeat(" ", margin))
			at = margin
		default:
			text.WriteByte(' ')
			at++
		}
		text.WriteString(word)
		at += n
	}
	return text.String()
}

// say tells the person something.
func say(cmd *cobra.Command, format string, args ...any) {
	fmt.Fprintf(cmd.ErrOrStderr(), format+"\n", args...)
}

// warn tells the person of something that didn't stop the command.
func warn(cmd *cobra.Command, format string, args ...any) {
	say(cmd, "authctl: warning: "+format, args...)
}

// ask reads one line from the terminal. Ctrl-C ends the wait, though not the read.
func ask(cmd *cobra.Command, question string) (string, error) {
	fmt.Fprint(cmd.ErrOrStderr(), question+": ")
	type answer struct {
		line string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		line, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
		answers <- answer{strings.TrimSpace(line), err}
	}()
	select {
	case a := <-answers:
		if a.err != nil && a.line == "" {
			return "", errorf("reading the answer: %w", a.err)
		}
		return a.line, nil
	case <-cmd.Context().Done():
		return "", cmd.Context().Err()
	}
}

// clean takes out of the provider's text what a terminal would act on: control
// characters, escapes, and the marks that reorder what is read.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case actsOnTerminal(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func actsOnTerminal(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// columns aligns what is written to w, cells separated by tabs, and prints it at once: a
// reader that wants only the first lines (| head) then has not gone before the last.
func columns(cmd *cobra.Command) (w io.Writer, print func() error) {
	var text bytes.Buffer
	t := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	return t, func() error {
		t.Flush() // into memory
		_, err := cmd.OutOrStdout().Write(text.Bytes())
		return err
	}
}

// printJSON writes v indented, with characters like & as they are, and what a terminal
// would act on escaped, which to a program is the same.
func printJSON(w io.Writer, v any) error {
	var text, safe bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	for _, r := range text.String() {
		if r == '\n' || !actsOnTerminal(r) {
			safe.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) { // RFC 8259 §7
			fmt.Fprintf(&safe, `\u%04x`, unit)
		}
	}
	_, err := w.Write(safe.Bytes())
	return err
}
