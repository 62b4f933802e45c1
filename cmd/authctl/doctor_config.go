package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/authctl/authctl/internal/config"
)

func (d *doctor) checkVersion(context.Context) finding {
	b := thisBuild()
	return passed("authctl %s, commit %.12s, %s, %s", b.Version, b.Commit, b.Go, b.Platform)
}

func (d *doctor) checkConfig(context.Context) finding {
	path, err := d.configPath()
	if err != nil {
		return d.failure(err, "set HOME, or AUTHCTL_CONFIG")
	}
	file, err := config.Load(path)
	if err != nil {
		return d.failure(unreadable(err), "correct that file")
	}
	d.choice.file = file
	place, err := d.place(filepath.Dir(path))
	if err == nil {
		err = config.Writable(filepath.Join(place, filepath.Base(path)))
	}
	if err != nil {
		return warned(cmp.Or(machineHint(err), "see what is there"), "a login can't save settings in %s: %w", path, cause(err))
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return d.noConfig(path)
	}
	for _, name := range file.Names() {
		c, err := choose(file, name, "", d.config)
		if err == nil {
			_, err = c.resolved(nil)
		}
		if invalid := (*config.InvalidError)(nil); errors.As(err, &invalid) && !invalid.Missing { // flags may have what is missing
			return d.failure(&inFile{d.config, err}, "correct that file")
		}
	}
	return passed("%s, %s", path, plural(len(file.Names()), "profile"))
}

// noConfig is how it is before the first login; a file that somebody named is expected
// to be there.
func (d *doctor) noConfig(path string) finding {
	if usual, err := defaultConfigPath(); err == nil && usual != path {
		return warned("check the path in --config or AUTHCTL_CONFIG", "%s is not there; login makes it", path)
	}
	return passed("%s is not there yet; login makes it", path)
}

func (d *doctor) checkProfile(context.Context) finding {
	if d.choice.file == nil {
		return skipped("the config file can't be used")
	}
	c, err := d.choose()
	if err != nil {
		return d.failure(err, "correct that file")
	}
	d.choice = c
	resolved, err := c.resolved(d.given)
	if err == nil {
		err = d.settle(resolved)
	}
	if err != nil {
		return d.incomplete(err)
	}
	if file := d.flags.secretFilePath(); file != "" {
		if _, err := readSecretFile(file); err != nil {
			return d.failure(err, "check the file in --client-secret-file or AUTHCTL_CLIENT_SECRET_FILE")
		}
	}
	d.complete = true
	where := ""
	if !c.exists {
		where = "; it isn't saved yet"
	}
	return passed("%q%s: %s, client ID %s%s", c.name, c.reason(), d.profile.place(), d.profile.ClientID, where)
}

// settle gives the profile its directory, safe or not: that is checkState's to say.
func (d *doctor) settle(p config.Profile) error {
	state, err := stateDirName()
	if err == nil {
		d.profile = d.buildIn(state, d.cmd, d.choice, p)
	}
	return err
}

// incomplete is a profile that can't be used. What there is of it still says where the
// store is and where the browser comes back to.
func (d *doctor) incomplete(err error) finding {
	if settings, unusable := d.choice.settings(d.given); unusable == nil {
		_ = d.settle(settings.WithDefaults())
	}
	err = d.choice.incomplete(err)
	if invalid := (*config.InvalidError)(nil); errors.As(err, &invalid) && invalid.Missing {
		return failed(d.setCommand(invalid), "%w", err)
	}
	return d.failure(err, "correct that setting in "+d.choice.file.Path)
}

// setCommand is the command that sets what is missing.
func (d *doctor) setCommand(e *config.InvalidError) string {
	command := "authctl profile set " + e.Profile
	if d.config != "" {
		command += " --config " + shellWord(d.config)
	}
	for _, s := range settings {
		if s.key == e.Key {
			command += " --" + s.name + " " + s.placeholder()
		}
	}
	return command
}

// reason says what chose the profile.
func (c choice) reason() string {
	if c.from == "" {
		return ""
	}
	return ", chosen by " + c.from
}

// checkEnvironment names the variables, not their values.
func (d *doctor) checkEnvironment(context.Context) finding {
	if token := os.Getenv("AUTHCTL_TOKEN"); token != "" {
		if _, err := givenToken(token); err != nil {
			return failed("unset AUTHCTL_TOKEN, or set it to a token", "%w", err)
		}
		return warned("unset AUTHCTL_TOKEN, unless that is meant", "AUTHCTL_TOKEN is set: token, exec and curl use it as it is, whatever is stored")
	}
	names := []string{"AUTHCTL_CONFIG", "AUTHCTL_PROFILE", "AUTHCTL_STATE_DIR", "AUTHCTL_CLIENT_SECRET_FILE"}
	for _, s := range settings {
		names = append(names, s.variable())
	}
	names = append(names, "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
	if runtime.GOOS != "windows" { // where they are the same variables
		names = append(names, "https_proxy", "no_proxy")
	}
	var set []string
	for _, name := range names {
		if os.Getenv(name) != "" {
			set = append(set, name)
		}
	}
	if len(set) == 0 {
		return passed("no variable is set that changes anything here")
	}
	return passed("set: %s", strings.Join(set, ", "))
}
