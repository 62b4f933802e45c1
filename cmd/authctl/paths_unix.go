//go:build !windows

package main

import (
	"io/fs"
	"os"
	"syscall"
)

// checkStateDir refuses a directory in which others can write: a link that they put in
// the place of a file of ours would lead what we write to any file of this user. One that
// isn't there yet is made 0700.
func checkStateDir(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return nil // whoever needs it says so
	}
	if info.Mode().Type() == fs.ModeSymlink {
		if err := checkOwner(dir, info); err != nil {
			return err
		}
		if info, err = os.Stat(dir); err != nil {
			return nil
		}
	}
	if err := checkOwner(dir, info); err != nil {
		return err
	}
	if info.IsDir() && info.Mode().Perm()&0o022 != 0 {
		return &usageError{
			err:  errorf("others can write in the state directory %s: its mode is %04o", dir, info.Mode().Perm()),
			hint: "chmod go-w " + shellWord(dir) + ", or set AUTHCTL_STATE_DIR to a directory that isn't there yet, which is made for you alone",
		}
	}
	return nil
}

// checkOwner: root may do as they like anyway.
func checkOwner(dir string, info fs.FileInfo) error {
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || owner.Uid == 0 || int(owner.Uid) == os.Geteuid() {
		return nil
	}
	hint := "set AUTHCTL_STATE_DIR to a directory of your own"
	if os.Geteuid() == 0 {
		hint = "run authctl as that user, without sudo, or " + hint
	}
	return &usageError{errorf("the state directory %s is another user's: its owner has the ID %d", dir, owner.Uid), hint}
}
