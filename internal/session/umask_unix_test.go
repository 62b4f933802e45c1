//go:build !windows

package session

import (
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A renewal that fails makes the directory, the lock and the attempt's file.
func TestModesWhateverTheUmask(t *testing.T) {
	refuse := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"error":"access_denied"}`)
	}))
	t.Cleanup(refuse.Close)
	for _, umask := range []string{"000", "0277"} {
		t.Run(umask, func(t *testing.T) {
			s, _ := newSession(t)
			s.Dir = filepath.Join(s.Dir, "locks")
			put(t, s, nil)
			given, err := json.Marshal(jobOf(s, refuse.URL, minute))
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("sh", "-c", `umask "$1" && exec "$2"`, "sh", umask, os.Args[0])
			cmd.Env = append(os.Environ(), jobVariable+"="+string(given))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("in a child: %v\n%s", err, out)
			}
			for path, want := range map[string]fs.FileMode{
				filepath.Dir(s.Dir): 0o700, s.Dir: 0o700,
				filepath.Join(s.Dir, "work.lock"): 0o600, filepath.Join(s.Dir, "work.attempt"): 0o600,
			} {
				if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
					t.Errorf("%s: got %v, %v, want %o", path, info, err, want)
				}
			}
		})
	}
}
