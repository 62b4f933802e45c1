package main

import "unicode/utf8"

// pastedLine gathers what a terminal without line buffering gives.
type pastedLine struct{ typed []byte }

// The keys that edit a line, since the terminal no longer does it.
const (
	backspace = 0x08
	killLine  = 0x15 // Ctrl-U
	del       = 0x7f
)

// longest is how much is kept of a line: far more than any redirect URL has.
const longest = 1 << 20

// add takes bytes and hands every complete line to take, until that is content.
func (l *pastedLine) add(bytes []byte, take func(string) bool) (done bool) {
	for _, b := range bytes {
		switch {
		case b == '\r' || b == '\n':
			line := string(l.typed)
			l.typed = nil
			if take(line) {
				return true
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
	return false
}
