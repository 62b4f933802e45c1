package main

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/store"
)

// A profile is in the store that its settings name. Whoever moves it holds the session's
// lock, stores everything in the new store, saves the settings, and forgets what is in the
// earlier one, in that order: whatever happens on the way, the settings name a store that
// has it all. Others, who read the settings before, look where it is by now: when they
// find nothing, and when the lock is theirs.

// leaves is the profile as it is saved, where that is in another store than p.
func (p *profile) leaves() (was config.Profile, moves bool) {
	was, err := p.choice.inStore()
	return was, err == nil && p.choice.exists && !sameStore(was, p.Profile)
}

// move has settle store everything in p's store and save the settings. However that ends,
// what other stores than the saved settings' have of the profile is forgotten. The caller
// holds the lock.
func (p *profile) move(ctx context.Context, cmd *cobra.Command, settle func() error) error {
	was, moves := p.leaves()
	if !moves {
		return settle()
	}
	t := trip{From: placeOf(was), To: placeOf(p.Profile)}
	if err := p.depart(ctx, t); err != nil {
		return err
	}
	is, err := p.Profile, settle()
	if errors.Is(err, store.ErrInDoubt) {
		return err // what may be stored yet, whoever has the lock next forgets
	}
	if err != nil {
		is = was
		if c, unread := p.choice.again(); unread == nil { // it may be the settings' last step that failed
			is, _ = c.inStore()
		}
	}
	if untidy := p.tidy(ctx, is, t); untidy != nil {
		warn(cmd, "what the profile has in another store than its own could not be deleted: %s", clean(untidy.Error()))
	}
	return err
}

// prove makes sure that the profile's store can be written, with a key file that is made
// where there is none.
func (p *profile) prove(cmd *cobra.Command) error {
	if p.Store == "file" && !p.HasPassphrase() {
		made, err := store.MakeKey(p.StoreKeyFile)
		if err != nil {
			return err
		}
		if made {
			say(cmd, "Made the key file %s: whoever has it can read what is stored, and without it nobody can.", p.StoreKeyFile)
		}
	}
	if err := p.secrets.Check(cmd.Context()); err != nil {
		return err
	}
	return p.shorten()
}

// shorten makes a shorter --store-timeout count for a passphrase that was given already.
func (p *profile) shorten() error {
	if files, ok := p.secrets.secretStore.(*store.File); ok && files.KeyFile == "" {
		return files.Passphrase.Shorten()
	}
	return nil
}

// stored is what another store holds of the profile, by name. An error means that it can't
// be known.
func (p *profile) stored(ctx context.Context, in config.Profile) (map[string][]byte, error) {
	all, from := map[string][]byte{}, p.openStore(in)
	for _, name := range p.secretNames() {
		switch secret, err := from.Get(ctx, name); {
		case err == nil:
			all[name] = secret
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
	}
	return all, nil
}

// relocate takes along what is stored of the profile to p's store, where keep saves the
// settings. What is to be stored, that or another secret, needs a store that is proven.
func (p *profile) relocate(cmd *cobra.Command, more bool, keep func(context.Context) error) error {
	held, err := p.carried(cmd.Context())
	// A keychain that isn't there may have ended, or be another session's: nothing is in it
	// only if nothing was ever stored.
	unused := errors.Is(err, store.ErrAbsent) && !p.session.Used()
	if err != nil && !unused {
		return p.about(moving, err)
	}
	if len(held) > 0 || more {
		if _, err := p.Resolve(); err != nil && p.HasPassphrase() {
			return err
		}
		if err := p.prove(cmd); err != nil {
			return p.about(moving, err)
		}
	}
	if unused {
		return p.saving(keep(cmd.Context()))
	}
	var was config.Profile
	err = p.session.Hold(cmd.Context(), func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), time.Minute)
		defer cancel()
		was, _ = p.leaves()
		return p.move(ctx, cmd, func() (err error) {
			if err = p.session.Uncache(); err == nil {
				held, err = p.carry(ctx)
			}
			if err == nil {
				err = keep(ctx)
			}
			return err
		})
	})
	if err == nil {
		p.sayMoved(cmd, was, held)
	}
	return p.saving(err)
}

// saving is about that, where it failed.
func (p *profile) saving(err error) error {
	if err != nil {
		err = p.about("saving", err)
	}
	return err
}

// carried is what is stored of the profile in the store that it leaves, if it leaves one.
func (p *profile) carried(ctx context.Context) (map[string][]byte, error) {
	was, moves := p.leaves()
	if !moves {
		return nil, nil
	}
	return p.stored(ctx, was)
}

// carry stores that in p's store.
func (p *profile) carry(ctx context.Context) (map[string][]byte, error) {
	held, err := p.carried(ctx)
	for name, secret := range held {
		if err == nil {
			err = p.secrets.Create(ctx, name, secret)
		}
	}
	return held, err
}

func (p *profile) sayMoved(cmd *cobra.Command, was config.Profile, held map[string][]byte) {
	what := "client secret"
	if _, signedIn := held[p.session.Name]; signedIn {
		what = "session"
	}
	names := map[string]string{"keychain": "the keychain", "file": "the file store"}
	switch {
	case len(held) == 0:
	case was.Store == p.Store && p.HasPassphrase():
		say(cmd, "Moved the %s of profile %q to where the passphrase opens it.", what, p.Name)
	case was.Store == p.Store:
		say(cmd, "Moved the %s of profile %q to the key file %s.", what, p.Name, p.StoreKeyFile)
	default:
		say(cmd, "Moved the %s of profile %q from %s to %s.", what, p.Name, names[was.Store], names[p.Store])
	}
}
