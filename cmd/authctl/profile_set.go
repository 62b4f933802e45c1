package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/authctl/authctl/internal/config"
)

func newProfileSetCmd(o *options) *cobra.Command {
	var given *settingFlags
	cmd := &cobra.Command{
		Use:   "set [NAME]",
		Short: "Change a profile's settings, or add one",
		Long: `Change a profile's settings, or add one. An empty value unsets.

Another --store or --store-key-file takes what is stored along, so that nobody has
to sign in again.`,
		Example:           "  authctl profile set work --scope 'openid email api' --audience ''",
		Args:              oneName,
		ValidArgsFunction: o.completeProfiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := o.named(args)
			if err != nil {
				return err
			}
			settings, err := given.given()
			if err != nil {
				return err
			}
			secretGiven := cmd.Flags().Changed("client-secret-file")
			if len(settings) == 0 && !secretGiven {
				return &usageError{err: errorf("profile set %s: no setting was given", c.name), hint: "authctl profile set --help lists them"}
			}
			if err := o.setProfile(cmd, c, settings, secretGiven, given.secretFile); err != nil {
				return err
			}
			if !c.exists {
				say(cmd, "Made profile %q.", c.name)
			}
			sayChanges(cmd, c, settings)
			if err := o.uncache(cmd, c, settings); err != nil {
				return err
			}
			return o.shorten(cmd, c, settings)
		},
	}
	given = addSettingFlags(cmd)
	return cmd
}

// setProfile checks the whole before anything is written.
func (o *options) setProfile(cmd *cobra.Command, c choice, given config.Settings, secretGiven bool, secretFile string) error {
	changed, err := c.written.With(given)
	if err != nil {
		return err
	}
	if _, err := changed.Resolve(); err != nil && ignoreMissing(err) != nil { // it may be completed later
		return err
	}
	state, err := stateDir()
	if err != nil {
		return err
	}
	if err := checkKeyFile(changed.WithDefaults(), state); err != nil {
		return err
	}
	if err := c.canSave(given); err != nil {
		return errorf("saving profile %q: %w", c.name, err)
	}
	_, toStore := given["store"]
	_, toKey := given["store_key_file"]
	if !toStore && !toKey && !secretGiven {
		if err := c.save(given); err != nil {
			return errorf("saving profile %q: %w", c.name, err)
		}
		return nil
	}
	p, err := o.wireChanged(cmd, c, changed, secretGiven)
	if err != nil {
		return err
	}
	keep, err := p.keepWith(given, secretGiven, secretFile)
	if err != nil {
		return err
	}
	if err := p.relocate(cmd, secretFile != "", keep); err != nil {
		return err
	}
	if !sameStore(changed.WithDefaults(), p.Profile) {
		say(cmd, "The environment names another store for profile %q, with AUTHCTL_STORE or AUTHCTL_STORE_KEY_FILE: what is stored stays there.", c.name)
	}
	return nil
}

// wireChanged is the profile as commands find it once changed is saved: the environment
// goes before it.
func (o *options) wireChanged(cmd *cobra.Command, c choice, changed config.Profile, complete bool) (*profile, error) {
	env, err := fromEnvironment()
	if err != nil {
		return nil, err
	}
	if changed, err = changed.With(env); err != nil {
		return nil, err
	}
	resolved, err := changed.Resolve()
	if err != nil && complete {
		return nil, err
	}
	if err != nil {
		resolved = changed.WithDefaults()
	}
	p, err := o.build(cmd, c, resolved)
	if err == nil {
		p.flags = config.Settings{"store": p.Store, "store_key_file": p.StoreKeyFile} // it is on its way there
	}
	return p, err
}

// keepWith saves the settings, and with them the client secret if a file of it was given;
// an empty file name forgets it.
func (p *profile) keepWith(given config.Settings, secretGiven bool, file string) (func(context.Context) error, error) {
	save := func() error { return p.choice.save(given) }
	switch {
	case !secretGiven:
		return func(context.Context) error { return save() }, nil
	case file == "":
		return func(ctx context.Context) error {
			if err := save(); err != nil {
				return err
			}
			return p.writeSecret(ctx, nil)
		}, nil
	}
	secret, err := readSecretFile(file)
	return func(ctx context.Context) error { return p.keepClientSecret(ctx, secret, save) }, err
}

// shorten makes a shorter time-out count at once.
func (o *options) shorten(cmd *cobra.Command, c choice, changed config.Settings) error {
	if _, ok := changed["store_timeout"]; !ok {
		return nil
	}
	c, err := c.again()
	if err != nil {
		return err
	}
	p, err := o.wireStored(cmd, c)
	if err != nil {
		return nil // so nobody is signed in
	}
	if err := p.shorten(); err != nil {
		return p.about("shortening the passphrase's time for", err)
	}
	return nil
}

// uncache forgets what the kernel has of a profile when the setting for that is changed.
func (o *options) uncache(cmd *cobra.Command, c choice, changed config.Settings) error {
	if _, ok := changed["kernel_cache"]; !ok {
		return nil
	}
	p, err := o.wireStored(cmd, c)
	if err != nil || !p.session.Used() {
		return nil // so nobody is signed in
	}
	if err := p.session.Hold(cmd.Context(), p.session.Uncache); err != nil { // a renewal under way would put it back
		return p.about("forgetting the cached token of", err)
	}
	return nil
}
