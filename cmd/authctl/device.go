package main

import (
	"cmp"
	"context"
	"time"

	"github.com/authctl/authctl/internal/oauth"
)

// onAnotherDevice signs in by the device authorization grant (RFC 8628): the browser is
// on a device that need know nothing of this one.
func (l *signIn) onAnotherDevice(ctx context.Context, client *oauth.Client) error {
	d, err := client.DeviceAuthorize(ctx, l.request(""))
	if err != nil {
		return err
	}
	l.showCode(ctx, d)
	grant, err := d.Redeem(ctx)
	if err != nil {
		return err
	}
	tokens, err := l.keep(ctx, client, grant)
	if err != nil {
		return err
	}
	return l.celebrate(tokens, d.OfflineAsked)
}

// showCode says where to go and what to type there. Where the address can have the code
// in it, the person still compares the two: RFC 8628 §3.3.1.
func (l *signIn) showCode(ctx context.Context, d *oauth.DeviceAuthorization) {
	s := screenOf(l.cmd.ErrOrStderr())
	address := cmp.Or(d.CompleteURI, d.VerificationURI)
	say(l.cmd, "To sign in to %s, open this address on any device:\n", clean(l.profile.place()))
	say(l.cmd, "  %s\n", s.link(d.VerificationURI, address))
	say(l.cmd, "and enter this code:\n")
	say(l.cmd, "%s\n", s.large("  "+d.UserCode))
	switch code := s.qrCode(address); {
	case code != "" && d.CompleteURI != "":
		say(l.cmd, "Or scan this, and compare the code:\n\n%s\n", code)
	case code != "":
		say(l.cmd, "To open the address with a phone, scan this:\n\n%s\n", code)
	case d.CompleteURI != "":
		say(l.cmd, "Or open this one, and compare the code:\n\n  %s\n", s.link(address, address))
	}
	now := l.profile.now()
	left := d.Expires.Sub(now)
	if deadline, ok := ctx.Deadline(); ok {
		left = min(left, time.Until(deadline))
	}
	say(l.cmd, "Waiting until %s (%s). Ctrl-C gives up.", now.Add(left).Local().Format("15:04:05"), distance(left.Round(time.Second)))
}

// offerDevice names the way that needs no browser here, where the provider has it.
func (l *signIn) offerDevice(client *oauth.Client) {
	if client.Metadata.DeviceAuthorizationEndpoint != "" {
		say(l.cmd, "Or end this and sign in on another device, with authctl login --device.")
	}
}
