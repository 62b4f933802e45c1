package session

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// holdsLock reports whether the lock file is held by the process that this one knows by that
// number. One in another container, or on another machine that shares the directory, has
// a number of its own, by which another process may be known here. /proc/locks doesn't list
// what such a process holds, see proc_locks(5).
func holdsLock(pid int, file string) bool {
	info, err := os.Stat(file)
	if err != nil {
		return false
	}
	inode := fmt.Sprintf(":%d", info.Sys().(*syscall.Stat_t).Ino)
	list, _ := os.ReadFile("/proc/locks")
	for line := range strings.Lines(string(list)) {
		f := strings.Fields(line) // 1: FLOCK ADVISORY WRITE PID MAJOR:MINOR:INODE 0 EOF
		if len(f) > 5 && f[4] == strconv.Itoa(pid) && strings.HasSuffix(f[5], inode) {
			return true
		}
	}
	return false
}
