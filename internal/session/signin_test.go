package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	kind      = "3f00"
	neighbour = "3f01" // is in the same file
	stranger  = "4a00"
)

var declined = &SignInError{Text: "access_denied", Hint: "authctl login", Code: 4}

// joint is how a Join ended: with nobody to wait for, with tokens, or with an error.
type joint struct {
	in  *SignIn
	err error
}

// newLogin is a session to which nobody comes late.
func newLogin(t *testing.T) *Session {
	t.Helper()
	s, _ := newSession(t)
	s.Started = time.Time{}
	return s
}

// begin joins where nobody is to be waited for.
func begin(t *testing.T, s *Session, kind string) *SignIn {
	t.Helper()
	in, err := s.Join(ctx, kind, func(pid int) { t.Errorf("waits for %d", pid) })
	if err != nil || in == nil {
		t.Fatalf("got %v, %v, want a sign-in of its own", in, err)
	}
	return in
}

// waiter joins, and is there once it has said whom it waits for.
func waiter(t *testing.T, ctx context.Context, s *Session) <-chan joint {
	t.Helper()
	ended, waits := make(chan joint, 1), make(chan int, 10)
	go func() {
		in, err := s.Join(ctx, kind, func(pid int) { waits <- pid })
		ended <- joint{in, err}
	}()
	select {
	case pid := <-waits:
		if pid != os.Getpid() {
			t.Errorf("waits for %d, want %d", pid, os.Getpid())
		}
	case got := <-ended:
		t.Fatalf("doesn't wait: %+v", got)
	}
	return ended
}

// die is what the kernel does when a process is killed.
func (in *SignIn) die() { in.lock.Unlock() }

func TestJoinTakesTheResult(t *testing.T) {
	for _, c := range []struct {
		name   string
		failed *SignInError
	}{
		{"success", nil}, {"failure", declined},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newLogin(t)
			first := begin(t, s, kind)
			var all []<-chan joint
			for range 8 {
				all = append(all, waiter(t, ctx, s))
			}
			first.End(c.failed)
			first.End(&SignInError{Text: "the second End counts"})
			for _, w := range all {
				got := <-w
				if failed := (*SignInError)(nil); got.in != nil || errors.As(got.err, &failed) != (c.failed != nil) || failed != nil && *failed != *c.failed {
					t.Errorf("got %+v, want %v", got, c.failed)
				}
			}
			begin(t, s, kind).End(nil) // the next one is new
		})
	}
}

func TestJoinTakesOverFromTheDead(t *testing.T) {
	s := newLogin(t)
	first := begin(t, s, kind)
	one, two := waiter(t, ctx, s), waiter(t, ctx, s)
	first.die()
	var next joint
	var last <-chan joint
	select {
	case next = <-one:
		last = two
	case next = <-two:
		last = one
	}
	if next.in == nil || next.err != nil {
		t.Fatalf("got %+v, want one to take over", next)
	}
	next.in.End(declined)
	if got := <-last; got.in != nil || got.err == nil || got.err.Error() != declined.Text {
		t.Errorf("the other one: got %+v, want the result of the one that took over", got)
	}
}

// Of those who began together, the slowest come when all is over.
func TestJoinLate(t *testing.T) {
	for _, c := range []struct {
		name         string
		kind         string
		started, now time.Duration // after the end
		late         bool
	}{
		{"began before the end", kind, -time.Second, time.Second, true},
		{"began at the end", kind, 0, time.Second, false},
		{"began after the end", kind, time.Second, 2 * time.Second, false},
		{"of another kind", neighbour, -time.Second, time.Second, false},
		{"an end that is yet to come", kind, -2 * time.Second, -time.Second, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := newSession(t)
			ended := time.Now()
			s.Now = func() time.Time { return ended }
			begin(t, s, kind).End(declined)
			s.Started, s.Now = ended.Add(c.started), func() time.Time { return ended.Add(c.now) }
			in, err := s.Join(ctx, c.kind, nil)
			if (in == nil) != c.late || (err != nil) != c.late {
				t.Errorf("got %v, %v, want the result: %v", in, err, c.late)
			}
			if in != nil {
				in.End(nil)
			}
		})
	}
}

// Other kinds are not waited for, though two of them may meet in one file.
func TestJoinKinds(t *testing.T) {
	s := newLogin(t)
	first := begin(t, s, kind)
	one, two := begin(t, s, neighbour), begin(t, s, stranger)
	last := waiter(t, ctx, s)
	one.End(declined)
	two.End(declined)
	other := *s
	other.Name = "home"
	begin(t, &other, kind).End(declined)
	first.End(nil)
	if got := <-last; got.in != nil || got.err != nil {
		t.Errorf("got %+v, want success", got)
	}
}

// A sign-in that is abandoned is left to who waits.
func TestJoinAbandoned(t *testing.T) {
	s := newLogin(t)
	first := begin(t, s, kind)
	next := waiter(t, ctx, s)
	first.Abandon()
	got := <-next
	if got.in == nil || got.err != nil {
		t.Fatalf("got %+v, want a sign-in of its own", got)
	}
	got.in.End(declined)
	got.in.Abandon() // the first End counts
	if last := got.in.last(); last.Failed == nil {
		t.Errorf("got %+v, want how it ended", last)
	}
}

func TestJoinWaitEndsWithTheContext(t *testing.T) {
	s := newLogin(t)
	first := begin(t, s, kind)
	interrupted := errors.New("interrupted")
	cancelled, cancel := context.WithCancelCause(ctx)
	w := waiter(t, cancelled, s)
	cancel(interrupted)
	if got := <-w; got.in != nil || !errors.Is(got.err, interrupted) {
		t.Errorf("got %+v, want interrupted", got)
	}
	first.die()
	if got, err := s.Join(cancelled, kind, nil); got != nil || !errors.Is(err, interrupted) {
		t.Errorf("with nobody to wait for: got %v, %v, want interrupted", got, err)
	}
	next, err := s.Join(ctx, kind, func(int) {}) // what came too late is given back
	if err != nil || next == nil {
		t.Fatalf("got %v, %v, want a sign-in of its own", next, err)
	}
	next.End(nil)
}

// Without locks, or with no place to say whose it is, a login is as it was without others.
func TestJoinWithoutLocks(t *testing.T) {
	s := newLogin(t)
	if err := os.WriteFile(s.Dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	begin(t, s, kind).End(nil)
	s.Dir = t.TempDir()
	if err := os.MkdirAll(filepath.Join(s.Dir, "work+3f.login", "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	one, two := begin(t, s, kind), begin(t, s, kind)
	one.End(nil)
	two.End(nil)
}

// What a process has left that was killed at any moment, or anybody else, is no result.
func TestLeftNote(t *testing.T) {
	for _, c := range []struct{ name, text string }{
		{"empty", ""},
		{"half", `{"kind":"3f00","pid":47`},
		{"of one that died", `{"kind":"3f00","pid":4711}`},
		{"of one long ago", `{"kind":"3f00","pid":4711,"ended":"2020-01-01T00:00:00Z"}`},
		{"of one that is yet to come", `{"kind":"3f00","pid":4711,"ended":"2999-01-01T00:00:00Z"}`},
		{"of one of another kind", `{"kind":"3f01","pid":4711,"ended":"2999-01-01T00:00:00Z"}`},
		{"large", strings.Repeat("x", 1<<20)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := newSession(t)
			if err := os.MkdirAll(s.Dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(s.Dir, "work+3f.login"), []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			first := begin(t, s, kind)
			w := waiter(t, ctx, s)
			first.End(nil)
			if got := <-w; got.in != nil || got.err != nil {
				t.Errorf("got %+v, want success", got)
			}
		})
	}
}
