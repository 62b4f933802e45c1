//go:build !windows

package main

import (
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

// foreignOwner is the number of a file's owner, when that is somebody else.
func foreignOwner(info fs.FileInfo) string {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(s.Uid) == os.Geteuid() {
		return ""
	}
	return strconv.Itoa(int(s.Uid))
}

// isOpen reports whether other users can get at a file.
func isOpen(info fs.FileInfo) bool { return info.Mode().Perm()&0o077 != 0 }
