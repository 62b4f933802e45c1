package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/authctl/authctl/internal/session"
)

// join waits for a sign-in that another process has under way, and takes its result, so
// that twenty shells open one tab. With a nil error l.turn is this process's to sign in;
// nil when it has been done. Ctrl-C and --timeout end the wait alone.
func (l *signIn) join() error {
	if l.standsAlone() {
		l.turn = new(session.SignIn)
		return nil
	}
	ctx, cancel := context.WithTimeout(l.cmd.Context(), l.flags.timeout)
	defer cancel()
	waited := false
	turn, err := l.profile.session.Join(ctx, l.kind(), func(pid int) {
		waited = true
		if pid == 0 {
			say(l.cmd, "Waiting for a sign-in that is under way out of sight, perhaps in another container or on another machine. To end that: Ctrl-C there")
			return
		}
		say(l.cmd, "Waiting for the sign-in that process %d has under way. To end that: %s", pid, killCommand(pid))
	})
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &timeoutError{fmt.Sprintf("the sign-in that this one waited for did not end within %v", l.flags.timeout)}
	case err == nil && turn != nil && waited: // with all the time that --timeout gives: the person is asked only now
		say(l.cmd, "That process is gone without a result: this one signs in.")
	}
	l.turn = turn
	return err
}

// standsAlone reports whether no other sign-in can stand for this one, nor it for others:
// it is to ask the person again, or has a client secret to keep.
func (l *signIn) standsAlone() bool {
	return l.flags.prompt != "" || l.cmd.Flags().Changed("max-age") || l.secretFile != ""
}

// kind is what two sign-ins have in common when one can stand for the other: all that the
// provider is asked for, and where it is kept. How the person gets to the page is not: who
// doesn't see the other's, because it is on another screen, is told how to end that one.
func (l *signIn) kind() string {
	p, f := l.profile, l.flags
	// Strings, booleans, lists and maps of them: this doesn't fail.
	text, _ := json.Marshal([]any{p.Settings(), f.loginHint, f.acrValues})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// killCommand ends a process. On Windows nothing gentler ends one of the console.
func killCommand(pid int) string {
	switch {
	case runtime.GOOS == "windows":
		return fmt.Sprintf("taskkill /F /PID %d", pid)
	case isSuspended(pid):
		return fmt.Sprintf("kill %d; kill -CONT %[1]d", pid)
	}
	return fmt.Sprintf("kill %d", pid)
}

// isSuspended reports whether a process was stopped, by Ctrl-Z as a rule: it hears of no
// signal then. Only Linux tells, see proc_pid_stat(5).
func isSuspended(pid int) bool {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return bytes.HasPrefix(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" T"))
}

// joined ends this login as the one that it waited for has ended, well.
func (l *signIn) joined() error {
	p := l.profile
	if err := l.saveJoined(); err != nil {
		return p.about("saving", err)
	}
	tokens, err := p.session.Load(l.cmd.Context())
	if err != nil {
		return p.about("", err)
	}
	return l.celebrate(tokens, false)
}

// saveJoined saves what this login's flags gave: that may be the store in which the other
// has put the tokens.
func (l *signIn) saveJoined() error {
	if len(l.given) == 0 {
		return nil
	}
	p, ctx := l.profile, l.cmd.Context()
	return p.session.Hold(ctx, func() error {
		return p.move(ctx, l.cmd, func() error { return p.choice.save(l.given) })
	})
}

// isEveryones reports whether an error would have been that of each who waits: what the
// provider or the person said, or didn't. A terminal, a port or a store that this process
// alone was refused is not.
func isEveryones(err error) bool {
	switch code := exitCode(err); code {
	case exitRefused, exitUnreachable:
		return true
	default:
		return code > 128
	}
}

// failure is err as those say it who wait for this sign-in; nil for no error. An
// interruption, or a kill that let us say so, is a person's no to the sign-in and not to
// one shell: were it not passed on, each of twenty would open its tab in turn.
func (l *signIn) failure(err error) *session.SignInError {
	if err == nil {
		return nil
	}
	cause := endedBy(l.cmd.Context(), err)
	message, hint, code := explain(cmp.Or(cause, err))
	if cause != nil {
		message = "the sign-in that this one waited for was " + message
		hint = "the same command again signs in"
	}
	return &session.SignInError{Text: clean(message), Hint: clean(hint), Code: code}
}
