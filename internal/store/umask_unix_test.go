//go:build !windows

package store

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestModesWhateverTheUmask(t *testing.T) {
	if dir := os.Getenv(insideVar); dir != "" {
		f := &File{Dir: filepath.Join(dir, "state", "sealed"), KeyFile: filepath.Join(dir, "keys", "key")}
		_, err := MakeKey(f.KeyFile)
		must(t, err)
		must(t, f.Check(t.Context()))
		must(t, f.Create(t.Context(), "work", []byte("s")))
		must(t, f.Ready(t.Context(), "work"))
		return
	}
	for _, umask := range []string{"000", "0277"} {
		t.Run(umask, func(t *testing.T) {
			dir := t.TempDir()
			cmd := exec.Command("sh", "-c", `umask "$1" && exec "$2" -test.run='^TestModesWhateverTheUmask$'`, "sh", umask, os.Args[0])
			cmd.Env = append(os.Environ(), insideVar+"="+dir)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("in a child: %v\n%s", err, out)
			}
			for path, want := range map[string]fs.FileMode{
				"keys": 0o700, "keys/key": 0o600,
				"state": 0o700, "state/sealed": 0o700, "state/sealed/file~work~sealed": 0o600,
			} {
				if info, err := os.Stat(filepath.Join(dir, path)); err != nil || info.Mode().Perm() != want {
					t.Errorf("%s: got %v, %v, want %o", path, info, err, want)
				}
			}
		})
	}
}
