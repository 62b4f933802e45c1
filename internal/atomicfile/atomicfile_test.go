package atomicfile

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWriteReplacesWholeAndPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "file")
	for _, want := range []string{"first, and longer", "second"} {
		if err := Write(path, []byte(want)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("got %v, %v beside the file, want it alone", left, err)
	}
}

func TestWriteKeepsALink(t *testing.T) {
	for _, c := range []struct {
		name   string
		exists bool
		to     func(target string) string
	}{
		{"to a file", true, func(t string) string { return t }},
		{"to a file, relative", true, filepath.Base},
		{"to nothing yet", false, func(t string) string { return t }},
		{"to nothing yet, relative", false, filepath.Base},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
			if c.exists {
				if err := os.WriteFile(target, []byte("old"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Symlink(c.to(target), link); err != nil {
				t.Fatal(err)
			}
			if err := Write(link, []byte("new")); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(target)
			if err != nil || string(got) != "new" {
				t.Errorf("target: got %q, %v, want %q", got, err, "new")
			}
			if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
				t.Errorf("link: got %v, %v, want still a link", info, err)
			}
		})
	}
}

func TestWriteLeavesTheOldWhenItFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "taken")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("x")); err == nil {
		t.Fatal("got no error for a path that is a directory")
	}
	left, _ := os.ReadDir(filepath.Dir(path))
	if len(left) != 1 {
		t.Errorf("got %v, want nothing left over", left)
	}
}
