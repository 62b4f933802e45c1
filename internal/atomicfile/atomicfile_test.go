package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
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

func TestNewMakesAFileOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "file")
	made := make(chan error)
	for i := range 16 {
		go func() { made <- New(path, []byte{byte(i)}) }()
	}
	first := 0
	for range 16 {
		switch err := <-made; {
		case err == nil:
			first++
		case !errors.Is(err, fs.ErrExist):
			t.Errorf("got %v, want that it exists", err)
		}
	}
	if got, err := os.ReadFile(path); first != 1 || err != nil || len(got) != 1 {
		t.Errorf("made %d times; got %q, %v, want one of the bytes", first, got, err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("got %v, %v beside the file, want it alone", left, err)
	}
}

func TestProbeLeavesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "file")
	if err := Probe(path, 10); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := Probe(path, 10); err != nil {
		t.Fatal(err)
	}
	if err := Probe(filepath.Join(path, "below"), 10); err == nil {
		t.Error("got no error for a directory that can't be")
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if got, _ := os.ReadFile(path); err != nil || len(left) != 1 || string(got) != "old" {
		t.Errorf("got %v, %v with %q, want the old file alone", left, err, got)
	}
}

// What a killed process left goes with the next write; what another is writing now
// stays, and so does what belongs to other files.
func TestWriteSweeps(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name string
		age  time.Duration
		gone bool
	}{
		{".file" + tempMark + "1", time.Hour, true},
		{".file" + tempMark + "2", time.Second, false},
		{".file2" + tempMark + "3", time.Hour, false},
		{"file" + tempMark + "4", time.Hour, false},
	} {
		path, at := filepath.Join(dir, c.name), time.Now().Add(-c.age)
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
		if err := Write(filepath.Join(dir, "file"), nil); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) != c.gone {
			t.Errorf("%s: got %v, want it gone: %v", c.name, err, c.gone)
		}
	}
}
