package main

import (
	"context"
	"errors"
	"io/fs"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/store"
)

// presentStore is the store that a profile is in by now.
type presentStore struct {
	secretStore
	follow func() (moved bool) // goes where the profile is by now
}

// Get reads a secret, wherever it is moved meanwhile. Where it is gone it looks a second
// time: the profile may have been moved to and fro.
func (s *presentStore) Get(ctx context.Context, name string) ([]byte, error) {
	secret, err := s.secretStore.Get(ctx, name)
	for again := isGone(err); err != nil && (s.follow() || again); again = false {
		secret, err = s.secretStore.Get(ctx, name)
	}
	return secret, err
}

// isGone reports whether there is nothing, or nothing that this store's key opens.
func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, store.ErrDamaged)
}

// sameStore reports whether two profiles' secrets are in the same store.
func sameStore(a, b config.Profile) bool { return placeOf(a) == placeOf(b) }

// follow is for p's presentStore.
func (p *profile) follow() (moved bool) {
	c, err := p.choice.again()
	return err == nil && p.followTo(c)
}

func (p *profile) followTo(c choice) (moved bool) {
	now, err := c.settings(p.flags)
	now = now.WithDefaults()
	if err != nil || !c.exists || sameStore(now, p.Profile) {
		return false
	}
	p.Store, p.StoreKeyFile, p.StoreTimeout = now.Store, now.StoreKeyFile, now.StoreTimeout
	p.secrets.secretStore = p.openStore(now)
	p.session.Cache = p.kernelCache()
	return true
}

// catchUp is what comes first when the session's lock is there: another process may have
// moved the profile while it was waited for, or have died over that.
func (p *profile) catchUp(ctx context.Context) {
	c, err := p.choice.again()
	if err != nil || !c.exists {
		return
	}
	p.choice = c
	p.followTo(c)
	is, err := c.inStore()
	if err != nil || !sameStore(is, c.written.WithDefaults()) {
		return // the environment has this process look elsewhere than others do
	}
	if t, was := p.cutShort(); was {
		_ = p.tidy(ctx, is, t) // or whoever has the lock next
	}
}
