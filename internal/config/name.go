package config

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ValidName reports whether name can name a profile: [a-z0-9][a-z0-9._-]{0,63}.
func ValidName(name string) bool {
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || strings.IndexByte("._-", c) < 0) {
			return false
		}
	}
	return name != "" && len(name) <= 64
}

const (
	directoryFile = ".authctl.toml"
	// maxDirectoryFile bounds what is read of a file that may have come with
	// somebody else's repository, in bytes.
	maxDirectoryFile = 64 << 10
)

// NameFrom looks for a file .authctl.toml in dir, which is absolute, and then in
// each directory above it. The first one found holds `profile = "NAME"` and nothing
// else. Both results are empty when there is none. Errors: *SyntaxError, or the
// system's: a file that can't be read must not let another profile be used.
func NameFrom(dir string) (name, file string, err error) {
	for {
		file = filepath.Join(dir, directoryFile)
		text, err := readSmall(file)
		if err == nil {
			name, err = parseName(file, text)
			return name, file, err
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", file, err
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", "", nil
		}
		dir = up
	}
}

// readSmall reads a regular file: a pipe would block for ever.
func readSmall(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Size() > maxDirectoryFile {
		return "", &fs.PathError{Op: "read", Path: path, Err: errors.New("not a small regular file")}
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxDirectoryFile))
	return string(text), err
}

func parseName(path, text string) (string, error) {
	src, tree, err := decodeTOML(path, text)
	if err != nil {
		return "", err
	}
	var c checker
	name := ""
	for key, v := range tree {
		if key != "profile" {
			c.add([]string{key}, "only profile = \"NAME\" may stand here", suggest(key, []string{"profile"}))
			continue
		}
		if name, _ = v.(string); !ValidName(name) {
			c.add([]string{key}, "profile must be a profile's name", nameRule)
		}
	}
	if len(tree) == 0 {
		return "", src.errorAt(0, "this file must say profile = \"NAME\"", "")
	}
	return name, c.first(src)
}

const nameRule = "a profile's name is lower-case letters, digits, '.', '_' and '-', at most 64"

// suggest is the hint for a misspelt name, or empty.
func suggest(name string, known []string) string {
	if near := nearest(name, known); near != "" {
		return "did you mean \"" + near + "\"?"
	}
	return ""
}

// nearest returns the known name that name was probably meant to be, or empty.
func nearest(name string, known []string) string {
	best, limit := "", min(len(name)/4+1, len(name)-1)
	for _, k := range known {
		if d := distance(strings.ToLower(name), k); d <= limit {
			best, limit = k, d-1
		}
	}
	return best
}

// distance counts the bytes to insert, delete or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
