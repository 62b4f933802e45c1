package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Edit is a file's text that is being changed. A change that it can't make without
// losing something else it refuses, and stays as it was.
type Edit struct {
	file *File  // what text says
	mark string // the byte order mark, if there is one
	text string // without it
}

// EditError says that a change must be made by hand.
type EditError struct {
	Path string
	Line int // where, from 1
	Why  string
}

func (e *EditError) Error() string {
	return fmt.Sprintf("%s:%d: %s: please change this line by hand", e.Path, e.Line, e.Why)
}

func newEdit(path, text string) (*Edit, error) {
	f, err := parse(path, text)
	if err != nil {
		return nil, err
	}
	body := strings.TrimPrefix(text, byteOrderMark)
	return &Edit{file: f, mark: text[:len(text)-len(body)], text: body}, nil
}

// Text returns the whole text with all changes so far.
func (e *Edit) Text() string { return e.mark + e.text }

// Set lays s over a profile, which is added when there is none of that name.
// Errors: *InvalidError, *EditError.
func (e *Edit) Set(profile string, s Settings) error {
	was, known := e.file.profiles[profile]
	was.Name = profile
	if !ValidName(profile) {
		return was.invalid("profile", profile, nameRule)
	}
	want, err := was.With(s)
	if err != nil {
		return err
	}
	d := document{path: e.file.Path, text: e.text}
	if !known {
		err = d.addTable(profile)
	}
	was2, want2 := was.table(), want.table()
	for i := range want2 {
		if err == nil && !reflect.DeepEqual(was2[i].value(), want2[i].value()) {
			err = d.change([]string{"profile", profile}, was2[i], want2[i])
		}
	}
	if err != nil {
		return err
	}
	profiles := maps.Clone(e.file.profiles)
	profiles[profile] = want
	return e.accept(d.text, e.file.Default, profiles)
}

// SetDefault makes `default` name a profile, which need not exist; "" takes it out.
// Errors: *InvalidError, *EditError.
func (e *Edit) SetDefault(name string) error {
	if name != "" && !ValidName(name) {
		return &InvalidError{Key: "default", Value: name, Why: nameRule}
	}
	if name == e.file.Default {
		return nil
	}
	d := document{path: e.file.Path, text: e.text}
	if err := d.setDefault(name); err != nil {
		return err
	}
	return e.accept(d.text, name, e.file.profiles)
}

// Remove takes a profile out, with the comments inside it, and `default` where
// that names it. Errors: *UnknownProfileError, *EditError.
func (e *Edit) Remove(profile string) error {
	if _, err := e.file.Profile(profile); err != nil {
		return err
	}
	d := document{path: e.file.Path, text: e.text}
	err := d.cut([]string{"profile", profile})
	name := e.file.Default
	if name == profile && err == nil {
		name, err = "", d.cut([]string{"default"})
	}
	if err != nil {
		return err
	}
	profiles := maps.Clone(e.file.profiles)
	delete(profiles, profile)
	return e.accept(d.text, name, profiles)
}

// accept takes text when it says exactly what it must. This, and not the care with
// which the text was made, is what keeps every other setting safe.
func (e *Edit) accept(text, name string, profiles map[string]Profile) error {
	f, err := parse(e.file.Path, text)
	if err != nil || f.Default != name || !reflect.DeepEqual(f.profiles, profiles) {
		d := document{path: e.file.Path, text: e.text}
		return d.refuse(differ(e.text, text), "the way it is written leaves no safe place for the change")
	}
	e.file, e.text = f, text
	return nil
}

// differ returns the offset of the first difference.
func differ(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// change makes one setting of the table at path what it should be.
func (d *document) change(path []string, was, want setting) error {
	at := append(slices.Clone(path), want.Name)
	v := want.value()
	switch m := v.(type) {
	case nil:
		return d.cut(at)
	case map[string]string:
		if d.has(at) {
			return d.changeMap(at, *was.at.(*map[string]string), m)
		}
	}
	return d.set(path, want.Name, literal(v))
}

// changeMap touches only the keys that differ; the table is never empty meanwhile.
func (d *document) changeMap(path []string, was, want map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if old, known := was[key]; known && old == want[key] {
			continue
		}
		if err := d.set(path, key, literal(want[key])); err != nil {
			return err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(was)) {
		if _, kept := want[key]; !kept {
			if err := d.cut(append(slices.Clone(path), key)); err != nil {
				return err
			}
		}
	}
	return nil
}
