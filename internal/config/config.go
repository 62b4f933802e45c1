// Package config loads, checks and saves profiles, which are tables of a TOML
// file that belongs to the user: what it writes changes the lines that it must
// and leaves all others as they were. Where the file is, what flags and the
// environment say, and every word to a person are its callers'.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"github.com/authctl/authctl/internal/atomicfile"
)

// File is a configuration file as it was when it was read.
type File struct {
	Path     string // absolute
	Default  string // the profile that `default` names; it need not exist
	profiles map[string]Profile
}

// Load reads the file at path; one that is missing holds nothing. Errors:
// *SyntaxError, or the system's.
func Load(path string) (*File, error) {
	path, text, err := read(path)
	if err != nil {
		return nil, err
	}
	return parse(path, text)
}

// read returns path made absolute and the text that is there, if any.
func read(path string) (abs, text string, err error) {
	if abs, err = filepath.Abs(path); err != nil {
		return "", "", err
	}
	data, err := atomicfile.Read(abs)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", "", err
	}
	return abs, string(data), nil
}

// Names returns the names of all profiles, sorted.
func (f *File) Names() []string { return slices.Sorted(maps.Keys(f.profiles)) }

// Profile returns one profile as written: nothing filled in or checked, but paths
// that are relative in the file are made absolute from the file's directory. A
// leading ~ is an ordinary character. Errors: *UnknownProfileError.
func (f *File) Profile(name string) (Profile, error) {
	p, ok := f.profiles[name]
	if !ok {
		known := f.Names()
		return Profile{}, &UnknownProfileError{Name: name, Nearest: nearest(name, known), Path: f.Path, Known: known}
	}
	p = p.clone()
	for _, s := range p.table() {
		if at, ok := s.at.(*string); ok && s.Kind == Path && *at != "" && !filepath.IsAbs(*at) {
			*at = filepath.Join(filepath.Dir(f.Path), *at)
		}
	}
	return p, nil
}

// UnknownProfileError says that a file has no profile of that name.
type UnknownProfileError struct {
	Name    string
	Nearest string   // the known name that was probably meant, or empty
	Path    string   // the file
	Known   []string // sorted
}

func (e *UnknownProfileError) Error() string {
	return fmt.Sprintf("no profile %q in %s", e.Name, e.Path)
}
