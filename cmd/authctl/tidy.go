package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/store"
)

// storePlace is where a profile's secrets are.
type storePlace struct {
	Store   string `json:"store"`
	KeyFile string `json:"key_file,omitempty"`
}

func placeOf(p config.Profile) storePlace {
	if p.Store != "file" {
		return storePlace{Store: p.Store}
	}
	return storePlace{p.Store, p.StoreKeyFile}
}

// A trip takes a profile from one place to another.
type trip struct {
	From storePlace `json:"from"`
	To   storePlace `json:"to"`
}

// tripFile notes the trip that the profile is on. When that was cut short, something of the
// profile may be in both places.
func (p *profile) tripFile() string {
	return filepath.Join(p.stateDir, "locks", p.session.Name+".moving")
}

// depart notes the trip. Without that, one that is cut short leaves more. What an earlier
// one has left has to go first: there is one note.
func (p *profile) depart(ctx context.Context, t trip) error {
	if left, was := p.cutShort(); was {
		is := p.Profile
		is.Store, is.StoreKeyFile = t.From.Store, t.From.KeyFile
		if err := p.tidy(ctx, is, left); err != nil {
			return err
		}
	}
	text, _ := json.Marshal(t) // strings: this doesn't fail
	_ = os.WriteFile(p.tripFile(), text, 0o600)
	return nil
}

// cutShort reports whether a trip was, and which. The zero trip is one that ended before
// anything was moved.
func (p *profile) cutShort() (t trip, was bool) {
	text, err := os.ReadFile(p.tripFile())
	_ = json.Unmarshal(text, &t)
	return t, err == nil
}

// farEnd is the profile at the other end of a trip that was cut short.
func (p *profile) farEnd() (there config.Profile, was bool) {
	t, was := p.cutShort()
	gone := t.From
	switch placeOf(p.Profile) {
	case t.From:
		gone = t.To
	case t.To:
	default:
		was = false // see tidy
	}
	there = p.Profile
	there.Store, there.StoreKeyFile = gone.Store, gone.KeyFile
	return there, was
}

// tidying bounds what a command does for one that was cut short.
const tidying = 5 * time.Second

// tidy forgets what the profile has at the other end of its trip: a session in two places
// would have a refresh token that nobody revokes. A profile at neither end was taken
// elsewhere by hand, and nothing is known of what it has left.
func (p *profile) tidy(ctx context.Context, is config.Profile, t trip) error {
	ctx, cancel := context.WithTimeout(ctx, tidying)
	defer cancel()
	var err error
	switch placeOf(is) {
	case t.From:
		err = p.forget(ctx, is, t.To)
	case t.To:
		err = p.forget(ctx, is, t.From)
	}
	if err == nil {
		os.Remove(p.tripFile())
	}
	return err
}

// forget leaves the profile nothing in a place that it is not in.
func (p *profile) forget(ctx context.Context, is config.Profile, gone storePlace) error {
	var forget func(name string) error
	if files, ok := p.openStore(is).(*store.File); ok && gone.Store == is.Store {
		forget = files.Settle
	} else {
		elsewhere, kernel := p.otherStore(is), p.kernelOf(gone.Store)
		forget = func(name string) error { return elsewhere.Delete(ctx, name) }
		kernel.Delete(p.session.Name)
		defer kernel.Delete(p.session.Name) // what another state directory's renewal has put there meanwhile
	}
	for _, name := range p.secretNames() {
		if err := forget(name); err != nil {
			return err
		}
	}
	return nil
}

// otherStore is of the kind that the profile's isn't, and can delete. Nobody is asked to
// unlock it.
func (p *profile) otherStore(is config.Profile) secretStore {
	if is.Store == "file" {
		return newKeychain(p.stateDir, nil)
	}
	return &store.File{Dir: fileStoreDir(p.stateDir)}
}

// secretNames are what the profile's secrets are stored as.
func (p *profile) secretNames() []string {
	return []string{p.session.Name, clientSecretName(p.session.Name)}
}
