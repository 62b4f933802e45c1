package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/store"
)

func newProfileCmd(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "profile",
		Short: "List, show and change the profiles in the config file",
		Args:  subcommands,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newProfileListCmd(o), newProfileShowCmd(o), newProfileSetCmd(o), newProfileUseCmd(o), newProfileRemoveCmd(o))
	return cmd
}

func newProfileListCmd(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "Print the names of the profiles, one a line",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := o.choose()
			if err != nil {
				return err
			}
			for _, name := range c.file.Names() {
				if _, err := fmt.Fprintln(cmd.OutOrStdout(), name); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// named is the profile that a subcommand is about: its argument, or the chosen one.
func (o *options) named(args []string) (choice, error) {
	if len(args) > 0 && o.profile != "" && o.profile != args[0] {
		return choice{}, &usageError{err: errorf("it is profile %q by --profile, and %q by the argument", o.profile, args[0]), hint: "give one of the two"}
	}
	c, err := o.choose()
	if err != nil || len(args) == 0 {
		return c, err
	}
	return choose(c.file, args[0], "the command line", c.config)
}

// existing is named, when the profile is in the config file.
func (o *options) existing(args []string) (choice, error) {
	c, err := o.named(args)
	if err != nil {
		return c, err
	}
	if _, unknown := c.file.Profile(c.name); unknown != nil {
		return c, &inFile{c.config, unknown}
	}
	return c, nil
}

func newProfileShowCmd(o *options) *cobra.Command {
	return &cobra.Command{
		Use:               "show [NAME]",
		Short:             "Print a profile's settings, and where each comes from",
		Args:              oneName,
		ValidArgsFunction: o.completeProfiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := o.named(args)
			if err != nil {
				return err
			}
			if _, err := c.resolved(nil); err != nil && !c.exists { // the environment alone may make a profile
				return c.notThere(err)
			}
			return c.show(cmd.OutOrStdout())
		},
	}
}

// show writes the settings as they would stand in the config file, each with its source
// where that isn't the file.
func (c choice) show(w io.Writer) error {
	env, err := fromEnvironment()
	if err != nil {
		return err
	}
	p, err := c.written.With(env)
	if err != nil {
		return err
	}
	all := p.Settings()
	if complete, err := p.Resolve(); err == nil {
		all = complete.Settings() // with the built-in defaults
	}
	written := c.written.Settings()
	fmt.Fprintln(w, config.Header(c.name))
	for _, s := range settings {
		value, ok := all[s.key]
		if !ok {
			continue
		}
		source := ""
		if _, set := env[s.key]; set {
			source = "  # from " + s.variable()
		} else if _, set := written[s.key]; !set {
			source = "  # default"
		}
		if _, err := fmt.Fprintf(w, "%s%s\n", config.Line(s.key, value), source); err != nil {
			return err
		}
	}
	return nil
}

func newProfileUseCmd(o *options) *cobra.Command {
	return &cobra.Command{
		Use:               "use NAME",
		Short:             "Make a profile the default",
		Args:              aName,
		ValidArgsFunction: o.completeProfiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := o.existing(args)
			if err != nil {
				return err
			}
			if err := c.update(func(e *config.Edit) error { return e.SetDefault(c.name) }); err != nil {
				return errorf("making profile %q the default: %w", c.name, err)
			}
			return nil
		},
	}
}

func newProfileRemoveCmd(o *options) *cobra.Command {
	return &cobra.Command{
		Use:               "remove NAME",
		Short:             "Sign out of a profile, then remove it",
		Args:              aName,
		ValidArgsFunction: o.completeProfiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := o.existing(args)
			if err != nil {
				return err
			}
			return o.removeProfile(cmd, c)
		},
	}
}

// removeProfile forgets everything, also when the provider could not be told. A store that
// can't be used keeps the profile, since what is in it would be lost sight of; so does a
// keychain that isn't there, unless nothing was ever stored.
func (o *options) removeProfile(cmd *cobra.Command, c choice) error {
	p, err := o.wireStored(cmd, c)
	if err != nil {
		return err
	}
	remove := func(e *config.Edit) error { return e.Remove(c.name) }
	if err := c.rehearse(remove); err != nil {
		return p.about(removing, err)
	}
	signedOut := p.signOut(cmd)
	switch absent := errors.Is(signedOut, store.ErrAbsent); {
	case absent && !p.session.Used():
		signedOut = nil
	case absent:
		return p.about(removing, errors.Unwrap(signedOut))
	case exitCode(signedOut) == exitStore:
		return signedOut
	default:
		if err := p.secrets.Delete(cmd.Context(), clientSecretName(p.session.Name)); err != nil {
			return p.about(removing, err)
		}
	}
	if err := c.update(remove); err != nil {
		return p.about(removing, err)
	}
	say(cmd, "Removed profile %q.", c.name)
	return signedOut
}

// completeProfiles offers the names in the config file to the shell.
func (o *options) completeProfiles(_ *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
	path, err := o.configPath()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	file, err := config.Load(path)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for _, name := range file.Names() {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
