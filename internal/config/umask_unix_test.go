//go:build !windows

package config

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const umaskDirVar = "AUTHCTL_CONFIG_TEST_DIR"

func TestModesWhateverTheUmask(t *testing.T) {
	if dir := os.Getenv(umaskDirVar); dir != "" {
		for _, issuer := range []string{"https://a.example", "https://b.example"} {
			err := Update(filepath.Join(dir, "config", "config.toml"), filepath.Join(dir, "state", "config.lock"),
				func(e *Edit) error { return e.Set("work", Settings{"issuer": issuer}) })
			if err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	for _, umask := range []string{"000", "0277"} {
		t.Run(umask, func(t *testing.T) {
			dir := t.TempDir()
			cmd := exec.Command("sh", "-c", `umask "$1" && exec "$2" -test.run='^TestModesWhateverTheUmask$'`, "sh", umask, os.Args[0])
			cmd.Env = append(os.Environ(), umaskDirVar+"="+dir)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("in a child: %v\n%s", err, out)
			}
			for path, want := range map[string]fs.FileMode{
				"config": 0o700, "config/config.toml": 0o600, "state": 0o700, "state/config.lock": 0o600,
			} {
				if info, err := os.Stat(filepath.Join(dir, path)); err != nil || info.Mode().Perm() != want {
					t.Errorf("%s: got %v, %v, want %o", path, info, err, want)
				}
			}
		})
	}
}
