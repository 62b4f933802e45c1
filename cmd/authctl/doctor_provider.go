package main

import (
	"context"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/oauth"
)

// unasked says why nothing is known of the provider; empty when something is.
func (d *doctor) unasked() string {
	switch {
	case !d.complete:
		return "the profile is not complete"
	case d.first == nil || !d.first.came:
		return "the provider can't be reached"
	}
	return ""
}

// checkDiscovery is about what checkConnection got.
func (d *doctor) checkDiscovery(context.Context) finding {
	if why := d.unasked(); why != "" {
		return skipped(why)
	}
	if d.noMetadata != nil {
		return d.failure(d.noMetadata, "check --issuer; if it is right, the provider's operators have to mend this")
	}
	switch d.metadata.Source {
	case oauth.SourceConfigured:
		return passed("the endpoints are those that the profile sets; PKCE with S256")
	case oauth.SourceDefaultPaths:
		return warned("check --issuer; if it is right: --authorization-url URL --token-url URL",
			"the provider has no metadata in either place, so %s is assumed", config.Shown(d.metadata.TokenEndpoint))
	}
	if len(d.metadata.CodeChallengeMethodsSupported) == 0 {
		return passed("%s; it lists no PKCE methods, S256 is used all the same", d.metadata.Source)
	}
	return passed("%s; PKCE with S256", d.metadata.Source)
}

func (d *doctor) checkKeys(ctx context.Context) finding {
	switch why := d.unasked(); {
	case why != "":
		return skipped(why)
	case d.noMetadata != nil:
		return skipped("the provider's metadata can't be used")
	case d.metadata.JWKSURI == "" && slices.Contains(d.profile.Scopes, "openid"):
		return warned("set --jwks-url URL, if the provider has one", "no keys are published, so an ID token's signature can't be checked")
	case d.metadata.JWKSURI == "":
		return passed("none are published, and without the scope openid none are needed")
	}
	hc, err := d.profile.httpClient()
	if err != nil {
		return d.failure(err, "check --ca-file")
	}
	n, err := (&oauth.Client{HTTP: hc, Metadata: d.metadata, Now: d.now}).CountKeys(ctx)
	if err != nil {
		return d.failure(err, "check --jwks-url, or tell the provider's operators")
	}
	return passed("%s at %s", plural(n, "key"), config.Shown(d.metadata.JWKSURI))
}

// checkProvider says what the provider can do, which nobody here can mend.
func (d *doctor) checkProvider(context.Context) finding {
	m := d.metadata
	switch why := d.unasked(); {
	case why != "":
		return skipped(why)
	case d.noMetadata != nil:
		return skipped("the provider's metadata can't be used")
	}
	token, err := url.Parse(m.TokenEndpoint)
	if err != nil {
		return d.failure(err, "check --token-url")
	}
	if m.RequirePushedAuthorizationRequests {
		return warned("sign in with --device, if the provider has that", "%w, and authctl pushes none", oauth.ErrPushedAlone)
	}
	return passed("token endpoint on %s; refresh tokens by offline_access: %s; revocation: %s; device grant: %s; PAR: %s; iss in responses: %s",
		token.Host, yesNo(slices.Contains(m.ScopesSupported, "offline_access")), yesNo(m.RevocationEndpoint != ""),
		yesNo(m.DeviceAuthorizationEndpoint != ""), yesNo(m.PushedAuthorizationRequestEndpoint != ""), yesNo(m.AuthorizationResponseIssParameterSupported))
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// checkClock compares the clocks. Beyond oauth.Leeway an ID token is refused.
func (d *doctor) checkClock(context.Context) finding {
	if why := d.unasked(); why != "" {
		return skipped(why)
	}
	if !d.first.dated {
		return skipped("the provider doesn't say what time it is")
	}
	ahead := d.first.ahead
	off, how, then := span(ahead), "behind", "its ID tokens are issued in the future, and refused"
	if ahead < 0 {
		how, then = "ahead of", "tokens count as expired before they are"
	}
	switch {
	case ahead.Abs() > oauth.Leeway:
		return failed(setClock(), "this machine's clock is %s %s the provider's: %s", off, how, then)
	case ahead.Abs() > time.Minute:
		return warned(setClock(), "this machine's clock is %s %s the provider's", off, how)
	}
	return passed("as the provider's, to within %s", span(max(ahead.Abs(), time.Second)))
}

// span is a duration in words.
func span(d time.Duration) string { return strings.TrimSuffix(distance(-d.Abs()), " ago") }

// setClock is the command that sets it by the network's time.
func setClock() string {
	switch runtime.GOOS {
	case "windows":
		return "w32tm /resync"
	case "darwin":
		return "sudo sntp -sS time.apple.com"
	}
	return "sudo timedatectl set-ntp true; in a container or virtual machine, on its host"
}
