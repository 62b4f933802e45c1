package oauth

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"strings"
	"time"
)

// untrusted says why a certificate is not believed, and who issued it by its own word: a
// company that inspects TLS is recognised by that.
func untrusted(e *tls.CertificateVerificationError, now time.Time) string {
	if len(e.UnverifiedCertificates) == 0 {
		return invalid(e.Err, nil, now)
	}
	leaf := e.UnverifiedCertificates[0]
	return fmt.Sprintf("%s (issuer %q)", invalid(e.Err, leaf, now), shownName(leaf.Issuer))
}

func invalid(err error, leaf *x509.Certificate, now time.Time) string {
	var invalid x509.CertificateInvalidError
	if !errors.As(err, &invalid) || invalid.Reason != x509.Expired || invalid.Cert == nil {
		return Secrets{}.clean(strings.TrimPrefix(err.Error(), "x509: "))
	}
	whose := ""
	if leaf == nil || !invalid.Cert.Equal(leaf) {
		whose = fmt.Sprintf(" of %q", shownName(invalid.Cert.Subject))
	}
	return "certificate" + whose + outOfDate(invalid.Cert, now)
}

// outOfDate has both times, for either may be the wrong one.
func outOfDate(c *x509.Certificate, now time.Time) string {
	const form = "2006-01-02 15:04 UTC"
	verb, at := " expired on ", c.NotAfter
	if now.Before(c.NotBefore) {
		verb, at = " begins on ", c.NotBefore
	}
	return verb + at.UTC().Format(form) + ", and the clock here says " + now.UTC().Format(form)
}

// shownName is what a person calls a certificate's subject or issuer.
func shownName(n pkix.Name) string {
	name := n.CommonName
	if name == "" {
		name = n.String()
	}
	return Secrets{}.clean(name)
}
