package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// SyntaxError is a place in a file that is no TOML, or TOML that says nothing to
// us: an unknown key, a value of the wrong kind.
type SyntaxError struct {
	Path         string
	Line, Column int // from 1; Column counts characters
	Msg          string
	Hint         string // may be empty
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Line, e.Column, e.Msg)
}

// source is a text and where it came from.
type source struct{ path, text string }

// errorAt makes an error of a place that is offset bytes into the text.
func (s source) errorAt(offset int, msg, hint string) error {
	before := s.text[:max(0, min(offset, len(s.text)))]
	return &SyntaxError{
		Path:   s.path,
		Line:   1 + strings.Count(before, "\n"),
		Column: 1 + utf8.RuneCountInString(before[1+strings.LastIndexByte(before, '\n'):]),
		Msg:    msg,
		Hint:   hint,
	}
}

const byteOrderMark = "\ufeff"

// decodeTOML returns the text without its byte order mark, and what it says.
func decodeTOML(path, text string) (source, map[string]any, error) {
	src := source{path, strings.TrimPrefix(text, byteOrderMark)}
	if !utf8.ValidString(src.text) {
		valid := strings.ToValidUTF8(src.text, "\x00") // as long as it is valid, offsets agree
		return src, nil, src.errorAt(strings.IndexByte(valid, 0), "this is not UTF-8 text", "")
	}
	var tree map[string]any
	_, err := toml.Decode(src.text, &tree)
	var syntax toml.ParseError
	if errors.As(err, &syntax) {
		return src, nil, src.errorAt(syntax.Position.Start, syntax.Message, "")
	}
	return src, tree, err
}

// parse reads a configuration file's text.
func parse(path, text string) (*File, error) {
	if f, ok := readPlain(path, text); ok {
		return f, nil
	}
	return parseTOML(path, text)
}

// parseTOML is parse of any text. It decodes by hand: the library takes
// a key in any case, and has no positions for what it does not know.
func parseTOML(path, text string) (*File, error) {
	src, tree, err := decodeTOML(path, text)
	if err != nil {
		return nil, err
	}
	f := &File{Path: path, profiles: map[string]Profile{}}
	var c checker
	for key, v := range tree {
		switch key {
		case "default":
			f.Default = as[string](&c, []string{key}, v, "a string")
		case "profile":
			for name, v := range as[map[string]any](&c, []string{key}, v, "a table") {
				f.profiles[name] = c.profile(name, v)
			}
		default:
			c.add([]string{key}, fmt.Sprintf("unknown key %q", key), topLevelHint(key, v))
		}
	}
	if err := c.first(src); err != nil {
		return nil, err
	}
	return f, nil
}

func topLevelHint(key string, v any) string {
	if new(Profile).setting(key).at != nil {
		return fmt.Sprintf("%q belongs under [profile.NAME]", key)
	}
	if hint := suggest(key, []string{"default", "profile"}); hint != "" {
		return hint
	}
	if _, table := v.(map[string]any); table && ValidName(key) {
		return fmt.Sprintf("did you mean [profile.%s]?", bareOrQuoted(key))
	}
	return ""
}

// checker collects what is wrong in a tree, in the tree's random order.
type checker struct{ problems []problem }

type problem struct {
	path      []string
	msg, hint string
}

func (c *checker) add(path []string, msg, hint string) {
	c.problems = append(c.problems, problem{slices.Clone(path), msg, hint})
}

// as converts v, or reports that it is not what it must be.
func as[T any](c *checker, path []string, v any, what string) T {
	t, ok := v.(T)
	if !ok {
		c.add(path, fmt.Sprintf("%s must be %s", path[len(path)-1], what), "")
	}
	return t
}

func (c *checker) profile(name string, v any) Profile {
	p := Profile{Name: name}
	path := []string{"profile", name}
	if !ValidName(name) {
		c.add(path, fmt.Sprintf("%q can't name a profile", name), nameRule)
	}
	for key, v := range as[map[string]any](c, path, v, "a table") {
		c.setting(p.setting(key), append(path, key), v)
	}
	return p
}

func (c *checker) setting(s setting, path []string, v any) {
	key := path[2]
	if s.at == nil {
		c.add(path, fmt.Sprintf("unknown key %q", key), unknownHint(key))
		return
	}
	switch t := v.(type) {
	case []any:
		v = texts(t)
	case map[string]any:
		v = c.textMap(path, t)
	}
	if !s.assign(v) {
		c.add(path, fmt.Sprintf("%s must be %s", key, s.Kind), "")
	}
}

func unknownHint(key string) string {
	if key == "client_secret" {
		return "a client secret is kept in the credential store, never in this file"
	}
	var known []string
	for _, k := range Keys() {
		known = append(known, k.Name)
	}
	return suggest(key, known)
}

// texts returns a list of strings, or what can't be assigned.
func texts(list []any) any {
	all := make([]string, len(list))
	for i, v := range list {
		s, ok := v.(string)
		if !ok {
			return list
		}
		all[i] = s
	}
	return all
}

func (c *checker) textMap(path []string, m map[string]any) any {
	if len(m) == 0 {
		return map[string]string(nil)
	}
	all := map[string]string{}
	for k, v := range m {
		all[k] = as[string](c, append(path, k), v, "a string")
	}
	return all
}

// first returns the problem that comes first in the text.
func (c *checker) first(src source) error {
	if len(c.problems) == 0 {
		return nil
	}
	entries := scan(src.text)
	offset := func(p problem) int { return entries.position(p.path) }
	p := slices.MinFunc(c.problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(offset(a), offset(b)), cmp.Compare(len(a.path), len(b.path)), cmp.Compare(a.msg, b.msg))
	})
	return src.errorAt(offset(p), p.msg, p.hint)
}
