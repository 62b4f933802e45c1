// Package atomicfile writes a file so that a reader, or the machine after a
// crash, finds either what was there before or all of what came after. It knows
// nothing of what it writes and leaves locking to its callers.
package atomicfile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// tempMark stands in the names of files that are not yet committed.
const tempMark = ".authctl-tmp-"

// Write replaces path with data. The file is 0600 whatever the umask; missing
// directories are made 0700. It returns once the bytes and the name are on disk
// (fsync of the file, rename, fsync of the directory). A symbolic link is
// followed, so that a linked file stays linked.
func Write(path string, data []byte) error {
	path = target(path)
	dir := filepath.Dir(path)
	if err := MkdirAll(dir); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+tempMark+"*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails, rightly, once renamed
	if err := fill(f, data); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// target is the file that path stands for, also where a link points at a file that is
// yet to be made.
func target(path string) string {
	if file, err := filepath.EvalSymlinks(path); err == nil {
		return file
	}
	link, err := os.Readlink(path)
	if err != nil {
		return path
	}
	if filepath.IsAbs(link) {
		return link
	}
	return filepath.Join(filepath.Dir(path), link)
}

// fill writes, syncs and closes f, which is made 0600: a umask may have left it less.
func fill(f *os.File, data []byte) error {
	_ = f.Chmod(0o600) // a file system without modes has none to give
	_, err := f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// IsTemp reports whether name is what a killed Write leaves behind.
func IsTemp(name string) bool { return strings.Contains(filepath.Base(name), tempMark) }
