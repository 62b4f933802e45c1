package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestValidName(t *testing.T) {
	for name, want := range map[string]bool{
		"work": true, "0": true, "a.b-c_d": true, strings.Repeat("a", 64): true,
		"": false, "Work": false, ".a": false, "-a": false, "_a": false, "a b": false, "a/b": false, "ä": false,
		"a\n": false, strings.Repeat("a", 65): false,
	} {
		if got := ValidName(name); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}

func TestNameFromTheNearestFile(t *testing.T) {
	root := t.TempDir()
	deep := filepath.Join(root, "a", "b", "c")
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ file, text, want string }{
		{filepath.Join(root, directoryFile), "profile = \"far\"\n", "far"},
		{filepath.Join(root, "a", "b", directoryFile), "# ours\nprofile = 'near' # x\n", "near"},
	} {
		write(t, c.file, c.text)
		name, file, err := NameFrom(deep)
		if err != nil || name != c.want || file != c.file {
			t.Errorf("got %q, %q, %v, want %q from %q", name, file, err, c.want, c.file)
		}
	}
}

func TestNameFromNowhere(t *testing.T) {
	if name, file, err := NameFrom(t.TempDir()); name != "" || file != "" || err != nil {
		t.Errorf("got %q, %q, %v, want nothing", name, file, err)
	}
}

func TestNameFromRefuses(t *testing.T) {
	for _, c := range []struct {
		name, text   string
		line, column int
		msg          string
	}{
		{"empty", "", 1, 1, "must say profile"},
		{"another key", "profile = \"a\"\nissuer = \"x\"\n", 2, 1, "only profile"},
		{"misspelt", "profil = \"a\"\n", 1, 1, "only profile"},
		{"a table", "[profile.work]\n", 1, 2, "a profile's name"},
		{"a number", "profile = 1\n", 1, 1, "a profile's name"},
		{"no name", "\n  profile = \"A b\"\n", 2, 3, "a profile's name"},
		{"broken", "profile = \n", 1, 11, "expected value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), directoryFile)
			write(t, file, c.text)
			_, _, err := NameFrom(filepath.Dir(file))
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Path != file || syntax.Line != c.line || syntax.Column != c.column || !strings.Contains(syntax.Msg, c.msg) {
				t.Errorf("got %v, want %d:%d: …%s…", err, c.line, c.column, c.msg)
			}
		})
	}
}

func TestNameFromReadsOnlySmallFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, directoryFile), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, _, err := NameFrom(dir); err == nil {
		t.Error("a directory: got no error")
	}
	dir = t.TempDir()
	write(t, filepath.Join(dir, directoryFile), "a = "+strings.Repeat("[", maxDirectoryFile))
	if _, _, err := NameFrom(dir); err == nil {
		t.Error("a large file: got no error")
	}
}
