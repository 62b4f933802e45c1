//go:build !windows

package atomicfile

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// dirVar and umaskVar tell a child what to do: the umask is the process's.
const (
	dirVar   = "AUTHCTL_ATOMICFILE_TEST_DIR"
	umaskVar = "AUTHCTL_ATOMICFILE_TEST_UMASK"
)

func TestModesWhateverTheUmask(t *testing.T) {
	if dir := os.Getenv(dirVar); dir != "" {
		mask, err := strconv.ParseInt(os.Getenv(umaskVar), 8, 32)
		if err != nil {
			t.Fatal(err)
		}
		syscall.Umask(int(mask))
		for range 2 { // the second replaces
			if err := Write(filepath.Join(dir, "a", "b", "file"), []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	for _, umask := range []string{"000", "022", "077", "0277", "0777"} {
		t.Run(umask, func(t *testing.T) {
			dir := t.TempDir()
			cmd := exec.Command(os.Args[0], "-test.run=^TestModesWhateverTheUmask$", "-test.count=1")
			cmd.Env = append(os.Environ(), dirVar+"="+dir, umaskVar+"="+umask)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("in a child: %v\n%s", err, out)
			}
			for path, want := range map[string]fs.FileMode{"a": 0o700, "a/b": 0o700, "a/b/file": 0o600} {
				info, err := os.Stat(filepath.Join(dir, path))
				if err != nil {
					t.Fatal(err)
				}
				if got := info.Mode().Perm(); got != want {
					t.Errorf("%s: got %o, want %o", path, got, want)
				}
			}
		})
	}
}

func TestMkdirAll(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	shared := filepath.Join(dir, "shared")
	if err := os.Mkdir(shared, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path string
		ok         bool
	}{
		{"new", filepath.Join(dir, "x", "y"), true},
		{"there", filepath.Join(dir, "x"), true},
		{"under one that others may read", filepath.Join(shared, "x"), true},
		{"a file", file, false},
		{"under a file", filepath.Join(file, "x", "y"), false},
		{"empty", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := MkdirAll(c.path); (err == nil) != c.ok {
				t.Errorf("got %v, want success: %v", err, c.ok)
			}
		})
	}
	if info, err := os.Stat(shared); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("got %v, %v, want the directory of others as it was", info.Mode(), err)
	}
}
