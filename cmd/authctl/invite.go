package main

import (
	"context"
	"slices"
	"strings"
)

// invite opens the browser, or says what to open.
func (l *signIn) invite(ctx context.Context, in *incoming, w way, redirectURI string) {
	provider := clean(l.profile.place())
	if w.browser == nil || !w.listen {
		say(l.cmd, "%s to sign in to %s:\n\n%s\n", w.address, provider, in.URL)
	}
	if w.browser != nil {
		say(l.cmd, "%s to sign in to %s.", w.opening, provider)
		go l.open(ctx, in.URL, w)
	}
	say(l.cmd, "Redirect URI: %s", redirectURI)
	if w.browser == nil {
		l.offerRoute(w, redirectURI)
	}
	l.offerPaste(w)
	if w.browser == nil {
		l.offerDevice(in.client)
	}
}

// offerRoute says how a browser on the machine that the person sits at comes back here.
func (l *signIn) offerRoute(w way, redirectURI string) {
	route := w.at.ssh
	if route == nil || !w.listen || !route.sure && !w.paste {
		return
	}
	so := "So"
	if !route.sure {
		so = "If you came over SSH: so"
	}
	say(l.cmd, "%s that the browser comes back here, run this on the machine that you sit at (this one may have another name there):\n\n  %s\n", so, route.forward(redirectURI))
}

// offerPaste says what to do with the address that the browser ended on, where it may be
// that it doesn't come back by itself.
func (l *signIn) offerPaste(w way) {
	switch {
	case !w.listen && isTerminal(l.cmd.InOrStdin()):
		say(l.cmd, "Paste the address that the browser ended on (it isn't shown), then press Enter.")
	case w.listen && w.paste && (w.browser == nil || w.at.remote):
		say(l.cmd, "%s", sentences("Waiting.", w.at.back, "If the browser can't come back here, paste the address that it ended on (it isn't shown)."))
	}
}

// sentences are the given ones, without those that are empty.
func sentences(s ...string) string {
	return strings.Join(slices.DeleteFunc(s, func(s string) bool { return s == "" }), " ")
}

// reassure is said when nothing has come for a while.
func (l *signIn) reassure(url, redirectURI string, w way) {
	say(l.cmd, "\nStill waiting. If the provider's page complains of the redirect URI, register it there exactly as\n  %s\nor give the registered one with --redirect-uri. The address to open is\n\n%s\n", redirectURI, url)
	l.offerRoute(w, redirectURI)
	if w.paste {
		say(l.cmd, "If the browser can't come back here, paste the address that it ended on (it isn't shown).")
	}
}
