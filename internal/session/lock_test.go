package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestLockIsWaitedForWithinABound(t *testing.T) {
	s, _ := newSession(t)
	put(t, s, nil)
	p := startProvider(t, nil)
	unlock, err := s.lock(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s.LockTimeout = 20 * time.Millisecond
	if _, err := s.Fresh(ctx, minute, renewAt(p.URL, time.Now)); kindOf(err) != "busy" {
		t.Errorf("Fresh: got %v, want busy", err)
	}
	if err := s.Save(ctx, login("7"), settled); kindOf(err) != "busy" {
		t.Errorf("Save: got %v, want busy", err)
	}
	if _, err := s.Delete(ctx, nil); kindOf(err) != "busy" {
		t.Errorf("Delete: got %v, want busy", err)
	}
	unlock()
	s.LockTimeout = time.Minute // those who gave up give back what they get too late
	if got, err := s.Fresh(ctx, minute, renewAt(p.URL, time.Now)); accessToken(got) != "access-2" || err != nil {
		t.Errorf("once free: got %q, %v, want access-2", accessToken(got), err)
	}
}

// What another process did counts for whoever has the lock next, before anything is read;
// what is done under one lock is told of it once.
func TestLocked(t *testing.T) {
	s, _ := newSession(t)
	if s.Used() {
		t.Error("the lock was used before anything was stored")
	}
	elsewhere, _ := newSession(t)
	calls := 0
	s.Locked = func(context.Context) { calls++; s.Store = elsewhere.Store }
	err := s.Hold(ctx, func() error {
		return errors.Join(s.Save(ctx, login("9"), settled), s.Save(ctx, login("1"), settled))
	})
	if err != nil || calls != 1 || !s.Used() {
		t.Errorf("got %v and %d calls, want 1 for two Saves", err, calls)
	}
	elsewhere.Name = s.Name
	if got := load(t, elsewhere); got.AccessToken != "access-1" {
		t.Errorf("got %q where the session was moved to, want access-1", got.AccessToken)
	}
	p := startProvider(t, nil)
	s.Started = time.Time{} // what was obtained since then would be fresh
	if _, err := s.Fresh(ctx, Need{Refresh: true}, renewAt(p.URL, time.Now)); err != nil || calls != 2 {
		t.Errorf("Fresh: got %v and %d calls, want 2", err, calls)
	}
	if _, err := s.Delete(ctx, func(context.Context, *Tokens) error { return nil }); err != nil || calls != 3 {
		t.Errorf("Delete: got %v and %d calls, want 3", err, calls)
	}
}

func TestLockWaitEndsWithTheContext(t *testing.T) {
	s, _ := newSession(t)
	unlock, err := s.lock(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	interrupted := errors.New("interrupted")
	cancelled, cancel := context.WithCancelCause(ctx)
	time.AfterFunc(20*time.Millisecond, func() { cancel(interrupted) })
	if _, err := s.lock(cancelled); !errors.Is(err, interrupted) {
		t.Errorf("got %v, want interrupted", err)
	}
}

func TestLockIsNotTakenOnceCancelled(t *testing.T) {
	s, _ := newSession(t)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	for range 50 { // a choice between two that are ready is random
		if _, err := s.lock(cancelled); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v, want context canceled", err)
		}
	}
}

func TestLocksOfTwoProfilesAreTwo(t *testing.T) {
	s, _ := newSession(t)
	unlock, err := s.lock(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	other := *s
	other.Name = "home"
	again, err := other.lock(ctx)
	if err != nil {
		t.Fatal(err)
	}
	again()
}

func TestLockCannotBeMade(t *testing.T) {
	s, _ := newSession(t)
	if err := os.WriteFile(s.Dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(ctx, login("7"), settled); kindOf(err) != "lock" {
		t.Errorf("a file in the directory's place: got %v, want a lock error", err)
	}
	s.Dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(s.Dir, "work.lock"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(ctx, login("7"), settled); kindOf(err) != "lock" {
		t.Errorf("a directory in the file's place: got %v, want a lock error", err)
	}
}

// What is checked is whether there are locks, not whether this one is free.
func TestCheckLock(t *testing.T) {
	s, _ := newSession(t)
	if err := s.CheckLock(); err != nil {
		t.Errorf("free: got %v", err)
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		t.Fatalf("afterwards: %v", err)
	}
	if err := s.CheckLock(); err != nil {
		t.Errorf("held: got %v", err)
	}
	unlock()
	s.Dir = filepath.Join(s.Dir, "work.lock")
	if err := s.CheckLock(); kindOf(err) != "lock" {
		t.Errorf("a file in the directory's place: got %v, want a lock error", err)
	}
}

func TestLockErrorKnowsMissingLocks(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{syscall.ENOLCK, true}, {syscall.ENOSYS, true}, {syscall.ENOTSUP, true}, {syscall.EOPNOTSUPP, true},
		{syscall.EACCES, false}, {context.DeadlineExceeded, false},
	} {
		if got := (&LockError{Err: c.err}).Unsupported(); got != c.want {
			t.Errorf("%v: got %v, want %v", c.err, got, c.want)
		}
	}
}
