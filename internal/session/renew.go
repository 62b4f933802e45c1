package session

import (
	"context"
	"errors"
	"time"
)

// requestTimeout bounds what the caller's function asks of the provider, which
// nothing else cancels. The caller's own time-outs should be shorter.
const requestTimeout = time.Minute

// A failing save is tried again: it is all that is left of the old refresh token.
const (
	saveTries   = 3
	savePause   = 200 * time.Millisecond
	saveTimeout = 30 * time.Second // a keychain may be slow under load
)

// Renew turns old's refresh token into new tokens with one request. Of these
// only what the answer brought needs to be filled in. Its error is a
// *RenewalError once a request was made; its text holds no secret, for
// it is written to a file.
type Renew func(ctx context.Context, old *Tokens) (*Tokens, error)

// Kind says what a failed renewal means for the tokens at hand.
type Kind int

const (
	Failed      Kind = iota // another refusal, or an answer that failed a check
	Dead                    // invalid_grant, or the like: the refresh token is no longer good, RFC 6749 §5.2
	Unreachable             // no answer: the network, a time-out, a server in trouble
)

// RenewalError is a renewal that brought nothing. Processes that waited for it
// get the same Kind and the same text, but not the error that Err was.
type RenewalError struct {
	Kind Kind
	Err  error
}

func (e *RenewalError) Error() string { return e.Err.Error() }
func (e *RenewalError) Unwrap() error { return e.Err }

// DeadError says that the provider no longer accepts the refresh token, now or
// when it was last asked: sign in again.
type DeadError struct {
	Reason string // the provider's, e.g. "invalid_grant: session expired"
}

func (e *DeadError) Error() string {
	return "the provider no longer accepts the refresh token: " + e.Reason
}

// SaveError says that the tokens were renewed but not stored. The new ones are
// lost, and the old refresh token may be spent.
type SaveError struct{ Err error }

func (e *SaveError) Error() string { return "renewed, but not saved: " + e.Err.Error() }
func (e *SaveError) Unwrap() error { return e.Err }

// renewOnce makes one attempt, saves what it brings, and records a failure.
// The caller holds the lock and has seen that the store is ready. ctx is not
// asked: once the request is sent, Ctrl-C must not burn a rotated refresh token.
func (s *Session) renewOnce(ctx context.Context, old *Tokens, renew Renew) (*Tokens, error) {
	ctx = context.WithoutCancel(ctx)
	_ = s.Uncache() // who is killed for the call, as a service may be, is so before the request
	var answer *Tokens
	err := bounded(ctx, requestTimeout, func(ctx context.Context) (err error) {
		answer, err = renew(ctx, old)
		return err
	})
	if err != nil {
		return s.refused(ctx, old, err)
	}
	t := s.stamp(merge(old, answer))
	if err := s.storing(t, func() error { return s.save(ctx, t) }); err != nil {
		s.record(unsaved, err)
		return nil, &SaveError{Err: err}
	}
	return t, nil
}

// save stores renewed tokens, and tries again within a bound.
func (s *Session) save(ctx context.Context, t *Tokens) error {
	secret, err := t.encode()
	if err != nil {
		return err
	}
	return bounded(ctx, saveTimeout, func(ctx context.Context) (err error) {
		for try := range saveTries {
			if try > 0 {
				time.Sleep(savePause)
			}
			if err = s.Store.Update(ctx, s.Name, secret); err == nil || ctx.Err() != nil {
				return err
			}
		}
		return err
	})
}

// refused deals with a renewal that brought nothing. What is no *RenewalError never
// got as far as a request: it is this process's own trouble, and others try themselves.
func (s *Session) refused(ctx context.Context, old *Tokens, err error) (*Tokens, error) {
	var r *RenewalError
	if !errors.As(err, &r) {
		return nil, err
	}
	switch r.Kind {
	case Dead:
		return s.bury(ctx, old, r)
	case Unreachable:
		s.record(unreachable, r)
	default:
		s.record(failed, r)
	}
	return nil, r
}

// bury reads once more: whoever shares the store but not the lock (another
// machine, another state directory) may have spent the refresh token and stored
// its successor. Otherwise the token is dead, and that is remembered, so that a
// hundred processes don't ask a hundred times.
func (s *Session) bury(ctx context.Context, old *Tokens, r *RenewalError) (*Tokens, error) {
	t, err := s.Load(ctx)
	if err == nil && newer(t, old) {
		return t, nil
	}
	s.record(dead, r)
	if err == nil {
		t.RefreshRefused = r.Error()
		_ = s.storing(nil, func() error { return s.remember(ctx, t) })
	}
	return nil, &DeadError{Reason: r.Error()}
}

// remember stores t once; what waits for it hears it from the attempt file too.
func (s *Session) remember(ctx context.Context, t *Tokens) error {
	secret, err := t.encode()
	if err != nil {
		return err
	}
	return bounded(ctx, saveTimeout, func(ctx context.Context) error { return s.Store.Update(ctx, s.Name, secret) })
}
