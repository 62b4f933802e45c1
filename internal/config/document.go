package config

import (
	"slices"
	"strings"
)

// document changes a TOML text. It looks at the text afresh for every change: a
// configuration is small, and offsets that were right before are not after.
type document struct {
	path string
	text string
}

func (d *document) has(path []string) bool {
	return slices.ContainsFunc(scan(d.text), func(e entry) bool { return e.within(path) })
}

func (d *document) refuse(offset int, why string) error {
	return &EditError{Path: d.path, Line: 1 + strings.Count(d.text[:offset], "\n"), Why: why}
}

// splice replaces text[from:to].
func (d *document) splice(from, to int, with string) {
	d.text = d.text[:from] + with + d.text[to:]
}

// newline is what ends the text's lines.
func (d *document) newline() string {
	if i := strings.IndexByte(d.text, '\n'); i > 0 && d.text[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// lineStart and lineEnd bound the line at an offset, its line end included.
func (d *document) lineStart(at int) int { return 1 + strings.LastIndexByte(d.text[:at], '\n') }

func (d *document) lineEnd(at int) int {
	if i := strings.IndexByte(d.text[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(d.text)
}

// indent returns the blanks at the start of the line at an offset.
func (d *document) indent(at int) string {
	line := d.text[d.lineStart(at):]
	return line[:len(line)-len(strings.TrimLeft(line, blanks))]
}

// set gives a key of a table a value, in its place or at the table's end.
func (d *document) set(table []string, key, value string) error {
	path := append(slices.Clone(table), key)
	es := scan(d.text)
	if i := slices.IndexFunc(es, func(e entry) bool { return !e.header && e.is(path) }); i >= 0 {
		d.replace(es[i], value)
		return nil
	}
	if last, ok := es.last(table); ok {
		d.addAfter(last, len(table), bareOrQuoted(key)+" = "+value)
		return nil
	}
	if i := slices.IndexFunc(es, func(e entry) bool { return e.is(table) }); i >= 0 { // name = {}
		d.splice(es[i].value+1, es[i].value+1, " "+bareOrQuoted(key)+" = "+value+" ")
		return nil
	}
	if err := d.addTable(table[len(table)-1]); err != nil {
		return err
	}
	return d.set(table, key, value)
}

// last returns what a table's next key goes behind: the last entry that spells out
// its place in the table, or the table's header.
func (es entries) last(table []string) (last entry, ok bool) {
	n := len(table)
	for _, e := range es {
		if e.header && e.is(table) || !e.header && len(e.path) > n && e.own <= n && e.within(table) {
			last, ok = e, true
		}
	}
	return last, ok
}

// addAfter adds an assignment behind e, whose part of the path as far as the table,
// which is depth names long, it repeats: in `profile.work.issuer = …` that is `profile.work.`.
func (d *document) addAfter(e entry, depth int, assignment string) {
	if !e.header {
		assignment = d.text[e.start:e.path[depth].at] + assignment
	}
	if e.parent >= 0 {
		d.splice(e.end, e.end, ", "+assignment)
		return
	}
	d.addLine(d.lineEnd(e.end), d.indent(e.start)+assignment)
}

// addLine puts a line at an offset where one starts, or at the text's end.
func (d *document) addLine(at int, line string) {
	nl := d.newline()
	if at > 0 && d.text[at-1] != '\n' {
		line = nl + line
	}
	d.splice(at, at, line+nl)
}

// addTable adds a profile's header at the end.
func (d *document) addTable(name string) error {
	for _, e := range scan(d.text) {
		if !e.header && e.is([]string{"profile"}) {
			return d.refuse(e.start, "an inline table can't be added to from outside")
		}
	}
	if d.text != "" {
		d.addLine(len(d.text), "")
	}
	d.addLine(len(d.text), Header(name))
	return nil
}

func (d *document) setDefault(name string) error {
	switch path := []string{"default"}; {
	case name == "":
		return d.cut(path)
	case d.has(path):
		return d.set(nil, "default", literal(name))
	}
	line := "default = " + literal(name)
	if last, ok := scan(d.text).last(nil); ok {
		d.addLine(d.lineEnd(last.end), line)
		return nil
	}
	if d.text != "" {
		line += d.newline()
	}
	d.addLine(0, line)
	return nil
}

// replace changes a value. Comments within the old one move above it.
func (d *document) replace(e entry, value string) {
	above := d.comments(e)
	d.splice(e.value, e.end, value)
	d.splice(d.lineStart(e.start), d.lineStart(e.start), above)
}

// comments returns the comments within e's value, as lines of their own.
func (d *document) comments(e entry) string {
	var lines strings.Builder
	for _, c := range commentsIn(d.text[e.value:e.end]) {
		lines.WriteString(d.indent(e.start) + c + d.newline())
	}
	return lines.String()
}
