package config

import (
	"slices"
	"strings"
)

// cut takes out all that stands at path or in the table at path.
func (d *document) cut(path []string) error {
	for {
		es := scan(d.text)
		i := slices.IndexFunc(es, func(e entry) bool { return e.within(path) })
		if i < 0 {
			return nil
		}
		switch e := es[i]; {
		case e.header:
			d.cutSection(es[i:])
		case e.parent < 0:
			d.cutLine(e)
		default:
			if err := d.cutInline(es, i); err != nil {
				return err
			}
		}
	}
}

// cutSection takes out a header and what follows as far as its last key, comments
// between included, and the blank line that sets it off.
func (d *document) cutSection(es entries) {
	from, to := d.lineStart(es[0].start), d.lineEnd(es[0].end)
	for _, e := range es[1:] {
		if e.header {
			break
		}
		to = d.lineEnd(max(e.end, to-1))
	}
	nl := d.newline()
	switch {
	case strings.HasSuffix(d.text[:from], nl+nl):
		from -= len(nl)
	case from == 0 && strings.HasPrefix(d.text[to:], nl):
		to += len(nl)
	}
	d.splice(from, to, "")
}

// cutLine takes out a key and its value. Comments stay, on lines of their own.
func (d *document) cutLine(e entry) {
	above := d.comments(e)
	to := d.lineEnd(e.end)
	rest := strings.TrimLeft(d.text[e.end:to], blanks)
	if strings.HasPrefix(rest, "#") {
		above += d.indent(e.start) + rest
	}
	d.splice(d.lineStart(e.start), to, above)
}

// cutInline takes es[i] and one comma out of an inline table.
func (d *document) cutInline(es entries, i int) error {
	e := es[i]
	from, to := e.start, e.end
	for _, before := range es[:i] {
		if before.parent == e.parent {
			from = before.end
		}
	}
	if from == e.start { // the first: the comma behind goes
		rest := strings.TrimLeft(d.text[to:], blanks)
		if strings.HasPrefix(rest, ",") {
			rest = strings.TrimLeft(rest[1:], blanks)
		}
		to = len(d.text) - len(rest)
	}
	if strings.Contains(d.text[from:e.start], "#") || len(commentsIn(d.text[e.value:e.end])) > 0 {
		return d.refuse(e.start, "a comment in an inline table would be lost")
	}
	d.splice(from, to, "")
	return nil
}
