package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/authctl/authctl/internal/atomicfile"
	"github.com/gofrs/flock"
)

// defaultLockTimeout outlasts a renewal that hangs for all of its own bounds.
const defaultLockTimeout = 2 * time.Minute

// Hold runs f with the profile's lock held, for several steps that belong together, of
// which Save may be one. Errors: *BusyError, *LockError, ctx's cause, or f's.
func (s *Session) Hold(ctx context.Context, f func() error) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	s.held = true
	defer func() { s.held = false }()
	return f()
}

// lock takes the profile's lock, which the kernel frees when its holder dies.
// The file stays for good: whoever deletes a lock file lets two processes hold
// two files of one name. Errors: *BusyError, *LockError, or ctx's cause.
func (s *Session) lock(ctx context.Context) (unlock func(), err error) {
	if s.held {
		return func() {}, nil
	}
	f, err := s.lockFile(".lock")
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if unlock, err = s.await(ctx, f); err == nil && s.Locked != nil {
		s.Locked(ctx)
	}
	return unlock, err
}

// Used reports whether the lock was ever taken here, as it is before anything is stored.
func (s *Session) Used() bool {
	path, err := s.path(".lock")
	if err != nil {
		return false
	}
	_, err = os.Lstat(path)
	return err == nil
}

// CheckLock says why the lock can't be had here at all, a *LockError. It doesn't wait for
// who has it.
func (s *Session) CheckLock() error {
	f, err := s.lockFile(".lock")
	if err != nil {
		return err
	}
	if _, err := f.TryLock(); err != nil {
		return &LockError{Path: f.Path(), Err: err}
	}
	_ = f.Unlock()
	return nil
}

func (s *Session) lockFile(ext string) (*flock.Flock, error) {
	path, err := s.path(ext)
	if err != nil {
		return nil, err
	}
	if err := atomicfile.MkdirAll(s.Dir); err != nil {
		return nil, &LockError{Path: path, Err: err}
	}
	return flock.New(path), nil
}

// await waits for f's lock within the session's bound.
func (s *Session) await(ctx context.Context, f *flock.Flock) (unlock func(), err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.lockTimeout(), &BusyError{Path: f.Path(), Waited: s.lockTimeout()})
	defer cancel()
	if err := acquire(ctx, f); err != nil {
		return nil, err
	}
	return func() { _ = f.Unlock() }, nil
}

// acquire blocks in the kernel, which hands the lock on at once and in turn; a
// thousand processes that poll would be slower and would keep the machine busy.
func acquire(ctx context.Context, f *flock.Flock) error {
	got := make(chan error, 1)
	go func() { got <- lockThrough(f) }()
	select {
	case err := <-got:
		if err != nil {
			return &LockError{Path: f.Path(), Err: err}
		}
		own(f)
		return nil
	case <-ctx.Done():
	}
	go func() { // what comes too late is given back
		if <-got == nil {
			_ = f.Unlock()
		}
	}()
	return context.Cause(ctx)
}

// own makes the file what it is to be: the umask may have left it less.
func own(f *flock.Flock) { _ = os.Chmod(f.Path(), 0o600) }

// lockThrough waits on past signals, which some file systems report.
func lockThrough(f *flock.Flock) error {
	for {
		if err := f.Lock(); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

func (s *Session) lockTimeout() time.Duration {
	if s.LockTimeout > 0 {
		return s.LockTimeout
	}
	return defaultLockTimeout
}

// BusyError says that another process held the profile's lock all the time.
type BusyError struct {
	Path   string
	Waited time.Duration
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("another process has held %s for %v", e.Path, e.Waited)
}

// LockError says that the lock can't be had at all: its file can't be made, or
// is on a file system without locks.
type LockError struct {
	Path string
	Err  error
}

func (e *LockError) Error() string {
	if e.Unsupported() {
		return fmt.Sprintf("the file system of %s has no locks: %v", e.Path, e.Err)
	}
	return fmt.Sprintf("locking %s: %v", e.Path, e.Err)
}

func (e *LockError) Unwrap() error { return e.Err }

// Unsupported reports whether the file system knows no locks, so that another
// place for the state is the way out.
func (e *LockError) Unsupported() bool {
	return errors.Is(e.Err, errors.ErrUnsupported) || errors.Is(e.Err, syscall.ENOLCK)
}
