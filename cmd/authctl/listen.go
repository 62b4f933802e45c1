package main

import (
	"crypto/tls"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/authctl/authctl/internal/callback"
)

// listen binds the redirect URI's address. An https one needs a certificate.
func (l *signIn) listen(redirectURI string) (*callback.Listener, error) {
	if !strings.HasPrefix(strings.ToLower(redirectURI), "https:") {
		return callback.Listen(redirectURI, nil)
	}
	cert, err := l.certificate()
	if err != nil {
		return nil, err
	}
	return callback.Listen(redirectURI, &cert)
}

func (l *signIn) certificate() (tls.Certificate, error) {
	p := l.profile
	if p.TLSCert != "" {
		cert, err := callback.LoadCertificate(p.TLSCert, p.TLSKey)
		if err != nil {
			return cert, err
		}
		if why := callback.Covers(cert, hostOf(p.RedirectURI)); why != nil {
			warn(l.cmd, "the browser will refuse the certificate %s: %v", p.TLSCert, why)
		}
		return cert, nil
	}
	path := filepath.Join(p.stateDir, "tls", "localhost.pem")
	cert, _, err := callback.SelfSigned(path, p.now())
	if err != nil {
		return cert, errorf("making the callback's certificate: %w", err)
	}
	say(l.cmd, "The browser will warn of a self-signed certificate. It is this login's if its SHA-256 fingerprint is %s", callback.Fingerprint(cert))
	return cert, nil
}

func hostOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
