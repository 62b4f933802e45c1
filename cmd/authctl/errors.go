package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The exit codes that scripts rely on.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitSignIn      = 3
	exitRefused     = 4
	exitStore       = 5
	exitUnreachable = 6
)

// usageError is wrong usage or configuration, with the way out where there is one.
type usageError struct {
	err  error
	hint string
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// flagError says what is wrong with flags, where cobra's words, and Go's, are a programmer's.
func flagError(err error) error {
	if i := strings.LastIndex(err.Error(), ": time: "); i >= 0 {
		return errorf("%s: it must be a duration, such as 90s or 5m", err.Error()[:i])
	}
	if _, given, exclusive := strings.Cut(err.Error(), "none of the others can be; ["); exclusive {
		given, _, _ = strings.Cut(given, "]")
		return errorf("--%s exclude each other", strings.ReplaceAll(given, " ", " and --"))
	}
	number := (*strconv.NumError)(nil)
	if !errors.As(err, &number) {
		return err
	}
	why := "it must be a whole number"
	switch {
	case errors.Is(err, strconv.ErrRange):
		why = "it is out of range"
	case number.Func == "ParseBool":
		why = "it must be true or false"
	}
	return errorf("%s%s", strings.TrimSuffix(err.Error(), number.Error()), why)
}

// noProfileError is a machine, or a config file, where nobody has signed in.
type noProfileError struct {
	others  []string
	missing string // the config file, if somebody named it and it isn't there
}

func (e *noProfileError) Error() string {
	if e.missing != "" {
		return "not signed in: " + e.missing + " is not there"
	}
	if len(e.others) > 0 {
		return `not signed in: no profile is chosen, and none is called "default"`
	}
	return "not signed in: no profile is set up"
}

// nobody is what there is to sign out of.
func (e *noProfileError) nobody() string {
	if len(e.others) > 0 {
		return `There is no profile "default" to sign out of: authctl logout --all, or --profile NAME; there are: ` + strings.Join(e.others, ", ") + "."
	}
	return "Nobody is signed in."
}

// onProfile is an error that has to do with one profile: what was being done to it,
// and which it is, for the hint's command line.
type onProfile struct {
	doing  string
	name   string
	named  bool        // by other than the last resort, so that the hint has to name it too
	config string      // the file that --config named; empty: none
	file   string      // the config file, with --config or without
	asks   func() bool // whether somebody is there who could give a passphrase; nil: nobody
	flags  string      // setting flags that a login needs, since they are not saved; empty: none
	err    error
}

// inFile is an error that has to do with the config file, with the one that --config named,
// for the hint's command line.
type inFile struct {
	config string
	err    error
}

func (e *inFile) Error() string { return e.err.Error() }
func (e *inFile) Unwrap() error { return e.err }

// signingIn is what a login does.
const signingIn = "signing in to"

// moving is what profile set does when it takes what is stored to another store.
const moving = "moving"

// removing is what profile remove does, signingOut what logout does.
const (
	removing   = "removing"
	signingOut = "signing out of"
)

func (e *onProfile) Error() string {
	return strings.TrimSpace(fmt.Sprintf("%s profile %q: %v", e.doing, e.name, e.err))
}
func (e *onProfile) Unwrap() error { return e.err }

// timeoutError is a wait for a person that was given up.
type timeoutError struct{ what string }

func (e *timeoutError) Error() string { return e.what }

// Timeout is for requests that it ends: they have timed out, whatever it says of a browser.
func (e *timeoutError) Timeout() bool { return true }

// clientSecretError is a provider that refuses the client, which has a secret.
type clientSecretError struct{ err error }

func (e *clientSecretError) Error() string { return e.err.Error() }
func (e *clientSecretError) Unwrap() error { return e.err }

// exitError is an exit code where all has been said: by a command that authctl ran, or
// in doctor's report.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

func errorf(format string, args ...any) error { return fmt.Errorf(format, args...) }
