package main

import (
	"context"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/session"
)

// discover finds the provider's endpoints.
func (l *signIn) discover(ctx context.Context) (*oauth.Client, error) {
	p := l.profile
	var was *provider
	l.replaced, was = l.earlier(ctx)
	known := append(tokensOf(l.replaced), l.secret)
	p.trace.hide(known...)
	hc, err := p.httpClient()
	if err != nil {
		return nil, err
	}
	metadata, err := oauth.Discover(ctx, hc, p.Issuer, p.endpoints(), known...)
	if err != nil {
		return nil, err
	}
	if metadata.Source == oauth.SourceDefaultPaths {
		say(l.cmd, "The provider has no metadata in either place, so %s is assumed: is the issuer right?", clean(metadata.AuthorizationEndpoint))
	}
	client := &oauth.Client{ID: p.ClientID, Secret: l.secret, HTTP: hc, Metadata: metadata, Known: known, Now: p.now}
	if was != nil {
		if what := missed(was.Metadata, metadata); what != "" {
			return nil, &oauth.CheckError{What: "discovery", Why: "the provider published " + what + " at the last sign-in and publishes none now, so that less could be checked; authctl logout first if that is as it should be"}
		}
		client.PinnedIssuer = was.PinnedIssuer // which counts only without metadata
	}
	return client, nil
}

// missed is what the provider published once and doesn't now; empty if nothing.
func missed(was, is *oauth.Metadata) string {
	switch {
	case hasMetadata(was) && !hasMetadata(is):
		return "metadata"
	case was.JWKSURI != "" && is.JWKSURI == "":
		return "keys"
	}
	return ""
}

// earlier is the session that this login replaces, obtained with the same settings, and
// the provider as it knew it; nil where there is none.
func (l *signIn) earlier(ctx context.Context) (*session.Tokens, *provider) {
	old, err := l.profile.session.Load(ctx)
	if err != nil {
		return nil, nil
	}
	at, err := pinned(old)
	if err != nil {
		return old, nil
	}
	return old, &at
}

// tokensOf are those that a provider may echo; t may be nil.
func tokensOf(t *session.Tokens) []string {
	if t == nil {
		return nil
	}
	return []string{t.AccessToken, t.RefreshToken, t.IDToken}
}

// hasMetadata reports whether the provider publishes what it is.
func hasMetadata(m *oauth.Metadata) bool {
	return m.Source != oauth.SourceConfigured && m.Source != oauth.SourceDefaultPaths
}
