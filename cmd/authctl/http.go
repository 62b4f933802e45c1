package main

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/authctl/authctl/internal/oauth"
)

// httpClient speaks to the provider: TLS 1.2 or later, the system's roots and the
// profile's, the environment's proxy (never for loopback), and a bound on every step.
func (p *profile) httpClient() (*http.Client, error) {
	t := &http.Transport{
		Proxy:                  p.proxyFor,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, Time: p.now},
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: 64 << 10,
	}
	if p.CAFile != "" {
		roots, err := withSystemRoots(p.CAFile)
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig.RootCAs = roots
	}
	return oauth.HTTPClient(p.trace.around(oauth.Transport(t))), nil
}

func withSystemRoots(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, &usageError{err: errorf("reading the trusted roots: %v", err), hint: "--ca-file names a PEM file"}
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, &usageError{err: errorf("%s holds no certificate in PEM form", file), hint: "openssl x509 -inform der -in FILE -out FILE.pem"}
	}
	return roots, nil
}
