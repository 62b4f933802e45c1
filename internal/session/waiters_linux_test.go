package session

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// awaitWaiters returns once n others block on the session's lock, by the
// kernel's own list.
func awaitWaiters(t *testing.T, s *Session, n int) {
	t.Helper()
	info, err := os.Stat(s.Dir + "/" + s.Name + ".lock")
	if err != nil {
		t.Error(err)
		return
	}
	inode := fmt.Sprintf(":%d ", info.Sys().(*syscall.Stat_t).Ino)
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		locks, err := os.ReadFile("/proc/locks")
		if err != nil {
			t.Error(err)
			return
		}
		waiting := 0
		for line := range strings.Lines(string(locks)) {
			if strings.Contains(line, "->") && strings.Contains(line, inode) {
				waiting++
			}
		}
		if waiting >= n {
			return
		}
	}
	t.Errorf("fewer than %d wait for the lock after a minute", n)
}
