package main

import (
	"io"
	"unicode/utf8"
)

// pastedLine gathers what a terminal without line buffering gives.
type pastedLine struct {
	typed []byte
	ends  bool // Ctrl-D was the last key
}

// The keys that edit a line, since the terminal no longer does it.
const (
	endInput  = 0x04 // Ctrl-D
	backspace = 0x08
	killLine  = 0x15 // Ctrl-U
	del       = 0x7f
)

// longest is how much is kept of a line: far more than any redirect URL has.
const longest = 1 << 20

// add takes bytes and hands every complete line to take, until that is content. Ctrl-D is
// as terminals have it: on an empty line io.EOF, on another one nothing, unless it comes
// twice, which ends that line too.
func (l *pastedLine) add(bytes []byte, take func(string) bool) (done bool, err error) {
	for _, b := range bytes {
		again := l.ends
		l.ends = b == endInput
		switch {
		case b == endInput && (len(l.typed) == 0 || again):
			if len(l.typed) > 0 && take(l.line()) {
				return true, nil
			}
			return false, io.EOF
		case b == endInput:
		case b == '\r' || b == '\n':
			if take(l.line()) {
				return true, nil
			}
		case b == killLine:
			l.typed = nil
		case b == backspace || b == del:
			_, size := utf8.DecodeLastRune(l.typed)
			l.typed = l.typed[:len(l.typed)-size]
		case len(l.typed) < longest:
			l.typed = append(l.typed, b)
		}
	}
	return false, nil
}

// line is what was typed, and begins the next one.
func (l *pastedLine) line() string {
	line := string(l.typed)
	l.typed = nil
	return line
}
