package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/callback"
	"github.com/authctl/authctl/internal/config"
)

// checkLoopback looks at the interface that the browser comes back to.
func (d *doctor) checkLoopback(ctx context.Context) finding {
	if err := roundTrip(ctx, "127.0.0.1"); err != nil {
		return failed("bring the loopback interface up, as with: sudo ip link set lo up", "what listens on 127.0.0.1 can't be reached: %w", err)
	}
	both := "127.0.0.1 and ::1 can be listened on, and reached"
	if roundTrip(ctx, "::1") != nil {
		both = "127.0.0.1 can be listened on, and reached; there is no ::1 here, which is fine"
	}
	const mend = "give the hosts file the line: 127.0.0.1 localhost"
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", "localhost")
	if err != nil {
		return warned(mend, "%s; the name localhost can't be looked up", both)
	}
	if i := slices.IndexFunc(found, func(a netip.Addr) bool { return !a.IsLoopback() }); i >= 0 {
		return failed(mend, "the name localhost leads to %s, another machine", found[i].Unmap())
	}
	return passed("%s; localhost leads there", both)
}

// roundTrip listens and connects: an interface that is down takes the one, and not the
// other.
func roundTrip(ctx context.Context, host string) error {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return innermost(err)
	}
	defer l.Close()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	if err != nil {
		return innermost(err)
	}
	return conn.Close()
}

// innermost is what the system said, without the address that was tried.
func innermost(err error) error {
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		return op.Err
	}
	return err
}

// checkRedirect listens as login would, for a moment.
func (d *doctor) checkRedirect(context.Context) finding {
	if d.profile == nil {
		return skipped("the profile can't be used")
	}
	uri := config.Shown(d.profile.RedirectURI)
	l, err := callback.Listen(d.profile.RedirectURI, &tls.Certificate{}) // nothing is served with it
	if host := (*callback.HostError)(nil); errors.As(err, &host) {
		return warned(d.login()+" --paste", "%s is not on this machine's loopback: login can't listen there", uri)
	}
	if err != nil {
		return d.failure(err, "check --redirect-uri")
	}
	l.Close()
	if l.RedirectURI() == d.profile.RedirectURI {
		return passed("%s: its port is free", uri)
	}
	return passed("%s, on any free port", uri)
}

// checkCertificate looks at the one that an https redirect URI is served with.
func (d *doctor) checkCertificate(context.Context) finding {
	if d.profile == nil || !strings.HasPrefix(strings.ToLower(d.profile.RedirectURI), "https:") {
		return finding{}
	}
	p := d.profile
	if p.TLSCert == "" || p.TLSKey == "" {
		path := filepath.Join(p.stateDir, "tls", "localhost.pem")
		cert, ok := callback.KeptCertificate(path, d.now())
		if !ok {
			return passed("login makes a self-signed one, of which the browser warns")
		}
		return passed("self-signed, good until %s, of which the browser warns; its SHA-256 fingerprint is %s", cert.Leaf.NotAfter.Format(time.DateOnly), callback.Fingerprint(cert))
	}
	cert, err := callback.LoadCertificate(p.TLSCert, p.TLSKey)
	if err != nil {
		return d.failure(err, "check --tls-cert and --tls-key")
	}
	if why := callback.Covers(cert, hostOf(p.RedirectURI)); why != nil {
		return warned("give --tls-cert one for "+hostOf(p.RedirectURI), "the browser will refuse %s: %w", p.TLSCert, why)
	}
	return passed("%s, good until %s", p.TLSCert, cert.Leaf.NotAfter.Format(time.DateOnly))
}
