package session

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Somebody who waits takes the failure of an attempt that ended meanwhile, and
// only of such.
func TestFailureOfAnotherAttempt(t *testing.T) {
	text := errors.New("what went wrong")
	for _, c := range []struct {
		name      string
		before    outcome // recorded before the wait begins
		meanwhile outcome // and during it; "": nothing
		life      time.Duration
		want      string
		wantErr   string
	}{
		{name: "none", want: "access-2"},
		{name: "ended before the wait", before: failed, want: "access-2"},
		{name: "failed", meanwhile: failed, wantErr: "failed"},
		{name: "failed again", before: failed, meanwhile: failed, wantErr: "failed"},
		{name: "unreachable", meanwhile: unreachable, wantErr: "unreachable"},
		{name: "unreachable, life left", meanwhile: unreachable, life: 30 * time.Second, want: "access-1", wantErr: "stale"},
		{name: "dead", meanwhile: dead, wantErr: "dead"},
		{name: "unsaved", meanwhile: unsaved, wantErr: "unsaved"},
		{name: "of a later authctl", meanwhile: "postponed", want: "access-2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, _ := newSession(t)
			put(t, s, func(t *Tokens) { t.Expiry = time.Now().Add(c.life) })
			p := startProvider(t, nil)
			unlock, err := s.lock(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if c.before != "" {
				s.record(c.before, text)
			}
			done := make(chan struct{})
			var got *Tokens
			go func() {
				got, err = s.Fresh(ctx, minute, renewAt(p.URL, time.Now))
				close(done)
			}()
			awaitWaiters(t, s, 1)
			if c.meanwhile != "" {
				s.record(c.meanwhile, text)
			}
			unlock()
			<-done
			if accessToken(got) != c.want || kindOf(err) != c.wantErr {
				t.Errorf("got %q, %v, want %q, %q", accessToken(got), err, c.want, c.wantErr)
			}
			if c.wantErr != "" && !strings.HasSuffix(err.Error(), text.Error()) {
				t.Errorf("got %q, want it to end with %q", err, text)
			}
		})
	}
}

// The process that renews may have another idea of the time: its clock was put
// back after we started.
func TestChangedWhileWaitingIsFresh(t *testing.T) {
	s, _ := newSession(t)
	put(t, s, nil)
	p := startProvider(t, nil)
	unlock, err := s.lock(ctx)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var got *Tokens
	go func() {
		got, err = s.Fresh(ctx, refresh, renewAt(p.URL, time.Now))
		close(done)
	}()
	awaitWaiters(t, s, 1)
	put(t, s, func(t *Tokens) { // obtained an hour before the start
		t.AccessToken, t.Expiry = "access-2", time.Now().Add(time.Hour)
	})
	unlock()
	<-done
	if accessToken(got) != "access-2" || err != nil || p.count() != 0 {
		t.Errorf("got %q, %v after %d requests, want access-2 after none", accessToken(got), err, p.count())
	}
}

func TestAttemptFile(t *testing.T) {
	s, _ := newSession(t)
	if got := s.lastAttempt(); got != (attempt{}) {
		t.Errorf("none: got %v", got)
	}
	if err := os.Mkdir(s.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s.record(unreachable, &RenewalError{Unreachable, &told{"answered 503", 503}})
	var said interface{ Status() int }
	if err := s.lastAttempt().err(); err.Error() != "answered 503" || !errors.As(err, &said) || said.Status() != 503 {
		t.Errorf("got %v, want the status too", err)
	}
	s.forgetAttempt()
	s.record(failed, errors.New("a longer text than the next"))
	s.record(dead, errors.New("short"))
	if got, want := s.lastAttempt(), (attempt{2, dead, "short", 0}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, damage := range []string{"", "{", "null", `{"sequence":"7"}`, `{"sequence":-1}`, "\x00"} {
		if err := os.WriteFile(filepath.Join(s.Dir, "work.attempt"), []byte(damage), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := s.lastAttempt(); got != (attempt{}) {
			t.Errorf("%q: got %v, want none", damage, got)
		}
	}
	s.record(unsaved, errDiskFull)
	if got, want := s.lastAttempt(), (attempt{1, unsaved, "disk full", 0}); got != want {
		t.Errorf("after damage: got %v, want %v", got, want)
	}
}

// An attempt file that anybody wrote is an attempt of ours or none.
func FuzzAttempt(f *testing.F) {
	for _, seed := range []string{
		`{"sequence":3,"outcome":"dead","text":"invalid_grant"}`, `{"sequence":3,"outcome":"unsaved","text":"disk full"}`,
		`{"sequence":-1,"outcome":"failed"}`, `{"sequence":1e30}`, `{"outcome":["dead"]}`, `{"sequence":18446744073709551615,"outcome":"unreachable"}`, "null", "[]", "",
	} {
		f.Add([]byte(seed))
	}
	s := &Session{Name: "work", Dir: f.TempDir()}
	path, err := s.path(".attempt")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := writeNew(path, data); err != nil {
			t.Fatal(err)
		}
		a := s.lastAttempt()
		switch kind := kindOf(a.err()); kind {
		case "", "dead", "unreachable", "failed", "unsaved":
		default:
			t.Errorf("got %q, want an outcome of ours", kind)
		}
	})
}
