package e2e

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math/bits"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// machine is what authctl keeps for a user: files below their home, items of their keyring,
// and what the kernel has.
type machine struct {
	files  map[string]keptFile // by path from the home
	items  map[string]string   // by name
	kernel string              // what counts there; empty: nothing
	item   string              // the name of the session's
}

type keptFile struct {
	mode    fs.FileMode
	content string
}

// machine looks at both.
func (s *callSweep) machine() machine {
	s.t.Helper()
	m := machine{files: map[string]keptFile{}, items: s.keys.items(), kernel: s.u.inKernel(), item: s.u.named("default")}
	err := filepath.WalkDir(s.u.home, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(s.u.home, path)
		if err != nil || name == "." {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		f := keptFile{mode: info.Mode()}
		if info.Mode().IsRegular() {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			f.content = string(content)
		}
		m.files[name] = f
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

// kernelAgrees reports whether what counts in the kernel is of the session in the keychain.
func (m machine) kernelAgrees() bool {
	if m.kernel == "" {
		return true
	}
	var cached tokens
	err := json.Unmarshal([]byte(m.kernel[beforeCached:]), &cached)
	return err == nil && strings.Contains(m.items[m.item], `"`+cached.AccessToken+`"`)
}

// restore makes the machine what it was.
func (s *callSweep) restore(m machine) {
	s.t.Helper()
	s.u.forgetInKernel()
	entries, err := os.ReadDir(s.u.home)
	for _, e := range entries {
		if err == nil {
			err = os.RemoveAll(filepath.Join(s.u.home, e.Name()))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.files)) {
		path, f := filepath.Join(s.u.home, name), m.files[name]
		if err == nil && f.mode.IsDir() {
			err = os.Mkdir(path, f.mode.Perm())
		} else if err == nil {
			err = os.WriteFile(path, []byte(f.content), f.mode.Perm())
		}
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.keys.restore(m.items)
	s.u.keepInKernel(m.kernel)
}

// random is what no two names have in common.
var random = regexp.MustCompile(`[0-9a-f]{16}|\d{5,}`)

// passing are the names of what is there for a moment, or after a crash.
var passing = regexp.MustCompile(`authctl-tmp|\.check-`)

// shared are the files by which logins find each other. How many there are depends on what
// was asked of them, within a bound.
var shared = regexp.MustCompile(`\+[0-9a-f]{2}\.(lock|login)$`)

// kept is what the user would miss: all but locks, directories and what is passing.
func (m machine) kept() machine {
	k := machine{files: map[string]keptFile{}, items: map[string]string{}}
	for name, f := range m.files {
		if f.mode.IsRegular() && filepath.Ext(name) != ".lock" && !passing.MatchString(name) && !shared.MatchString(name) {
			k.files[name] = f
		}
	}
	for name, secret := range m.items {
		if !passing.MatchString(name) {
			k.items[name] = secret
		}
	}
	return k
}

// is reports whether the user would miss nothing.
func (m machine) is(other machine) bool {
	a, b := m.kept(), other.kept()
	return maps.Equal(a.files, b.files) && maps.Equal(a.items, b.items)
}

// listing names everything that is there, with the modes.
func (m machine) listing() string {
	var lines []string
	for name, f := range m.files {
		if !shared.MatchString(name) {
			lines = append(lines, fmt.Sprintf("%v %s", f.mode, random.ReplaceAllString(name, "*")))
		}
	}
	for name := range m.items {
		lines = append(lines, "item "+random.ReplaceAllString(name, "*"))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// shape names what is in use and what is passing, with how much of it there is, roughly:
// a session that holds another one is twice as large.
func (m machine) shape() string {
	var lines []string
	add := func(name, content string) {
		lines = append(lines, fmt.Sprintf("%s %d", random.ReplaceAllString(name, "*"), bits.Len(uint(len(content)))))
	}
	for name, f := range m.files {
		if f.mode.IsRegular() && filepath.Ext(name) != ".lock" && !shared.MatchString(name) {
			add(name, f.content)
		}
	}
	for name, secret := range m.items {
		add("item "+name, secret)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// between reports whether the profile is on its way to another store.
func (m machine) between() bool {
	for name := range m.files {
		if strings.HasSuffix(name, ".moving") || strings.HasSuffix(name, "-earlier") {
			return true
		}
	}
	return false
}

// open names what others than the user may look at.
func (m machine) open() (names []string) {
	for name, f := range m.files {
		if f.mode.Perm()&0o077 != 0 {
			names = append(names, name)
		}
	}
	return names
}

// age makes an hour pass since a crash: what is passing is swept away by its age.
func (s *callSweep) age() {
	s.t.Helper()
	for name := range s.machine().files {
		if at := time.Now().Add(-time.Hour); passing.MatchString(name) {
			if err := os.Chtimes(filepath.Join(s.u.home, name), at, at); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}
