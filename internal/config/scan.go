package config

import (
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// entry is a table's header, or a key with its value, and where it stands.
// Offsets are in bytes.
type entry struct {
	path       []segment // from the top, the enclosing tables' part included
	own        int       // path[own:] is what is written here
	header     bool      // [path] or [[path]]
	parent     int       // the entry whose inline table it stands in; -1: it has its own line
	start      int       // of the key or the bracket
	value, end int       // of the value; of a header, both where it ends
}

// segment is one part of a dotted key.
type segment struct {
	name string
	at   int
}

// entries are a text's, in its order: a table before what is in it.
type entries []entry

// position returns where path is first written, or 0.
func (es entries) position(path []string) int {
	for _, e := range es {
		if e.within(path) {
			return e.path[len(path)-1].at
		}
	}
	return 0
}

// within reports whether e is at path, or in the table at path.
func (e entry) within(path []string) bool {
	return len(e.path) >= len(path) &&
		slices.EqualFunc(e.path[:len(path)], path, func(s segment, name string) bool { return s.name == name })
}

func (e entry) is(path []string) bool { return len(e.path) == len(path) && e.within(path) }

// scan finds the entries of a text that the TOML library has accepted, which is
// why it checks nothing.
func scan(text string) entries {
	s := scanner{text: text}
	s.all()
	return s.found
}

// commentsIn returns the comments within a value, from # to the last visible character.
func commentsIn(value string) []string {
	s := scanner{text: value}
	s.skipValue(nil, 0)
	return s.comments
}

type scanner struct {
	text     string
	pos      int
	found    entries
	comments []string
}

const blanks = " \t"

func (s *scanner) all() {
	var table []segment
	for s.skip(blanks + "\r\n"); s.pos < len(s.text); s.skip(blanks + "\r\n") {
		if s.peek("[") {
			table = s.header()
		} else {
			s.assignment(table, -1)
		}
	}
}

func (s *scanner) peek(prefix string) bool { return strings.HasPrefix(s.text[s.pos:], prefix) }

// skip goes past the bytes of set; where line ends are among them, past comments too.
func (s *scanner) skip(set string) {
	for s.pos < len(s.text) {
		if s.text[s.pos] == '#' && strings.Contains(set, "\n") {
			from := s.pos
			s.until("\n")
			s.comments = append(s.comments, strings.TrimRight(s.text[from:s.pos], " \t\r"))
		} else if strings.IndexByte(set, s.text[s.pos]) >= 0 {
			s.pos++
		} else {
			return
		}
	}
}

// until goes to the next byte of set, or the end.
func (s *scanner) until(set string) {
	if i := strings.IndexAny(s.text[s.pos:], set); i >= 0 {
		s.pos += i
	} else {
		s.pos = len(s.text)
	}
}

// header reads [a.b] or [[a.b]] and returns its path.
func (s *scanner) header() []segment {
	e := entry{header: true, parent: -1, start: s.pos}
	s.skip("[")
	e.path = s.key(nil)
	s.skip("]")
	e.value, e.end = s.pos, s.pos
	s.found = append(s.found, e)
	return e.path
}

// assignment reads a key and its value.
func (s *scanner) assignment(table []segment, parent int) {
	e := entry{own: len(table), parent: parent, start: s.pos}
	e.path = s.key(table)
	s.skip("=" + blanks)
	e.value = s.pos
	i := len(s.found)
	s.found = append(s.found, e)
	s.skipValue(e.path, i)
	s.found[i].end = s.pos
}

// key reads a dotted key and returns it behind table.
func (s *scanner) key(table []segment) []segment {
	path := slices.Clone(table)
	for {
		s.skip(blanks)
		at := s.pos
		if s.peek(`"`) || s.peek("'") {
			s.skipString()
		} else {
			s.until(".]= \t\r\n")
		}
		path = append(path, segment{unquote(s.text[at:s.pos]), at})
		if s.skip(blanks); !s.peek(".") {
			return path
		}
		s.pos++
	}
}

// unquote leaves escapes to the library.
func unquote(key string) string {
	switch {
	case !strings.HasPrefix(key, `"`) && !strings.HasPrefix(key, "'"):
		return key
	case key[0] == '\'' || !strings.Contains(key, `\`):
		return key[1 : len(key)-1]
	}
	var v struct{ Key string }
	if _, err := toml.Decode("Key = "+key, &v); err != nil {
		return key
	}
	return v.Key
}

// skipValue goes past a value, which is that of the entry found[i] at path.
func (s *scanner) skipValue(path []segment, i int) {
	switch {
	case s.peek(`"`) || s.peek("'"):
		s.skipString()
	case s.peek("["):
		s.pos++
		for s.more("]") {
			s.skipValue(path, i)
		}
	case s.peek("{"):
		s.pos++
		for s.more("}") {
			s.assignment(path, i)
		}
	default: // a date may have a space in it
		from := s.pos
		s.until(",]}#\r\n")
		s.pos = from + len(strings.TrimRight(s.text[from:s.pos], blanks))
	}
}

// more goes to the next element, or past end.
func (s *scanner) more(end string) bool {
	s.skip(",\r\n" + blanks)
	if s.peek(end) {
		s.pos++
		return false
	}
	return s.pos < len(s.text)
}

// skipString goes past any of the four kinds of string.
func (s *scanner) skipString() {
	quote := s.text[s.pos : s.pos+1]
	if long := strings.Repeat(quote, 3); s.peek(long) {
		s.skipQuoted(long)
		for range 2 { // one or two more quotes may stand before the closing three
			if s.peek(quote) {
				s.pos++
			}
		}
		return
	}
	s.skipQuoted(quote)
}

func (s *scanner) skipQuoted(quote string) {
	s.pos += len(quote)
	for s.pos < len(s.text) && !s.peek(quote) {
		if s.text[s.pos] == '\\' && quote[0] == '"' {
			s.pos++
		}
		s.pos++
	}
	s.pos = min(s.pos+len(quote), len(s.text))
}
