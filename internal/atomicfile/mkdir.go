package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// MkdirAll makes dir, and what is missing above it, 0700 whatever the umask; on Windows
// with an access list that has this user, the system and the administrators. A directory that is there stays as it is.
func MkdirAll(dir string) error {
	info, err := os.Stat(dir)
	switch up := filepath.Dir(dir); {
	case err == nil && !info.IsDir():
		return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
	case err == nil:
		return nil
	case up != dir:
		if err := MkdirAll(up); err != nil {
			return err
		}
	}
	err = mkdir(dir)
	if errors.Is(err, fs.ErrExist) { // another process was quicker, or it is no directory
		if info, statErr := os.Stat(dir); statErr == nil && info.IsDir() {
			return nil
		}
	}
	if err != nil {
		return err
	}
	// It has no more than that, and a file system without modes has none to give.
	_ = os.Chmod(dir, 0o700)
	return nil
}
