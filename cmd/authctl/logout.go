package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/session"
	"github.com/authctl/authctl/internal/store"
)

func newLogoutCmd(o *options) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "logout",
		Short: "Revoke the tokens at the provider, then forget them",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if all {
				return o.logoutAll(cmd)
			}
			c, err := o.choose()
			if err != nil {
				return err
			}
			return o.logout(cmd, c)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every profile")
	return cmd
}

// logoutAll goes on with the next profile when one fails, and ends with the first
// failure.
func (o *options) logoutAll(cmd *cobra.Command) error {
	choices, err := o.everyProfile()
	if err != nil {
		return err
	}
	var first error
	for _, c := range choices {
		if cmd.Context().Err() != nil {
			break
		}
		err := o.logout(cmd, c)
		if first == nil {
			first = err
		} else if err != nil {
			report(cmd.ErrOrStderr(), err)
		}
	}
	return first
}

// everyProfile is each one in the config file, and the chosen one where it lives
// from the environment alone.
func (o *options) everyProfile() ([]choice, error) {
	chosen, err := o.choose()
	if err != nil {
		return nil, err
	}
	var all []choice
	for _, name := range chosen.file.Names() {
		c, err := choose(chosen.file, name, "--all", o.config)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	if _, err := chosen.resolved(nil); !chosen.exists && (err == nil || len(all) == 0) {
		all = append(all, chosen)
	}
	return all, nil
}

// logout revokes and forgets. Nobody signed in is fine.
func (o *options) logout(cmd *cobra.Command, c choice) error {
	p, err := o.wireStored(cmd, c)
	if none := (*noProfileError)(nil); errors.As(err, &none) {
		say(cmd, "%s", none.nobody())
		return nil
	}
	if err != nil {
		return err
	}
	return p.signOut(cmd)
}

// signOut leaves no trace where there is no keychain and nothing was ever stored: to revoke
// nothing, no lock has to be taken.
func (p *profile) signOut(cmd *cobra.Command) error {
	had := false
	revoke := func(ctx context.Context, t *session.Tokens) error {
		had = true
		return p.revoke(ctx, t)
	}
	left := p.signOutOfTheFarEnd(cmd.Context(), revoke)
	if !p.session.Used() {
		if _, err := p.session.Load(cmd.Context()); errors.Is(err, store.ErrAbsent) {
			return p.about(signingOut, err)
		}
	}
	revocation, err := p.session.Delete(cmd.Context(), revoke)
	if revocation == nil {
		revocation = left
	}
	switch {
	case err != nil && had && revocation == nil:
		return p.about(signingOut, errorf("its tokens are revoked, but still stored: %w", err))
	case err != nil:
		return p.about(signingOut, err)
	case errors.Is(revocation, oauth.ErrNoRevocation):
		say(cmd, "Signed out of profile %q. The provider has no way to revoke tokens: the access token lives until it expires.", p.Name)
	case errors.Is(revocation, errAccessTokenLives):
		say(cmd, "Signed out of profile %q. The provider revokes no access tokens: this one lives until it expires.", p.Name)
	case revocation != nil:
		return &revocationError{p.Name, revocation}
	case had:
		say(cmd, "Signed out of profile %q.", p.Name)
	default:
		say(cmd, "Nobody is signed in to profile %q.", p.Name)
	}
	return nil
}

// signOutOfTheFarEnd revokes and forgets what a login or a move that was cut short has left
// in a store that the profile is not in.
func (p *profile) signOutOfTheFarEnd(ctx context.Context, revoke func(context.Context, *session.Tokens) error) (revocation error) {
	there, was := p.farEnd()
	if !was {
		return nil
	}
	far := *p.session
	far.Store = p.openStore(there)
	if t, _ := far.Load(ctx); t != nil { // for whatever settings
		revocation = revoke(ctx, t)
	}
	_ = p.session.Hold(ctx, func() error { return nil }) // forgets it, see catchUp
	return revocation
}

// revocationError is a logout that the provider did not take part in.
type revocationError struct {
	profile string
	err     error
}

func (e *revocationError) Error() string {
	return fmt.Sprintf("signed out of profile %q on this machine, but its tokens are not revoked: %v", e.profile, e.err)
}
func (e *revocationError) Unwrap() error { return e.err }

// revoke is the session's way to sign out at its provider.
func (p *profile) revoke(ctx context.Context, t *session.Tokens) error {
	at, err := pinned(t)
	if err != nil {
		return err
	}
	client, err := p.client(ctx, t, at)
	if err != nil {
		return err
	}
	return revokeAt(ctx, client, t)
}

// errAccessTokenLives: of the two the provider revokes refresh tokens alone.
var errAccessTokenLives = errors.New("the provider revokes no access tokens")

// revokeAt ends the refresh token first: a provider then ends what came from it too
// (RFC 7009 §2.1), and if the second request fails, what is left is short-lived. A provider
// may revoke no access tokens, §2.2.1.
func revokeAt(ctx context.Context, client *oauth.Client, t *session.Tokens) error {
	var first error
	for _, token := range []struct{ value, hint string }{{t.RefreshToken, "refresh_token"}, {t.AccessToken, "access_token"}} {
		if token.value == "" {
			continue
		}
		err := client.Revoke(ctx, token.value, token.hint)
		if refused := (*oauth.Error)(nil); errors.As(err, &refused) && refused.Code == "unsupported_token_type" && token.hint == "access_token" && t.RefreshToken != "" {
			err = errAccessTokenLives
		}
		if first == nil {
			first = err
		}
		if unreachable := (*oauth.UnreachableError)(nil); errors.As(err, &unreachable) {
			break // one wait is enough
		}
	}
	return first
}
