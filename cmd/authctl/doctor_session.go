package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/session"
	"github.com/authctl/authctl/internal/store"
)

// checkSession reads what is stored, and renews nothing.
func (d *doctor) checkSession(ctx context.Context) finding {
	switch {
	case !d.complete:
		return skipped("the profile is not complete")
	case d.locked != "":
		return skipped(d.locked)
	case !d.store:
		return skipped("the store can't be used")
	}
	tokens, err := d.profile.session.Load(ctx)
	bound := (*session.BindingError)(nil)
	switch {
	case errors.Is(err, session.ErrSignedOut):
		return warned(d.login(), "not signed in")
	case errors.As(err, &bound):
		return failed(d.login(), "the session was obtained with another %s than the one that is set now", bound.Key)
	case err != nil:
		return d.failure(err, d.login())
	}
	return d.describeSession(ctx, tokens)
}

func (d *doctor) describeSession(ctx context.Context, t *session.Tokens) finding {
	switch {
	case t.RefreshRefused != "" && stateOf(t, d.now()) != stateSignedIn:
		return failed(d.login(), "the provider no longer accepts the refresh token (%s)", refusalCode(t))
	case t.RefreshRefused != "":
		return warned(d.login(), "good for %s more, then over: the provider no longer accepts the refresh token (%s)", span(t.Expiry.Sub(d.now())), refusalCode(t))
	case stateOf(t, d.now()) == stateSignInAgain:
		return failed(d.login(), "the session ended %s, and has no refresh token", distance(t.Expiry.Sub(d.now())))
	case t.RefreshToken == "":
		return passed("signed in; the access token %s; there is no refresh token", d.ends(t))
	}
	at, err := pinned(t)
	if err == nil {
		_, err = d.profile.client(ctx, t, at)
	}
	if err != nil {
		return d.failure(err, d.login())
	}
	return passed("signed in; the access token %s, and is renewed when asked for", d.ends(t))
}

// refusalCode is the provider's word without its description, which may name a person.
func refusalCode(t *session.Tokens) string {
	code, _, _ := strings.Cut(t.RefreshRefused, ":")
	if code == "" || errorCode(code) != code {
		return "a refusal"
	}
	return code
}

// ends says when the access token does.
func (d *doctor) ends(t *session.Tokens) string {
	left := t.Expiry.Sub(d.now())
	switch {
	case t.Expiry.IsZero():
		return "ends at a time that the provider didn't say"
	case left < 0:
		return "expired " + distance(left)
	}
	return "ends " + distance(left)
}

// checkCache is of interest to whoever has asked for the kernel's cache.
func (d *doctor) checkCache(context.Context) finding {
	if d.profile == nil || !d.profile.session.Caching {
		return finding{}
	}
	cache, ok := d.profile.session.Cache.(store.KernelCache)
	if !ok {
		return passed("kernel_cache is on, and has no effect on this system")
	}
	if err := cache.Works(); err != nil {
		return warned("authctl profile set "+d.profile.Name+" --kernel-cache=false", "kernel_cache is on, and has no effect here: %w", errors.Unwrap(err))
	}
	t := d.profile.session.Cached(session.Need{})
	if t == nil {
		return passed("kernel_cache is on; the kernel gets the next new access token")
	}
	return passed("the kernel has the access token for %s more, whatever becomes of the store", span(t.Expiry.Sub(d.now())-time.Minute))
}
