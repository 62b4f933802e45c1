package session

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// A SignIn is one that this process has under way, for others to wait for. A lock
// that the kernel frees with its holder says whether it still is; a note beside the
// lock says whose it is, and then how it ended. The zero SignIn is one that takes no
// part: nobody waits for it.
type SignIn struct {
	session *Session
	kind    string
	lock    *flock.Flock // nil: it takes no part
	note    string       // the path
}

// A SignInError is how the sign-in failed that another process had under way: in that
// process's words, which hold no secret, for they are written to a file.
type SignInError struct {
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"`
	Code int    `json:"code"` // the exit code
}

func (e *SignInError) Error() string { return e.Text }

// note is what is known of the last sign-in. Nothing is synced, as with an attempt: who
// finds none, or half of one, signs in.
type note struct {
	Kind   string       `json:"kind"`
	PID    int          `json:"pid"`
	Ended  time.Time    `json:"ended,omitzero"` // zero: it is under way, or died so
	Failed *SignInError `json:"failed,omitempty"`
}

func (n note) underWay() bool { return n.PID != 0 && n.Ended.IsZero() }

// lookPause is between two looks at whose sign-in it is that is waited for.
const lookPause = 200 * time.Millisecond

// errOtherKind is why a wait ends for a sign-in that stands for another one only.
var errOtherKind = errors.New("a sign-in of another kind")

// Join waits for the sign-in of the given kind, hexadecimal digits, that another process
// has under way, and tells whose it is, and again when that is another's; 0: one that can't
// be seen from here, as in another container. It ends as that one does: nil and nil when
// there are new tokens to load, nil and a *SignInError when it failed. When there is none,
// or it died without a word, it is the caller's to sign in, and to say by End how that went.
// The tokens' lock is free all the while.
//
// A sign-in that ended since s.Started is as good as one that was waited for: of those
// who began together, the slowest come late. Where there are no locks nobody is waited
// for. Errors: *SignInError, or ctx's cause.
func (s *Session) Join(ctx context.Context, kind string, waiting func(pid int)) (*SignIn, error) {
	in, err := s.signIn(kind)
	if err != nil {
		return new(SignIn), nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	seen, err := in.await(ctx, waiting)
	if err == nil && ctx.Err() != nil {
		in.leave()
	}
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return new(SignIn), nil
	}
	if last := in.last(); in.answers(last, seen) {
		in.leave()
		if last.Failed != nil {
			return nil, last.Failed
		}
		return nil, nil
	}
	if in.tell(note{Kind: kind, PID: os.Getpid()}) != nil {
		in.leave() // nobody could know whom to wait for
	}
	return in, nil
}

// signIn finds the files. Their names have no more of the kind than two digits: so there
// is a bound to how many there can be, and none has to be deleted, which with a lock file
// is a race. Two kinds that meet in one file sign in both. No other session's name has a
// plus sign.
func (s *Session) signIn(kind string) (*SignIn, error) {
	lock, err := s.lockFile("+" + kind[:2] + ".lock")
	if err != nil {
		return nil, err
	}
	return &SignIn{session: s, kind: kind, lock: lock, note: strings.TrimSuffix(lock.Path(), filepath.Ext(lock.Path())) + ".login"}, nil
}

// await waits for the lock. seen is the process that was told of last, 0 if there was none.
func (in *SignIn) await(ctx context.Context, waiting func(pid int)) (seen int, err error) {
	free, err := in.lock.TryLock()
	if free {
		own(in.lock)
	}
	if free || err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	got := make(chan error, 1)
	go func() { got <- acquire(ctx, in.lock) }()
	look := time.NewTicker(lookPause)
	defer look.Stop()
	for unseen := 0; ; {
		switch n := in.last(); {
		case !n.underWay(): // it is about to say so
		case n.Kind != in.kind:
			cancel(errOtherKind)
		case n.PID == seen:
		case holdsLock(n.PID, in.lock.Path()):
			seen = n.PID
			waiting(seen)
		case n.PID == unseen:
			seen = n.PID
			waiting(0)
		default: // it may be gone, and the next about to say so
			unseen = n.PID
		}
		select {
		case err := <-got:
			return seen, err
		case <-look.C:
		}
	}
}

// answers reports whether n is the end of the sign-in that was waited for, or of one that
// this process came too late for.
func (in *SignIn) answers(n note, seen int) bool {
	began := in.session.Started
	late := !began.IsZero() && n.Ended.After(began) && !n.Ended.After(in.session.now())
	return n.Kind == in.kind && !n.Ended.IsZero() && (n.PID == seen || late)
}

// End tells those who wait how it went; nil is well. The first End counts.
func (in *SignIn) End(failed *SignInError) {
	if in.lock == nil {
		return
	}
	_ = in.tell(note{Kind: in.kind, PID: os.Getpid(), Ended: in.session.now(), Failed: failed})
	in.leave()
}

// Abandon leaves the sign-in to one of those who wait. After End it changes nothing.
func (in *SignIn) Abandon() {
	if in.lock == nil {
		return
	}
	_ = in.tell(note{})
	in.leave()
}

func (in *SignIn) leave() {
	_ = in.lock.Unlock()
	in.lock = nil
}

// tell writes the note. The caller holds the lock.
func (in *SignIn) tell(n note) error {
	data, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return writeNew(in.note, data)
}

// last is the zero note when there is none, or none to be understood.
func (in *SignIn) last() note {
	var n note
	if data, err := os.ReadFile(in.note); err != nil || json.Unmarshal(data, &n) != nil {
		return note{}
	}
	return n
}
