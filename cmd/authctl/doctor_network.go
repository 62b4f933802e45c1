package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/oauth"
)

// target is the URL that everything else at the provider is found from.
func (d *doctor) target() *url.URL {
	u, err := url.Parse(cmp.Or(d.profile.Issuer, d.profile.TokenURL))
	if err != nil {
		return &url.URL{} // a complete profile has one
	}
	return u
}

// checkNetwork finds out where the provider is. Behind a proxy its name is the proxy's
// to look up.
func (d *doctor) checkNetwork(ctx context.Context) finding {
	if !d.complete {
		return skipped("the profile is not complete")
	}
	host := d.target().Hostname()
	proxy, err := d.profile.proxyFor(&http.Request{URL: d.target()})
	if err != nil {
		d.cutOff = "HTTPS_PROXY can't be used"
		return d.failure(err, "check HTTPS_PROXY")
	}
	if proxy != nil { // its user stays out of the report
		return passed("%s is asked through the proxy %s://%s, from HTTPS_PROXY", host, proxy.Scheme, proxy.Host)
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return passed("%s is an address, so no name is looked up", host)
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		d.cutOff = "the provider's name can't be looked up"
		return failed("check the network, the VPN and the spelling of "+host, "the name %s can't be looked up: %s", host, lookupFailure(err))
	}
	return passed("%s is at %s", host, joined(found))
}

func lookupFailure(err error) string {
	dns := (*net.DNSError)(nil)
	switch {
	case errors.As(err, &dns) && dns.IsTimeout, errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &dns):
		return dns.Err
	}
	return err.Error()
}

func joined(addresses []netip.Addr) string {
	var words []string
	for _, a := range addresses {
		words = append(words, a.Unmap().String())
	}
	return strings.Join(words, ", ")
}

// checkConnection asks for the provider's metadata, and looks at the connection that
// this took. What the metadata say is checkDiscovery's.
func (d *doctor) checkConnection(ctx context.Context) finding {
	switch {
	case !d.complete:
		return skipped("the profile is not complete")
	case d.cutOff != "":
		return skipped(d.cutOff)
	}
	client, err := d.profile.httpClient()
	if err != nil {
		return d.failure(err, "check --ca-file")
	}
	d.first = &firstAnswer{next: client.Transport, now: d.now}
	client.Transport = d.first
	d.metadata, d.noMetadata = oauth.Discover(ctx, client, d.profile.Issuer, d.profile.endpoints())
	if d.noMetadata == nil && d.profile.Issuer == "" { // nothing had to be asked for
		d.noMetadata = reach(ctx, client, d.metadata.TokenEndpoint)
	}
	if !d.first.came {
		return d.failure(d.noMetadata, "check --issuer")
	}
	if d.first.tls == nil {
		return passed("plain http, which is allowed on loopback only")
	}
	leaf := d.first.tls.PeerCertificates[0]
	return passed("%s to %s; its certificate is by %s, good until %s", tls.VersionName(d.first.tls.Version), d.target().Host, signer(leaf), leaf.NotAfter.Format(time.DateOnly))
}

// reach asks for nothing but an answer of any kind.
func reach(ctx context.Context, client *http.Client, endpoint string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodHead, endpoint, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(r)
	if err != nil {
		return &oauth.UnreachableError{Op: "token endpoint", URL: endpoint, Err: err}
	}
	return answer.Body.Close()
}

// signer names who signed a certificate, so that a company's own inspection is seen.
func signer(c *x509.Certificate) string {
	if org := c.Issuer.Organization; len(org) > 0 {
		return strings.Join(org, ", ") + " (" + c.Issuer.CommonName + ")"
	}
	if c.Issuer.CommonName != "" {
		return c.Issuer.CommonName
	}
	return "somebody without a name"
}
