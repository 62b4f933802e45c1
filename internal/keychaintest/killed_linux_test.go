package keychaintest

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/need"
)

// Even a test binary that is killed leaves no daemon behind.
func TestDaemonsDieWithTheTest(t *testing.T) {
	need.Program(t, "dbus-daemon", "gnome-keyring-daemon")
	const marker = "KEYCHAINTEST_CHILD"
	if os.Getenv(marker) != "" {
		b := Open(t, Unlocked)
		os.Stdout.WriteString("dir " + b.dir + "\n")
		select {}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestDaemonsDieWithTheTest$")
	cmd.Env = append(os.Environ(), marker+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var dir string
	for lines := bufio.NewScanner(out); dir == "" && lines.Scan(); {
		if path, ok := strings.CutPrefix(lines.Text(), "dir "); ok {
			dir = path
		}
	}
	defer os.RemoveAll(dir) // which a killed process can't remove
	socket, control := filepath.Join(dir, "run", "bus"), filepath.Join(dir, "run", "keyring", "control")
	for _, path := range []string{socket, control} {
		if !answers(path) {
			t.Fatalf("%s: nobody there before", path)
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	for end := time.Now().Add(10 * time.Second); answers(socket) || answers(control); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a daemon is still there")
		}
	}
}

func answers(socket string) bool {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}
