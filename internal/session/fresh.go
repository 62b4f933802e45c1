package session

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	clockSlack = time.Minute // how far a clock may be put back without a reason to doubt it
	newFor     = time.Minute // longer than a crowd takes to hand one renewal on
)

var (
	// ErrNoRefreshToken is what every *NoRefreshTokenError is.
	ErrNoRefreshToken = errors.New("no refresh token")
	// ErrNoIDToken says that no ID token is stored, or that a renewal brought no new one.
	ErrNoIDToken = errors.New("the provider sent no ID token that is good now")
)

// Need says what a caller asks of the tokens.
type Need struct {
	MinTTL  time.Duration // renew when less than this is left
	Refresh bool          // renew in any case
	IDToken bool          // it is the ID token that must last
}

// Fresh returns tokens that meet need, renewed if they must be. However many
// processes ask at once, one of them renews, and all get its result: tokens
// obtained since s.Started, or while Fresh waited, are fresh whatever need says.
//
// Tokens that meet need take one Store.Get and nothing else; an access token that the
// cache has takes no Store.Get, and comes without the other tokens. When tokens come
// with an error they can be used and the error is a warning: *StaleError or
// *ShortError. Without tokens it is Load's, *NoRefreshTokenError, ErrNoIDToken,
// *DeadError, *RenewalError, *SaveError, *BusyError, *LockError, the store's own,
// or, when ctx was cancelled, its cause. A renewal that is under way is finished
// and saved first.
func (s *Session) Fresh(ctx context.Context, need Need, renew Renew) (*Tokens, error) {
	if t := s.Cached(need); t != nil {
		return t, nil
	}
	first, done, err := s.look(ctx, need, nil)
	if done {
		return first, err
	}
	before := s.lastAttempt().Sequence
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	t, done, err := s.look(ctx, need, first)
	if done {
		return t, err
	}
	if last := s.lastAttempt(); last.Sequence != before && last.err() != nil {
		return s.fallBack(t, need, last.err())
	}
	return s.renew(ctx, t, need, renew)
}

// look reads the tokens, and is done when they, or the error, are the result
// without a request. first is what this process read first, nil if it is doing so.
func (s *Session) look(ctx context.Context, need Need, first *Tokens) (t *Tokens, done bool, err error) {
	t, err = s.Load(ctx)
	switch {
	case err != nil:
		return nil, true, err
	case !need.Refresh && s.lasts(t, need):
		return t, true, nil
	case s.isNew(t, first, need):
		t, err = s.answer(t, need)
		return t, true, err
	}
	if err := renewable(t, need); err != nil {
		return nil, true, err
	}
	return t, false, nil
}

// renew asks the provider, under the lock. A caller that is interrupted meanwhile
// gets no tokens, but what was rotated is stored.
func (s *Session) renew(ctx context.Context, old *Tokens, need Need, renew Renew) (*Tokens, error) {
	if err := s.Store.Ready(ctx, s.Name); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	t, err := s.renewOnce(ctx, old, renew)
	if ctx.Err() != nil && !errors.As(err, new(*SaveError)) {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return s.fallBack(old, need, err)
	}
	return s.answer(t, need)
}

// newer reports whether t came of another answer of the provider's than old.
func newer(t, old *Tokens) bool {
	return !t.ObtainedAt.Equal(old.ObtainedAt) || t.AccessToken != old.AccessToken
}

// isNew reports whether t is as fresh to this process as it gets: obtained since it
// started, or since it read first. That holds also when its life is over, for a crowd may
// take longer to hand it on, and would renew for each of it; but not after newFor. Who
// comes so late has slept, as a laptop does, or stood still, and one of them renews.
func (s *Session) isNew(t, first *Tokens, need Need) bool {
	_, expiry := need.of(t)
	over := !expiry.IsZero() && !expiry.After(s.now())
	slept := over && s.now().Sub(t.ObtainedAt) > newFor
	return !slept && (s.obtainedSinceStart(t) || first != nil && newer(t, first))
}

// obtainedSinceStart is never true of a time to come: a clock put back must not
// keep tokens fresh until it has caught up.
func (s *Session) obtainedSinceStart(t *Tokens) bool {
	return !s.Started.IsZero() && !t.ObtainedAt.Before(s.Started) && !t.ObtainedAt.After(s.now())
}

// lasts reports whether t has the life that need asks for. Where it can be
// renewed it must not come from the future: its expiry is then by another clock.
func (s *Session) lasts(t *Tokens, need Need) bool {
	token, expiry := need.of(t)
	if s.isFromFuture(t) && renewable(t, need) == nil {
		return false
	}
	left := expiry.Sub(s.now())
	return token != "" && (expiry.IsZero() || left > 0 && left >= need.MinTTL)
}

func (s *Session) isFromFuture(t *Tokens) bool { return t.ObtainedAt.After(s.now().Add(clockSlack)) }

// of returns the token that is needed, and its expiry.
func (n Need) of(t *Tokens) (token string, expiry time.Time) {
	if n.IDToken {
		return t.IDToken, t.IDTokenExpiry
	}
	return t.AccessToken, t.Expiry
}

// underway is what a token may have lived by the time that it is here: a provider whose
// tokens live exactly as long as is asked for gives no reason to warn.
const underway = time.Second

// answer hands out tokens that are as fresh as they get. An ID token that stayed
// because the renewal brought no other is not what was asked for.
func (s *Session) answer(t *Tokens, need Need) (*Tokens, error) {
	token, expiry := need.of(t)
	if need.IDToken && (token == "" || t.IDTokenKept) {
		return nil, ErrNoIDToken
	}
	if left := expiry.Sub(s.now()); !expiry.IsZero() && left < need.MinTTL-underway {
		return t, &ShortError{Left: left, MinTTL: need.MinTTL}
	}
	return t, nil
}

// fallBack hands out the old token when the provider is unreachable and the
// token still has life in it.
func (s *Session) fallBack(old *Tokens, need Need, err error) (*Tokens, error) {
	var r *RenewalError
	token, expiry := need.of(old)
	alive := token != "" && (expiry.IsZero() || expiry.After(s.now()))
	if !errors.As(err, &r) || r.Kind != Unreachable || !alive {
		return nil, err
	}
	return old, &StaleError{Expiry: expiry, Err: r}
}

// renewable says why t can't be renewed.
func renewable(t *Tokens, need Need) error {
	token, expiry := need.of(t)
	switch {
	case t.RefreshToken == "" && token == "":
		return ErrNoIDToken
	case t.RefreshToken == "":
		return &NoRefreshTokenError{Expiry: expiry}
	case t.RefreshRefused != "":
		return &DeadError{Reason: t.RefreshRefused}
	}
	return nil
}

// NoRefreshTokenError says that the token has to be renewed and can't be.
type NoRefreshTokenError struct {
	Expiry time.Time // of the token at hand; zero: unknown
}

func (e *NoRefreshTokenError) Error() string {
	if e.Expiry.IsZero() {
		return "no refresh token, and an unknown expiry"
	}
	return "there is no refresh token, and the token expires at " + e.Expiry.UTC().Format(time.RFC3339)
}

func (e *NoRefreshTokenError) Is(target error) bool { return target == ErrNoRefreshToken }

// StaleError warns that the provider could not be reached and that the tokens
// beside it are the old ones, which still have life in them.
type StaleError struct {
	Expiry time.Time // zero: unknown
	Err    *RenewalError
}

func (e *StaleError) Error() string { return "not renewed: " + e.Err.Error() }
func (e *StaleError) Unwrap() error { return e.Err }

// ShortError warns that the tokens beside it are new and yet live shorter than asked for.
type ShortError struct {
	Left   time.Duration // may be negative, when others' work took longer than the token's life
	MinTTL time.Duration
}

func (e *ShortError) Error() string {
	return fmt.Sprintf("the new token lives %v, less than the %v asked for", e.Left.Round(time.Second), e.MinTTL)
}
