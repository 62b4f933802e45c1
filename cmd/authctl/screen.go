package main

import (
	"os"

	"golang.org/x/term"
)

// screen is a terminal that acts on escapes, in characters. A nil *screen is a file, a pipe,
// a terminal that doesn't, or one whose person wants none (NO_COLOR): it gets plain text.
type screen struct{ width, height int }

func screenOf(f any) *screen {
	file, ok := f.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || !isTerminal(file) || !understandsEscapes(file) {
		return nil
	}
	width, height, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return nil
	}
	return &screen{width, height}
}

// link is text that leads to a URL when it is clicked (OSC 8), where the terminal can.
// The URL must hold no character that would end the sequence.
func (s *screen) link(text, url string) string {
	if s == nil {
		return text
	}
	return "\x1b]8;;" + url + "\x1b\\" + text + "\x1b]8;;\x1b\\"
}

// large is a line of its own, bold and twice as wide (DECDWL). A terminal that doesn't
// know that leaves it as it is, so that the text can be copied in any case.
func (s *screen) large(line string) string {
	if s == nil {
		return line
	}
	bold := "\x1b[1m" + line + "\x1b[0m"
	if 2*len(line) > s.width {
		return bold
	}
	return "\x1b#6" + bold
}
