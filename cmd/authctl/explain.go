package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"

	"github.com/authctl/authctl/internal/callback"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/session"
)

// report writes an error as one line, with a hint where there is a way out, and
// returns the exit code.
func report(w io.Writer, err error) int {
	if quiet := (*exitError)(nil); errors.As(err, &quiet) {
		return quiet.code
	}
	message, hint, code := explain(err)
	fmt.Fprintf(w, "authctl: %s\n", clean(message))
	if hint != "" {
		fmt.Fprintf(w, "hint: %s\n", clean(hint))
	}
	return code
}

// explain is the one place that knows what to say about an error: the message, the
// way out, and the exit code.
func explain(err error) (message, hint string, code int) {
	message = err.Error()
	if e := (*revocationError)(nil); errors.As(err, &e) {
		hint, code = revocationHint(e)
		return message, hint, code
	}
	if interrupted := (signalError{}); errors.As(err, &interrupted) {
		return interruption(interrupted)
	}
	if shared := (*session.SignInError)(nil); errors.As(err, &shared) {
		return message, shared.Hint, shared.Code
	}
	if command := (*commandError)(nil); errors.As(err, &command) {
		return message, "", command.code
	}
	for _, known := range []func(error) (string, int){usageHint, sessionHint, storeHint, providerHint, callbackHint} {
		if hint, code = known(err); code != 0 {
			return message, hint, code
		}
	}
	return message, machineHint(err), exitFailed
}

// exitCode is explain's; 0 for no error.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	_, _, code := explain(err)
	return code
}

func interruption(e signalError) (message, hint string, code int) {
	switch e.Signal {
	case syscall.SIGINT:
		return "interrupted", "", 130
	case syscall.SIGTERM:
		return "terminated", "", 143
	}
	return "terminated (" + e.Signal.String() + ")", "", 128 + int(e.Signal)
}

func usageHint(err error) (string, int) {
	var (
		usage   *usageError
		syntax  *config.SyntaxError
		unknown *config.UnknownProfileError
		invalid *config.InvalidError
		none    *noProfileError
		edit    *config.EditError
		setting *oauth.ConfigError
		cert    *callback.CertificateError
	)
	switch {
	case errors.As(err, &none):
		if len(none.others) > 0 {
			return "authctl --profile NAME …, or " + commandFor(err, "profile use NAME") + "; there are: " + strings.Join(none.others, ", "), exitSignIn
		}
		return commandFor(err, "login") + " --issuer URL --client-id ID", exitSignIn
	case errors.As(err, &usage):
		return usage.hint, exitUsage
	case errors.As(err, &syntax):
		return syntax.Hint, exitUsage
	case errors.As(err, &unknown):
		return unknownProfileHint(unknown, commandFor(err, "login --profile "+unknown.Name)), exitUsage
	case errors.As(err, &invalid):
		return invalidHint(invalid, commandFor(err, "profile set "+invalid.Profile)), exitUsage
	case errors.As(err, &edit):
		return "edit the file by hand: authctl can't change that line without losing something else", exitUsage
	case errors.As(err, &cert):
		return "--tls-cert and --tls-key name PEM files that belong together", exitUsage
	case errors.Is(err, config.ErrBusy):
		return "try again when it has ended", exitUnreachable
	case errors.Is(err, config.ErrNoLocks):
		return noLocksHint, exitFailed
	case errors.Is(err, oauth.ErrNoDeviceAuthorization):
		return "sign in without --device, or set --device-authorization-url if the provider has one all the same", exitUsage
	case errors.As(err, &setting):
		return "check --issuer, or set --authorization-url and --token-url", exitUsage
	}
	return "", 0
}

func unknownProfileHint(e *config.UnknownProfileError, login string) string {
	switch {
	case e.Nearest != "":
		return fmt.Sprintf("did you mean %q?", e.Nearest)
	case len(e.Known) > 0:
		return "there are: " + strings.Join(e.Known, ", ")
	}
	return login + " --issuer URL --client-id ID"
}

func invalidHint(e *config.InvalidError, set string) string {
	for _, s := range settings {
		if s.key == e.Key && s.kind() != config.Map {
			return strings.TrimSpace(fmt.Sprintf("%s --%s %s", set, s.name, s.placeholder())) + " (login has the flag too), or the variable " + s.variable()
		}
	}
	return ""
}

func sessionHint(err error) (string, int) {
	var (
		renewal *session.RenewalError
		save    *session.SaveError
		busy    *session.BusyError
		signIn  = []error{session.ErrSignedOut, session.ErrNoRefreshToken, session.ErrNoIDToken}
		bound   *session.BindingError
		dead    *session.DeadError
		format  *session.FormatError
		lock    *session.LockError
		secret  *clientSecretError
	)
	login := loginCommand(err)
	for _, target := range signIn {
		if errors.Is(err, target) {
			return login, exitSignIn
		}
	}
	switch {
	case errors.As(err, &bound), errors.As(err, &dead), errors.As(err, &format):
		return login, exitSignIn
	case errors.As(err, &lock):
		return lockHint(lock), exitStore
	case errors.As(err, &save):
		return "sign in again once the store works: " + login, exitStore
	case errors.As(err, &busy):
		return "another authctl is busy with this profile: try again when it has ended", exitUnreachable
	case errors.As(err, &renewal) && renewal.Kind == session.Unreachable:
		return cmp.Or(unreachableHint(err), "check the network, then try again"), exitUnreachable
	case errors.As(err, &renewal) && renewal.Kind == session.Dead:
		return login, exitSignIn
	case errors.As(err, &secret):
		return "if the client has another secret by now: " + commandFor(err, "profile set --client-secret-file FILE"), exitRefused
	case errors.As(err, &renewal):
		return commandFor(err, "token --refresh --verbose") + " shows what the provider answers; if it goes on so: " + login, exitRefused
	}
	return "", 0
}

// revocationHint is for tokens that are forgotten here and still good elsewhere.
func revocationHint(e *revocationError) (string, int) {
	const hint = "end the session on the provider's own page, or let the tokens expire"
	if unreachable := (*oauth.UnreachableError)(nil); errors.As(e, &unreachable) {
		return hint, exitUnreachable
	}
	return hint, exitRefused
}

const noLocksHint = "this file system knows no locks: set AUTHCTL_STATE_DIR to a directory on a local disk"

func lockHint(e *session.LockError) string {
	if e.Unsupported() {
		return noLocksHint
	}
	return machineHint(e)
}

// loginCommand is the exact command that signs in to the profile of err.
func loginCommand(err error) string {
	command, p := commandFor(err, "login"), (*onProfile)(nil)
	if errors.As(err, &p) {
		command += p.flags
	}
	return command
}

// commandFor is a command line for the profile of err.
func commandFor(err error, command string) string {
	command, p, none := "authctl "+command, (*onProfile)(nil), (*inFile)(nil)
	if errors.As(err, &p) && p.named {
		command += " --profile " + p.name
	}
	switch {
	case p != nil && p.config != "":
		command += " --config " + shellWord(p.config)
	case errors.As(err, &none) && none.config != "":
		command += " --config " + shellWord(none.config)
	}
	return command
}

// shellWord is s, quoted if a shell would not take it as it is.
func shellWord(s string) string {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || strings.ContainsRune("\"'$`\\!&;|<>()*?[]#~{}", r) }) {
		return shellQuote(s)
	}
	return s
}

func providerHint(err error) (string, int) {
	var (
		refused     *oauth.Error
		check       *oauth.CheckError
		unreachable *oauth.UnreachableError
		insecure    *oauth.InsecureError
	)
	switch {
	case errors.As(err, &unreachable):
		return cmp.Or(unreachableHint(err), "check the network and the address, then try again"), exitUnreachable
	case errors.Is(err, oauth.ErrExpired):
		return "run the same command again, and sign in before the time that it says", exitUnreachable
	case errors.Is(err, oauth.ErrPushedAlone):
		return "authctl pushes none: sign in with --device, if the provider has that", exitRefused
	case errors.As(err, &check):
		return checkHint(check), exitRefused
	case errors.As(err, &refused):
		return refusalHint(refused), exitRefused
	case errors.As(err, &insecure):
		return "the provider's metadata names an endpoint without TLS: tell its operators, or set the endpoint yourself", exitRefused
	}
	return "", 0
}

// checkHint: a token whose times are beside the clock's may be good.
func checkHint(e *oauth.CheckError) string {
	if e.Clock {
		return "if the clock of this machine is wrong, set it"
	}
	return ""
}

// refusalHint is the way out of the refusals that a first sign-in meets.
func refusalHint(e *oauth.Error) string {
	if e.Op == "device authorization" && e.Code != "invalid_client" && e.Code != "invalid_scope" {
		return "the provider may not let this client sign in that way: have it allowed, or sign in without --device"
	}
	switch e.Code {
	case "access_denied", "authorization_declined": // the latter is Microsoft's
		return "the sign-in was declined: run authctl login again and allow it"
	case "invalid_client", "unauthorized_client":
		return "check --client-id, and the secret if the provider gave this client one: --client-secret-file FILE"
	case "invalid_scope":
		return "check --scope; the provider knows only some"
	case "invalid_request", "invalid_redirect_uri":
		return "the redirect URI must be registered with the provider as --redirect-uri has it"
	case "login_required", "interaction_required":
		return "the provider has to show its page: sign in without --prompt none"
	case "consent_required":
		return "the provider has to show its page: sign in without --prompt none, or with --prompt consent"
	case "account_selection_required":
		return "the provider has to show its page: sign in without --prompt none, or with --prompt select_account"
	}
	return ""
}

func callbackHint(err error) (string, int) {
	var (
		port    *callback.PortError
		host    *callback.HostError
		timeout *timeoutError
	)
	switch {
	case errors.As(err, &port) && errors.Is(err, fs.ErrPermission):
		return "the system keeps low ports to itself: register a --redirect-uri with a port above 1023", exitFailed
	case errors.As(err, &port):
		return portHint(port.Addr), exitFailed
	case errors.As(err, &host):
		return "only loopback can be listened on: use a --redirect-uri on 127.0.0.1 or localhost, or --paste", exitUsage
	case errors.Is(err, callback.ErrWrongState):
		return "paste the redirect URL of this sign-in, not of an earlier one", exitRefused
	case errors.Is(err, callback.ErrBareCode), errors.Is(err, callback.ErrNotRedirect):
		return "paste the whole address that the browser ended on, from its scheme to its end", exitRefused
	case errors.As(err, &timeout):
		return "run authctl login again; --timeout gives more time", exitUnreachable
	case errors.Is(err, context.DeadlineExceeded):
		return "try again", exitUnreachable
	}
	return "", 0
}

// isCancellation reports whether err is what a cancelled context leaves.
func isCancellation(err error) bool { return errors.Is(err, context.Canceled) }
