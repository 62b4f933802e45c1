//go:build !windows

package main

import (
	"fmt"
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

// opened says how other users can get at a file; "" where they can't.
func opened(_ string, info fs.FileInfo) string {
	if info.Mode().Perm()&0o077 == 0 {
		return ""
	}
	return fmt.Sprintf("its mode is %04o", info.Mode().Perm())
}

// closeDir and closeFile are the commands that leave a directory or a file to its user.
func closeDir(path string) string  { return "chmod -R go= " + shellWord(path) }
func closeFile(path string) string { return "chmod 600 " + shellWord(path) }
