package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/authctl/authctl/internal/oauth"
)

// httpClient speaks to the provider: TLS 1.2 or later, the system's roots and the
// profile's, the environment's proxy (never for loopback), and a bound on every step. It
// speaks HTTP/1.1: a handful of requests gains nothing from HTTP/2, which releases are
// built without.
func (p *profile) httpClient() (*http.Client, error) {
	t := &http.Transport{
		Proxy:                  p.proxyFor,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, Time: p.now},
		MaxResponseHeaderBytes: 64 << 10,
		IdleConnTimeout:        2 * time.Second, // by the time that a person has signed in, it may be dead
	}
	if p.CAFile != "" {
		roots, err := p.roots()
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig.RootCAs = roots
	}
	return oauth.HTTPClient(p.trace.around(oauth.Transport(t))), nil
}

// roots are the system's and those of the CA file. Blocks that are no certificate, or one
// that Go refuses, are left out: bundles have some that nobody needs. --verbose tells.
func (p *profile) roots() (*x509.CertPool, error) {
	text, err := os.ReadFile(p.CAFile)
	if err != nil {
		return nil, &usageError{err: errorf("reading the trusted roots: %v", err), hint: "--ca-file names a PEM file"}
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	found, blocks := certificates(text), bytes.Count(text, []byte("-----BEGIN "))
	switch {
	case blocks == 0:
		return nil, &usageError{err: errorf("%s holds no certificate in PEM form", p.CAFile), hint: "openssl x509 -inform der -in FILE -out FILE.pem"}
	case len(found) == 0:
		return nil, &usageError{err: errorf("%s: none of its PEM blocks (%d) is a certificate that can be read", p.CAFile, blocks)}
	}
	p.trace.note("%d of %d PEM blocks in %s are trusted", len(found), blocks, p.CAFile)
	for _, c := range found {
		roots.AddCert(c)
	}
	return roots, nil
}

// certificates are those in a PEM text, whatever stands between them.
func certificates(text []byte) (found []*x509.Certificate) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return found
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			found = append(found, c)
		}
	}
}
