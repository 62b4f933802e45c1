package main

import (
	"errors"
	"io/fs"
	"os"

	"github.com/authctl/authctl/internal/config"
)

// choice is which profile a command is about, before its settings are complete.
type choice struct {
	name    string
	from    string // what chose it, for messages; "" when nothing did and it is the last resort
	config  string // the file that --config named; empty: none
	file    *config.File
	written config.Profile // as in the file; only its name when it isn't there
	exists  bool           // in the file
}

// choose finds the profile: --profile, AUTHCTL_PROFILE, the nearest .authctl.toml,
// `default` in the config file, "default".
func (o *options) choose() (choice, error) {
	path, err := o.configPath()
	if err != nil {
		return choice{}, err
	}
	file, err := config.Load(path)
	if err != nil {
		return choice{}, unreadable(err)
	}
	name, from, err := o.chosenName(file)
	if err != nil {
		return choice{}, unreadable(err)
	}
	return choose(file, name, from, o.config)
}

// unreadable is a config file that can't be read: wrong configuration.
func unreadable(err error) error {
	if system := (*fs.PathError)(nil); errors.As(err, &system) {
		return &usageError{err: errorf("reading the configuration: %w", err), hint: machineHint(err)}
	}
	return err
}

func choose(file *config.File, name, from, flag string) (choice, error) {
	if !config.ValidName(name) {
		return choice{}, &usageError{err: errorf("%q is no profile name", name), hint: "a name has a-z, 0-9, '.', '_' and '-', 64 at most, and starts with a letter or digit"}
	}
	c := choice{name: name, from: from, config: flag, file: file, written: config.Profile{Name: name}}
	p, err := file.Profile(name)
	if unknown := (*config.UnknownProfileError)(nil); errors.As(err, &unknown) {
		return c, nil
	}
	if err != nil {
		return choice{}, err
	}
	c.written, c.exists = p, true
	return c, nil
}

func (o *options) chosenName(file *config.File) (name, from string, err error) {
	if o.profile != "" {
		return o.profile, "--profile", nil
	}
	if name := os.Getenv("AUTHCTL_PROFILE"); name != "" {
		return name, "AUTHCTL_PROFILE", nil
	}
	if dir, err := os.Getwd(); err == nil {
		name, from, err := config.NameFrom(dir)
		if err != nil || name != "" {
			return name, from, err
		}
	}
	if file.Default != "" {
		return file.Default, file.Path, nil
	}
	return "default", "", nil
}

// isDefault reports whether the profile is the one that is used where nothing else
// chooses.
func (c choice) isDefault() bool {
	if c.file.Default != "" {
		return c.name == c.file.Default
	}
	return c.name == "default"
}

// named reports whether something else than the config file chose the profile, so that
// the same command without that would be about another.
func (c choice) named() bool { return c.from != "" && c.from != c.file.Path }

// settings is the profile with the environment and then the flags laid over it,
// before the built-in defaults.
func (c choice) settings(flags config.Settings) (config.Profile, error) {
	env, err := fromEnvironment()
	if err != nil {
		return config.Profile{}, err
	}
	p, err := c.written.With(env)
	if err != nil {
		return config.Profile{}, err
	}
	return p.With(flags)
}

// inStore is settings with the built-in defaults, unchecked: enough to know the store.
func (c choice) inStore() (config.Profile, error) {
	p, err := c.settings(nil)
	return p.WithDefaults(), err
}

// again is the same profile as it is in the file by now.
func (c choice) again() (choice, error) {
	file, err := config.Load(c.file.Path)
	if err != nil {
		return choice{}, err
	}
	return choose(file, c.name, c.from, c.config)
}

// resolved is settings with the built-in defaults, when all of it can be used.
func (c choice) resolved(flags config.Settings) (config.Profile, error) {
	p, err := c.settings(flags)
	if err != nil {
		return config.Profile{}, err
	}
	return p.Resolve()
}

// incomplete says what a missing setting means: a profile that was named and is
// nowhere is unknown, and one that nobody named was never signed in to.
func (c choice) incomplete(err error) error {
	if c.from != "" {
		return c.notThere(err)
	}
	invalid := (*config.InvalidError)(nil)
	if c.exists || !errors.As(err, &invalid) || !invalid.Missing {
		return &inFile{c.config, err}
	}
	none := &noProfileError{others: c.file.Names()}
	usual, _ := defaultConfigPath()
	if _, err := os.Stat(c.file.Path); errors.Is(err, fs.ErrNotExist) && c.file.Path != usual {
		none.missing = c.file.Path
	}
	return &inFile{c.config, none}
}

// notThere says of a setting that is missing because the whole profile is that it is.
func (c choice) notThere(err error) error {
	invalid := (*config.InvalidError)(nil)
	if _, unknown := c.file.Profile(c.name); unknown != nil && errors.As(err, &invalid) && invalid.Missing {
		return &inFile{c.config, unknown}
	}
	return &inFile{c.config, err}
}
