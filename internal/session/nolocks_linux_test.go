package session

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/authctl/authctl/internal/need"
)

// strace makes the kernel answer as on a file system without locks.
func TestFileSystemWithoutLocks(t *testing.T) {
	need.Program(t, "strace")
	for _, c := range []struct{ errno, want string }{
		{"ENOLCK", "no locks"},
		{"ENOSYS", "no locks"},
		{"EOPNOTSUPP", "no locks"},
		{"EACCES", "lock"},
		{"EINTR:when=1", ""}, // waits on
	} {
		t.Run(c.errno, func(t *testing.T) {
			s, _ := newSession(t)
			put(t, s, nil)
			p := startProvider(t, nil)
			given, err := json.Marshal(jobOf(s, p.URL, minute))
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("strace", "-f", "-o", filepath.Join(t.TempDir(), "trace"), "-e", "trace=flock", "-e", "inject=flock:error="+c.errno, os.Args[0])
			cmd.Env = append(os.Environ(), jobVariable+"="+string(given))
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			var got result
			if err := json.Unmarshal(bytes.TrimPrefix(out, []byte("ready\n")), &got); err != nil {
				t.Fatal(err)
			}
			if got.Err != c.want || (c.want == "") != (p.count() == 1) {
				t.Errorf("got %+v after %d requests, want %q", got, p.count(), c.want)
			}
		})
	}
}
