package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

func login(generation string) *Tokens {
	return &Tokens{AccessToken: "access-" + generation, RefreshToken: "refresh-" + generation, Expiry: time.Now().Add(time.Hour)}
}

func TestSaveAndLoad(t *testing.T) {
	s, _ := newSession(t)
	s.Now = func() time.Time { return clock }
	given := login("7")
	if err := s.Save(ctx, given, settled); err != nil {
		t.Fatal(err)
	}
	got := load(t, s)
	if got.AccessToken != "access-7" || got.Version != version || got.Binding["client_id"] != "cli" {
		t.Errorf("got %+v, want access-7 of cli", fields(*got))
	}
	if !got.ObtainedAt.Equal(clock) {
		t.Errorf("got obtained at %v, want %v", got.ObtainedAt, clock)
	}
	if given.Version != 0 || !given.ObtainedAt.IsZero() {
		t.Error("what was given has changed")
	}
}

func TestFilesArePrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // its modes say nothing
	}
	s, _ := newSession(t)
	put(t, s, nil)
	p := startProvider(t, refusing("invalid_client"))
	if _, err := s.Fresh(ctx, minute, renewAt(p.URL, time.Now)); kindOf(err) != "failed" {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{
		s.Dir:                                0o700 | os.ModeDir,
		filepath.Join(s.Dir, "work.lock"):    0o600,
		filepath.Join(s.Dir, "work.attempt"): 0o600,
	} {
		info, err := os.Stat(path)
		if err != nil || info.Mode() != want {
			t.Errorf("%s: got %v, %v, want %v", path, info, err, want)
		}
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		name string
		ok   bool
	}{
		{"work", true}, {"9-a.b_c", true}, {"work@3f1c", true},
		{"", false}, {".", false}, {"..", false}, {"../up", false}, {"a/b", false}, {`a\b`, false}, {"a:b", false}, {"Work", false}, {"é", false},
	} {
		s, _ := newSession(t)
		s.Name = c.name
		unlock, err := s.lock(ctx)
		if err == nil {
			unlock()
		}
		if (err == nil) != c.ok {
			t.Errorf("%q: got %v, want accepted %v", c.name, err, c.ok)
		}
	}
}

func TestDelete(t *testing.T) {
	refused := errors.New("server_error")
	for _, c := range []struct {
		name       string
		stored     string // "": nothing, "tokens": an expired session, otherwise as it is
		revoke     error
		fault      func(*faultyStore)
		revocation string
		err        string
		revoked    bool
		left       bool
	}{
		{name: "a session", stored: "tokens", revoked: true},
		{name: "nothing"},
		{name: "revocation fails", stored: "tokens", revoke: refused, revocation: "server_error", revoked: true},
		{name: "damaged", stored: "{", revocation: "format"},
		{name: "of a newer authctl", stored: `{"version":2}`, revocation: "format"},
		{name: "can't be read", stored: "tokens", fault: func(f *faultyStore) { f.failGet = errDiskFull }, revocation: "disk full"},
		{name: "can't be deleted", stored: "tokens", fault: func(f *faultyStore) { f.gone = errDiskFull }, err: "disk full", revoked: true, left: true},
		{name: "neither revoked nor deleted", stored: "tokens", revoke: refused, fault: func(f *faultyStore) { f.gone = errDiskFull }, revocation: "server_error", err: "disk full", revoked: true, left: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, store := newSession(t)
			switch c.stored {
			case "":
			case "tokens":
				put(t, s, nil)
			default:
				if err := store.Create(ctx, s.Name, []byte(c.stored)); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Mkdir(s.Dir, 0o700); err != nil {
				t.Fatal(err)
			}
			s.record(failed, errDiskFull)
			if c.fault != nil {
				c.fault(store)
			}
			s.Binding = nil // of no account here
			got := ""
			revocation, err := s.Delete(ctx, func(_ context.Context, t *Tokens) error { got = t.RefreshToken; return c.revoke })
			if kindOf(revocation) != c.revocation || kindOf(err) != c.err {
				t.Errorf("got %v, %v, want %q, %q", revocation, err, c.revocation, c.err)
			}
			if (got == "refresh-1") != c.revoked {
				t.Errorf("revoked: got %q, want %v", got, c.revoked)
			}
			if _, err := store.Store.Get(ctx, s.Name); (err == nil) != c.left {
				t.Errorf("stored: got %v, want left %v", err, c.left)
			}
			if got := s.lastAttempt(); (got != attempt{}) != c.left {
				t.Errorf("last attempt: got %v, want left %v", got, c.left)
			}
		})
	}
}

func TestDeleteInterrupted(t *testing.T) {
	t.Run("before", func(t *testing.T) {
		s, _ := newSession(t)
		put(t, s, nil)
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := s.Delete(cancelled, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context canceled", err)
		}
		load(t, s)
	})
	t.Run("while reading", func(t *testing.T) {
		s, store := newSession(t)
		put(t, s, nil)
		cancelled, cancel := context.WithCancel(ctx)
		store.reading = cancel
		if _, err := s.Delete(cancelled, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context canceled", err)
		}
		load(t, s)
	})
	t.Run("while revoking", func(t *testing.T) {
		s, _ := newSession(t)
		put(t, s, nil)
		ctx, cancel := context.WithCancel(ctx)
		revocation, err := s.Delete(ctx, func(ctx context.Context, _ *Tokens) error { cancel(); return ctx.Err() })
		if !errors.Is(revocation, context.Canceled) || err != nil {
			t.Errorf("got %v, %v, want context canceled and forgotten", revocation, err)
		}
		if _, err := s.Load(context.Background()); !errors.Is(err, ErrSignedOut) {
			t.Errorf("got %v, want signed out", err)
		}
	})
}
