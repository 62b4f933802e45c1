package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/session"
	"github.com/authctl/authctl/internal/store"
)

// prepare proves that what will have to be read can be, and what will have to be
// written too.
func (l *signIn) prepare(ctx context.Context) (err error) {
	p := l.profile
	if l.secretFile != "" {
		if l.secret, err = readSecretFile(l.secretFile); err != nil {
			return err
		}
	}
	if _, err := p.httpClient(); err != nil {
		return err
	}
	if err := checkKeyFile(p.Profile, p.stateDir); err != nil {
		return err
	}
	if err := p.choice.canSave(l.given); err != nil {
		return p.about("saving", err)
	}
	if err := p.prove(l.cmd); err != nil {
		return p.about(signingIn, err)
	}
	if err := p.session.CheckLock(); err != nil {
		return p.about(signingIn, err)
	}
	if err := l.findSecret(ctx); err != nil {
		return p.about(signingIn, err)
	}
	return nil
}

func (f *settingFlags) secretFilePath() string {
	if f.secretFile != "" {
		return f.secretFile
	}
	return os.Getenv("AUTHCTL_CLIENT_SECRET_FILE")
}

// findSecret takes the client secret from where an earlier login or `profile set` put
// it, unless a file was given.
func (l *signIn) findSecret(ctx context.Context) (err error) {
	p := l.profile
	if l.newSecret = l.secret != ""; l.newSecret {
		return nil
	}
	l.secret, err = clientSecret(ctx, p.secrets, p.session.Name, p.session.Binding)
	if was, moves := p.leaves(); err == nil && l.secret == "" && moves {
		// A store that can't be read may be why this login leaves it.
		l.secret, _ = clientSecret(ctx, p.openStore(was), p.session.Name, p.session.Binding)
	}
	return err
}

// save keeps client secret, session and profile. Writing the profile is what makes the
// new ones count: until then, whatever happens, the earlier ones do. What can't be kept
// is revoked, since nobody has it, and not left to look alive.
func (l *signIn) save(ctx context.Context, client *oauth.Client, tokens *session.Tokens) error {
	p := l.profile
	var saved error
	keep := func() error {
		saved = p.session.Save(ctx, tokens, func() error { return p.choice.save(l.given) })
		return saved
	}
	moves := false
	err := p.session.Hold(ctx, func() error {
		if now, err := p.choice.again(); err == nil && p.choice.exists && !now.exists {
			return errors.New("it was removed while the sign-in was under way")
		}
		_, moves = p.leaves()
		return p.move(ctx, l.cmd, func() error {
			if l.newSecret || moves && l.secret != "" {
				return p.keepClientSecret(ctx, l.secret, keep)
			}
			return keep()
		})
	})
	if err == nil || errors.Is(saved, store.ErrInDoubt) && !moves { // stored after all, they are as good as they look
		return err
	}
	if unrevoked := revokeAt(ctx, client, tokens); unrevoked != nil {
		return errorf("%w; the new tokens are not revoked: %v", err, unrevoked)
	}
	return err
}

// save writes settings to the profile.
func (c choice) save(given config.Settings) error {
	if len(given) == 0 {
		return nil
	}
	return c.update(func(e *config.Edit) error { return e.Set(c.name, given) })
}

// canSave says why save would fail.
func (c choice) canSave(given config.Settings) error {
	if len(given) == 0 {
		return nil
	}
	return c.rehearse(func(e *config.Edit) error { return e.Set(c.name, given) })
}

// rehearse says why an update would fail. An edit that fails writes nothing.
func (c choice) rehearse(edit func(*config.Edit) error) error {
	if err := config.Writable(c.file.Path); err != nil {
		return err
	}
	rehearsed := errors.New("the edit works")
	err := c.update(func(e *config.Edit) error {
		if err := edit(e); err != nil {
			return err
		}
		return rehearsed
	})
	if errors.Is(err, rehearsed) {
		return nil
	}
	return err
}

// update edits the config file under its lock, whose name no session can have.
func (c choice) update(edit func(*config.Edit) error) error {
	state, err := stateDir()
	if err != nil {
		return err
	}
	return config.Update(c.file.Path, filepath.Join(state, "locks", ".config.lock"), edit)
}
