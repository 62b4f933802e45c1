package idp

import (
	"net/url"
	"slices"
)

// allows says whether a redirect URI is a registered one: the same text, or on
// http loopback the same but for the port, which a native app can't choose
// beforehand. RFC 8252 §7.3, RFC 9700 §4.1.3.
func (o *Options) allows(redirectURI string) bool {
	return slices.ContainsFunc(o.RedirectURIs, func(registered string) bool {
		return redirectURI == registered || sameButPort(redirectURI, registered)
	})
}

func sameButPort(got, registered string) bool {
	a, errA := url.Parse(got)
	b, errB := url.Parse(registered)
	if errA != nil || errB != nil || !loopback(a) || a.Hostname() != b.Hostname() {
		return false
	}
	a.Host, b.Host = "", ""
	return a.String() == b.String()
}

func loopback(u *url.URL) bool {
	return u.Scheme == "http" && slices.Contains([]string{"127.0.0.1", "::1", "localhost"}, u.Hostname())
}
