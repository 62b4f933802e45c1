package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/authctl/authctl/internal/atomicfile"
	"github.com/gofrs/flock"
)

// ErrBusy means that another process has held the lock all the while.
var ErrBusy = errors.New("another authctl is changing the configuration")

// ErrNoLocks means that the lock's file is on a file system that has none.
var ErrNoLocks = errors.New("the file system has no locks")

// lockWait bounds the wait for a lock that is held for milliseconds.
const lockWait = 10 * time.Second

// Update changes the file at path as edit says, one process at a time: lockPath is
// a file for that alone. When edit fails or changes nothing, nothing is written.
// Errors: edit's, *SyntaxError, ErrBusy, ErrNoLocks, or the system's.
func Update(path, lockPath string, edit func(*Edit) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), lockWait)
	defer cancel()
	unlock, err := lock(ctx, lockPath)
	if err != nil {
		return err
	}
	defer unlock()
	path, text, err := read(path)
	if err != nil {
		return err
	}
	e, err := newEdit(path, text)
	if err != nil {
		return err
	}
	if err := edit(e); err != nil || e.Text() == text {
		return err
	}
	return atomicfile.Write(path, []byte(e.Text()))
}

// lock waits for the lock until ctx ends.
func lock(ctx context.Context, path string) (unlock func() error, err error) {
	if err := atomicfile.MkdirAll(filepath.Dir(path)); err != nil {
		return nil, err
	}
	l := flock.New(path)
	_, err = l.TryLockContext(ctx, 10*time.Millisecond)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		err = ErrBusy
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.ENOLCK):
		err = fmt.Errorf("%w: %v", ErrNoLocks, err)
	}
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	_ = os.Chmod(path, 0o600) // the umask may have left it less
	return l.Unlock, nil
}

// Writable says why a later Update would fail, a full disk too, as far as can be told
// without one. It leaves nothing but the directories that the file will need.
func Writable(path string) error {
	const growth = 4 << 10 // more than a profile takes
	size := int64(growth)
	if info, err := os.Stat(path); err == nil {
		if info.IsDir() {
			return &fs.PathError{Op: "write", Path: path, Err: errors.New("it is a directory")}
		}
		size += info.Size()
	}
	return atomicfile.Probe(path, size)
}
