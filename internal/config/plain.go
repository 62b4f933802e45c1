package config

import (
	"strings"
	"unicode/utf8"
)

// readPlain reads a text that is throughout as authctl writes it, but for comments and
// blank lines: default, and tables of settings, each on a line of its own. Files with
// many profiles are such, and the library takes ten times as long over them. For any
// other text, which may be as good, it reports false.
func readPlain(path, text string) (*File, bool) {
	r := plainReader{file: &File{Path: path, profiles: map[string]Profile{}}}
	r.settings = r.profile.table()
	for line := range strings.Lines(text) {
		line, ended := strings.CutSuffix(line, "\n")
		if ended {
			line = strings.TrimSuffix(line, "\r")
		}
		if !r.line(line) {
			return nil, false
		}
	}
	r.endTable()
	return r.file, utf8.ValidString(text)
}

// plainReader holds the table that it is in, by name empty before the first.
type plainReader struct {
	file     *File
	profile  Profile
	settings []setting // the profile's
}

func (r *plainReader) line(line string) (ok bool) {
	if line == "" || line[0] == '#' {
		return isPlain(strings.ReplaceAll(line, "\t", ""))
	}
	if header, ok := strings.CutPrefix(line, "[profile."); ok {
		name, closed := strings.CutSuffix(header, "]")
		r.endTable()
		r.profile = Profile{Name: name}
		_, twice := r.file.profiles[name]
		return closed && ValidName(name) && !strings.Contains(name, ".") && !twice
	}
	key, value, _ := strings.Cut(line, "=")
	return r.set(strings.Trim(key, blanks), strings.Trim(value, blanks))
}

func (r *plainReader) endTable() {
	if r.profile.Name != "" {
		r.file.profiles[r.profile.Name] = r.profile
	}
}

// set assigns what has no value yet.
func (r *plainReader) set(key, text string) (ok bool) {
	if r.profile.Name == "" {
		if key != "default" || r.file.Default != "" {
			return false
		}
		r.file.Default, ok = plainString(text)
		return ok
	}
	for _, s := range r.settings {
		if s.Name == key {
			v, ok := plainValue(s.Kind, text)
			return ok && s.value() == nil && s.assign(v)
		}
	}
	return false
}

func plainValue(kind Kind, text string) (v any, ok bool) {
	switch kind {
	case String, Path:
		return plainString(text)
	case Bool:
		return text == "true", text == "true" || text == "false"
	case List:
		return plainList(text)
	}
	return nil, false
}

// plainString is a string without escapes that is not empty.
func plainString(text string) (s string, ok bool) {
	if len(text) < 3 || text[0] != '"' || text[len(text)-1] != '"' {
		return "", false
	}
	s = text[1 : len(text)-1]
	return s, isPlain(s) && !strings.ContainsAny(s, `"\`)
}

func isPlain(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

func plainList(text string) (all []string, ok bool) {
	if len(text) < 2 || text[0] != '[' || text[len(text)-1] != ']' {
		return nil, false
	}
	all = []string{}
	text = strings.Trim(text[1:len(text)-1], blanks)
	for rest := text != ""; rest; {
		var item string
		item, text, rest = strings.Cut(text, ",")
		s, ok := plainString(strings.Trim(item, blanks))
		if !ok {
			return nil, false
		}
		all = append(all, s)
	}
	return all, true
}
