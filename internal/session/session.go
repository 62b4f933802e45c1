// Package session keeps one profile's tokens between runs and renews them
// exactly once, however many processes ask. It does not speak OAuth: the caller
// supplies the functions that turn a refresh token into a new one and that
// revoke it. It does not keep secrets either: a Store does.
package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"
)

// ErrSignedOut says that nothing is stored.
var ErrSignedOut = errors.New("not signed in")

// A Store keeps one secret a name. Create is a login's first write, Update a
// renewal's; both leave either the old secret or the new one. TakeBack undoes a Create
// over what could not be read. Get returns an fs.ErrNotExist when nothing is stored,
// Delete returns nil then. Ready says, cheaply, why an Update would fail now.
type Store interface {
	Get(ctx context.Context, name string) ([]byte, error)
	Create(ctx context.Context, name string, secret []byte) error
	Update(ctx context.Context, name string, secret []byte) error
	TakeBack(ctx context.Context, name string) error
	Delete(ctx context.Context, name string) error
	Ready(ctx context.Context, name string) error
}

// Session is one profile's tokens at rest.
type Session struct {
	Name    string            // the secret's name: a profile's, and "@" and hex digits for another config file's
	Store   Store             // where the secret is
	Dir     string            // of the lock file and the attempt file; made 0700
	Binding map[string]string // the settings that tokens are good for; see Tokens.Binding
	Cache   Cache             // of the access token; nil: there is none
	Caching bool              // the cache is used; what is in it is forgotten in any case

	// Started is when the caller began to ask, the process's start as a rule. What
	// was obtained since then is fresh to it. Zero: the clock decides nothing.
	Started time.Time

	// Locked is called whenever the lock is taken, before anything is read under it: what
	// another process did while it was waited for counts from there on. Nil: nothing to do.
	Locked func(context.Context)

	LockTimeout time.Duration    // the longest wait for other processes; zero: 2 minutes
	Now         func() time.Time // nil: time.Now

	held bool // by Hold
}

// Load reads the tokens without a lock. Errors: ErrSignedOut, *BindingError,
// *FormatError, or the store's own.
func (s *Session) Load(ctx context.Context) (*Tokens, error) {
	t, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	for earlier := t; earlier != nil; earlier = earlier.Earlier {
		if s.checkBinding(earlier) == nil {
			return earlier, nil
		}
	}
	return t, s.checkBinding(t)
}

// Save stores a login's tokens under the profile's lock: a renewal in flight ends
// first and is then overwritten. It fills in Version, Binding and ObtainedAt. settle
// saves the settings that the tokens are good for; until it has, what was stored goes
// on counting, also when the machine stops meanwhile, and when it fails that is put
// back.
//
// Errors: *BusyError, *LockError, settle's, or the store's own.
func (s *Session) Save(ctx context.Context, t *Tokens, settle func() error) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	old, err := s.read(ctx)
	if err != nil {
		old = nil // of no use, so it makes way; Create says whether the store is
	}
	t = s.stamp(t)
	if old != nil && s.checkBinding(old) != nil {
		t.Earlier = old
	}
	if err := s.Uncache(); err != nil {
		return err
	}
	return s.storing(t, func() error { return s.replace(ctx, old, t, settle) })
}

// replace stores t in place of old, which goes on counting until settle is done.
func (s *Session) replace(ctx context.Context, old, t *Tokens, settle func() error) error {
	if err := s.create(ctx, t); err != nil {
		return err
	}
	if err := settle(); err != nil {
		return errors.Join(err, s.putBack(ctx, old))
	}
	if t.Earlier != nil {
		t.Earlier = nil
		_ = s.create(ctx, t) // what stays counts no more, and goes with the next renewal
	}
	return nil
}

func (s *Session) create(ctx context.Context, t *Tokens) error {
	secret, err := t.encode()
	if err != nil {
		return err
	}
	return s.Store.Create(ctx, s.Name, secret)
}

func (s *Session) putBack(ctx context.Context, old *Tokens) error {
	if old == nil {
		return s.Store.TakeBack(ctx, s.Name)
	}
	return s.create(ctx, old)
}

// Delete revokes the tokens by the caller's function and forgets them, whatever
// that function says, and also when they can't be read. It takes the profile's
// lock, so a renewal in flight ends first. The binding is not checked: revoke
// must go to t.Provider with t.Binding's client, not to what is configured now.
// Nothing stored is no error, and revoke is not called then.
//
// With err nil all is forgotten here; revocation is then why the provider was
// not told so, if it was not. err: *BusyError, *LockError, ctx's cause, or the
// store's own.
func (s *Session) Delete(ctx context.Context, revoke func(context.Context, *Tokens) error) (revocation, err error) {
	if err := s.Uncache(); err != nil {
		return nil, err
	}
	if _, err := s.read(ctx); errors.Is(err, ErrSignedOut) {
		s.forgetAttempt()
		return nil, nil // without the lock, for which there may be no place
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	t, unread := s.read(ctx)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err := s.Uncache(); err != nil { // a renewal that was in flight has filled it again
		return nil, err
	}
	switch {
	case unread == nil:
		revocation = revokeAll(ctx, t, revoke)
	case !errors.Is(unread, ErrSignedOut):
		revocation = unread
	}
	// What is left would look alive though it is revoked: Ctrl-C no longer counts.
	err = s.storing(nil, func() error { return s.Store.Delete(context.WithoutCancel(ctx), s.Name) })
	if err != nil {
		return revocation, err
	}
	s.forgetAttempt()
	return revocation, nil
}

// revokeAll revokes t and what it was to replace when a login was cut short.
func revokeAll(ctx context.Context, t *Tokens, revoke func(context.Context, *Tokens) error) (first error) {
	for ; t != nil; t = t.Earlier {
		err := bounded(ctx, requestTimeout, func(ctx context.Context) error { return revoke(ctx, t) })
		if first == nil {
			first = err
		}
	}
	return first
}

// read is Load for any binding.
func (s *Session) read(ctx context.Context) (*Tokens, error) {
	secret, err := s.Store.Get(ctx, s.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrSignedOut
	}
	if err != nil {
		return nil, err
	}
	return decode(secret)
}

// stamp returns a copy of t as it will be stored. When the clock was put back since t was
// asked for, t's expiry is by the clock before that, and so is the time that stands beside it.
func (s *Session) stamp(t *Tokens) *Tokens {
	stamped := *t
	stamped.Version = version
	stamped.Binding = s.Binding
	stamped.ObtainedAt = s.now()
	if t.ObtainedAt.After(stamped.ObtainedAt) {
		stamped.ObtainedAt = t.ObtainedAt
	}
	return &stamped
}

func (s *Session) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// path returns the file of this session with the given extension. Names are
// checked here as well, for they become file names.
func (s *Session) path(ext string) (string, error) {
	if !validName(s.Name) {
		return "", fmt.Errorf("%q can't name a session", s.Name)
	}
	return filepath.Join(s.Dir, s.Name+ext), nil
}

// validName accepts [a-z0-9][a-z0-9._@-]*, which holds no way out of a directory.
func validName(name string) bool {
	for i, c := range []byte(name) {
		alphanumeric := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		punctuation := c == '.' || c == '_' || c == '-' || c == '@'
		if !alphanumeric && (i == 0 || !punctuation) {
			return false
		}
	}
	return name != ""
}

// bounded runs f with at most d to spare.
func bounded(ctx context.Context, d time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return f(ctx)
}
