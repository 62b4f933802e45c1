package session

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A holder that is stopped for ever is waited for within the bound, and the error names
// the file by which it can be found. It goes on, and all is well.
func TestHolderIsStopped(t *testing.T) {
	s, _ := newSession(t)
	put(t, s, nil)
	hold := newHold(t)
	p := startProvider(t, func(p *provider) { p.received = hold.once })
	holder, begin := start(t, 1, jobOf(s, p.URL, minute))
	begin.Close()
	<-hold.reached
	holder[0].cmd.Process.Signal(syscall.SIGSTOP)
	close(hold.release)

	s.LockTimeout = 100 * time.Millisecond
	_, fresh := s.Fresh(ctx, minute, renewAt(p.URL, time.Now))
	_, deleted := s.Delete(ctx, nil)
	for what, err := range map[string]error{"Fresh": fresh, "Save": s.Save(ctx, login("7"), settled), "Delete": deleted} {
		var busy *BusyError
		if !errors.As(err, &busy) || !strings.Contains(err.Error(), filepath.Join(s.Dir, "work.lock")) {
			t.Errorf("%s: got %v, want that the lock's file is held", what, err)
		}
	}
	if err := s.CheckLock(); err != nil {
		t.Errorf("CheckLock: got %v", err)
	}

	holder[0].cmd.Process.Signal(syscall.SIGCONT)
	s.LockTimeout = time.Minute
	if got, err := s.Fresh(ctx, minute, renewAt(p.URL, time.Now)); accessToken(got) != "access-2" || err != nil || p.count() != 1 {
		t.Errorf("once it goes on: got %q, %v after %d requests, want access-2 after 1", accessToken(got), err, p.count())
	}
	same(t, holder, result{Token: "access-2"})
}

// What a holder that was killed has left, or anybody else, is no lock.
func TestLeftLockFile(t *testing.T) {
	for _, c := range []struct {
		name, text string
		mode       os.FileMode
		want       string // kindOf
	}{
		{"empty", "", 0o600, ""},
		{"with a process that is gone", "4242\n", 0o600, ""},
		{"large", strings.Repeat("x", 1<<20), 0o600, ""},
		{"readable by all", "", 0o644, ""},
		{"read-only", "", 0o400, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := newSession(t)
			put(t, s, nil)
			if err := os.Mkdir(s.Dir, 0o700); err != nil {
				t.Fatal(err)
			}
			for _, ext := range []string{".lock", ".attempt"} {
				if err := os.WriteFile(filepath.Join(s.Dir, "work"+ext), []byte(c.text), c.mode); err != nil {
					t.Fatal(err)
				}
			}
			p := startProvider(t, nil)
			got, err := s.Fresh(ctx, minute, renewAt(p.URL, time.Now))
			if kindOf(err) != c.want || accessToken(got) != "access-2" {
				t.Errorf("got %q, %v, want access-2", accessToken(got), err)
			}
		})
	}
}
