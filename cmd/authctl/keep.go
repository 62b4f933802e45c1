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
	if err := p.session.CheckLock(); err != nil {
		return p.about(signingIn, err)
	}
	if p.Store == "file" && p.StoreKeyFile != "" {
		made, err := store.MakeKey(p.StoreKeyFile)
		if err != nil {
			return p.about(signingIn, err)
		}
		if made {
			say(l.cmd, "Made the key file %s: whoever has it can read what is stored, and without it nobody can.", p.StoreKeyFile)
		}
	}
	if err := p.secrets.Check(ctx); err != nil {
		return p.about(signingIn, err)
	}
	l.left = l.leaves()
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
	if l.newSecret = l.secret != ""; l.newSecret {
		return nil
	}
	name, binding := l.profile.session.Name, l.profile.session.Binding
	if l.secret, err = clientSecret(ctx, l.profile.secrets, name, binding); err != nil || l.secret != "" || l.left == nil {
		return err
	}
	// A store that can't be read may be why this login leaves it.
	l.secret, _ = clientSecret(ctx, l.left, name, binding)
	l.newSecret = l.secret != ""
	return nil
}

// leaves is the store that this login moves the profile out of, or nil.
func (l *signIn) leaves() secretStore {
	c := l.profile.choice
	was, err := c.settings(nil)
	if err != nil || !c.exists {
		return nil
	}
	was = was.WithDefaults()
	if was.Store != l.profile.Store || was.Store == "file" && was.StoreKeyFile != l.profile.StoreKeyFile {
		return l.options.openStore(l.cmd, was, l.profile.stateDir)
	}
	if _, err := os.Lstat(l.movingFile()); err != nil {
		return nil
	}
	other := map[string]string{"file": "keychain", "keychain": "file"}[was.Store]
	return l.options.openStore(l.cmd, config.Profile{Store: other}, l.profile.stateDir)
}

// movingFile is there while a login moves the profile to another store. When one was cut
// short, something of the profile may be in both, and the next login forgets what is in
// the one that isn't the profile's.
func (l *signIn) movingFile() string {
	return filepath.Join(l.profile.stateDir, "locks", l.profile.session.Name+".moving")
}

// save keeps client secret, session and profile. Writing the profile is what makes the
// new ones count: until then, whatever happens, the earlier ones do. What can't be kept
// is revoked, since nobody has it, and not left to look alive.
func (l *signIn) save(ctx context.Context, client *oauth.Client, tokens *session.Tokens) error {
	p := l.profile
	if l.left != nil {
		_ = os.WriteFile(l.movingFile(), nil, 0o600) // without it a login that is cut short leaves more
	}
	var saved error
	keep := func() error {
		saved = p.session.Save(ctx, tokens, func() error { return p.choice.save(l.given) })
		return saved
	}
	var err error
	if l.newSecret {
		err = p.keepClientSecret(ctx, l.secret, keep)
	} else {
		err = keep()
	}
	switch {
	case err == nil:
		l.forgetElsewhere(ctx)
		return nil
	case errors.Is(saved, store.ErrInDoubt):
		return err // if they are stored after all, they are as good as they look
	}
	if unrevoked := revokeAt(ctx, client, tokens); unrevoked != nil {
		return errorf("%w; the new tokens are not revoked: %v", err, unrevoked)
	}
	return err
}

// forgetElsewhere deletes what the profile left in another store: a session in two
// places would have a refresh token that nobody revokes.
func (l *signIn) forgetElsewhere(ctx context.Context) {
	if l.left == nil {
		return
	}
	name := l.profile.session.Name
	here, files := l.profile.secrets.(*store.File)
	_, sameStore := l.left.(*store.File)
	for _, secret := range []string{name, clientSecretName(name)} {
		if files && sameStore { // another key file alone: what was there is replaced
			here.Settle(secret)
			continue
		}
		if err := l.left.Delete(ctx, secret); err != nil {
			warn(l.cmd, "what the profile had in its earlier store could not be deleted: %s", clean(err.Error()))
			return
		}
	}
	os.Remove(l.movingFile())
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
