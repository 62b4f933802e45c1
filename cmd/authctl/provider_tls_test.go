package main

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/authctl/authctl/internal/idp"
)

// network is what only a script's proxies know: where its providers are.
type network struct {
	places sync.Map // by HOST:PORT
	proxy  *proxy   // the one that was started last
}

// place is where a host really is, and who signs for it.
type place struct {
	addr  string
	roots *x509.CertPool
}

func networkOf(ts *testscript.TestScript) *network { return ts.Value("network").(*network) }

func (n *network) at(hostPort string) (place, bool) {
	p, ok := n.places.Load(hostPort)
	if !ok {
		return place{}, false
	}
	return p.(place), true
}

// tlsProvider is what `idp-tls` was asked for.
type tlsProvider struct {
	host   string // in the issuer URL
	listen string
	cert   string // the host that its certificate is for
	begin  time.Time
	end    time.Time
	root   time.Time // the authority's end
	config tls.Config
}

// idpTLSVerb is `idp-tls FILE [OPTION…]`: it starts the provider that $ISSUER names behind
// TLS, and FILE is the root that nobody trusts without it. host=NAME or NAME:PORT is what
// $ISSUER calls it, and proxies; $LOCAL is where it is on loopback.
func idpTLSVerb(ts *testscript.TestScript, _ bool, args []string) {
	now := time.Now()
	t := &tlsProvider{listen: "127.0.0.1", begin: now.Add(-time.Hour), end: now.Add(time.Hour), root: now.Add(time.Hour)}
	for _, arg := range args[1:] {
		ts.Check(t.set(arg, now))
	}
	authority, err := newAuthority("Public Authority", t.root)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), authority.pem(), 0o600))
	t.start(ts, authority)
}

// set is one option of idp-tls.
func (t *tlsProvider) set(arg string, now time.Time) error {
	switch name, value, _ := strings.Cut(arg, "="); name {
	case "host":
		t.host = value
	case "listen":
		t.listen = value
	case "cert":
		t.cert = value
	case "expired":
		t.end = now.Add(-time.Minute)
	case "early":
		t.begin = now.Add(time.Minute)
	case "expired-root":
		t.root = now.Add(-time.Minute)
	case "tls": // the newest that it speaks
		t.config.MinVersion = tls.VersionTLS10
		t.config.MaxVersion = map[string]uint16{"1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12}[value]
	case "wants-certificate":
		t.config.ClientAuth = tls.RequireAnyClientCert
	case "asks-for-certificate":
		t.config.ClientAuth = tls.RequestClientCert
	default:
		return fmt.Errorf("idp-tls: no option %q", arg)
	}
	return nil
}

func (t *tlsProvider) start(ts *testscript.TestScript, a *authority) {
	l, err := net.Listen("tcp", net.JoinHostPort(t.listen, "0"))
	ts.Check(err)
	local := l.Addr().String()
	issuer := &url.URL{Scheme: "https", Host: strings.Replace(cmp.Or(t.host, local), "PORT", port(l), 1)}
	leaf, err := a.issue(cmp.Or(t.cert, issuer.Hostname()), t.begin, t.end)
	ts.Check(err)
	t.config.Certificates = []tls.Certificate{leaf}
	provider := idp.New(idp.Options{Issuer: issuer.String()})
	server := &httptest.Server{Listener: l, TLS: &t.config, Config: &http.Server{
		Handler: provider, ErrorLog: log.New(io.Discard, "", 0), // whoever doesn't trust it hangs up
	}}
	server.StartTLS()
	ts.Defer(server.Close)
	running(ts)["ISSUER"] = provider
	networkOf(ts).places.Store(net.JoinHostPort(issuer.Hostname(), cmp.Or(issuer.Port(), "443")), place{local, a.pool()})
	ts.Setenv("ISSUER", provider.Issuer())
	ts.Setenv("LOCAL", "https://"+local)
}
