// Package atomicfile writes a file so that a reader, or the machine after a
// crash, finds either what was there before or all of what came after. It knows
// nothing of what it writes and leaves locking to its callers.
package atomicfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// tempMark stands in the names of files that are not yet committed.
const tempMark = ".authctl-tmp-"

// abandoned is the age of such a file at which nobody is writing it any more.
const abandoned = time.Minute

// Write replaces path with data. The file is 0600 whatever the umask; missing
// directories are made by MkdirAll. It returns once the bytes are on disk (fsync of the file,
// rename), and the name as well (fsync of the directory) where the file system can do
// that. A symbolic link is followed, so that a linked file stays linked.
func Write(path string, data []byte) error {
	return commit(path, data, rename)
}

// New is Write for a file that must not be there yet: fs.ErrExist if it is. Of many at
// once one makes it.
func New(path string, data []byte) error {
	return commit(path, data, link)
}

// Read reads what Write writes, also while it does.
func Read(path string) ([]byte, error) { return read(path) }

// Probe proves that a file of size bytes can be written at path now. It leaves nothing
// but the directories that the file will need.
func Probe(path string, size int64) error {
	f, err := newTemp(target(path))
	if err != nil {
		return err
	}
	defer Sweep(path)
	defer os.Remove(f.Name())
	return fill(f, make([]byte, size))
}

// Sweep removes what is left of writes of path that were cut short. Write, New and Probe
// do so by themselves.
func Sweep(path string) {
	path = target(path)
	entries, _ := os.ReadDir(filepath.Dir(path)) // what can't be seen stays
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), tempPrefix(path)) {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > abandoned {
			os.Remove(filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
}

// commit writes a file beside path and puts it there. Once it is there it is done, also
// when its directory can't be synced: then a power cut may bring the old file back, and
// an error would say so of a file that everybody sees to be the new one.
func commit(path string, data []byte, put func(from, to string) error) error {
	path = target(path)
	f, err := newTemp(path)
	if err != nil {
		return err
	}
	if err = fill(f, data); err != nil {
		err = fmt.Errorf("writing %s: %w", path, err)
	} else {
		err = put(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	Sweep(path)
	syncDir(filepath.Dir(path))
	return nil
}

// link moves a file to a name that is free. Where the file system has no hard links it
// is renamed, and the last of many at once would win.
func link(from, to string) error {
	err := os.Link(from, to)
	if err == nil {
		os.Remove(from) // at worst Sweep does
		return nil
	}
	if _, there := os.Lstat(to); errors.Is(there, fs.ErrNotExist) {
		return rename(from, to)
	}
	return err
}

// newTemp makes a file beside path, and the directories above it.
func newTemp(path string) (*os.File, error) {
	dir := filepath.Dir(path)
	if err := MkdirAll(dir); err != nil {
		return nil, err
	}
	return create(filepath.Join(dir, tempPrefix(path)+rand.Text()))
}

func tempPrefix(path string) string { return "." + filepath.Base(path) + tempMark }

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
