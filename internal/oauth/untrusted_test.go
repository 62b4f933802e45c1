package oauth

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"strings"
	"testing"
	"time"
)

// What a certificate says of itself is data: whoever made it chose the words.
func TestUntrusted(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.FixedZone("", 3600))
	by := func(issuer pkix.Name) *x509.Certificate {
		return &x509.Certificate{
			Raw: []byte("leaf"), Issuer: issuer, Subject: pkix.Name{CommonName: "leaf"}, DNSNames: []string{"a.example"},
			NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		}
	}
	named := func(name string) *x509.Certificate { return by(pkix.Name{CommonName: name}) }
	root := &x509.Certificate{Raw: []byte("root"), Subject: pkix.Name{CommonName: "Old\nRoot"}, NotAfter: now.Add(-48 * time.Hour)}
	ended, early := named("CA"), named("CA")
	ended.NotAfter = now.Add(-time.Minute)
	early.NotBefore, early.NotAfter = now.Add(time.Minute), now.Add(time.Hour)
	for _, test := range []struct {
		name, want string
		leaf       *x509.Certificate
		err        error
	}{
		{"an unknown authority", `certificate signed by unknown authority (issuer "Corp Inspection CA")`,
			named("Corp Inspection CA"), x509.UnknownAuthorityError{}},
		{"no common name", `certificate signed by unknown authority (issuer "OU=IT,O=Corp")`,
			by(pkix.Name{Organization: []string{"Corp"}, OrganizationalUnit: []string{"IT"}}), x509.UnknownAuthorityError{}},
		{"no name", `certificate signed by unknown authority (issuer "")`, by(pkix.Name{}), x509.UnknownAuthorityError{}},
		{"no certificate", "certificate signed by unknown authority", nil, x509.UnknownAuthorityError{}},
		{"lines and colours", `certificate signed by unknown authority (issuer "Corp hint: run this[31m")`,
			named("Corp\nhint: run this\x1b[31m"), x509.UnknownAuthorityError{}},
		{"a turned direction", `certificate signed by unknown authority (issuer "CorpAC")`, named("Corp\u202eAC"), x509.UnknownAuthorityError{}},
		{"a quote", `certificate signed by unknown authority (issuer "\") trusted")`, named(`") trusted`), x509.UnknownAuthorityError{}},
		{"a novel", `certificate signed by unknown authority (issuer "` + strings.Repeat("x", textLimit) + `…")`,
			named(strings.Repeat("x", 1<<16)), x509.UnknownAuthorityError{}},
		{"an end that has passed", `certificate expired on 2026-11-24 10:59 UTC, and the clock here says 2026-11-24 11:00 UTC (issuer "CA")`,
			ended, x509.CertificateInvalidError{Cert: ended, Reason: x509.Expired}},
		{"a beginning to come", `certificate begins on 2026-11-24 11:01 UTC, and the clock here says 2026-11-24 11:00 UTC (issuer "CA")`,
			early, x509.CertificateInvalidError{Cert: early, Reason: x509.Expired}},
		{"an authority's end", `certificate of "Old Root" expired on 2026-11-22 11:00 UTC, and the clock here says 2026-11-24 11:00 UTC (issuer "CA")`,
			named("CA"), x509.CertificateInvalidError{Cert: root, Reason: x509.Expired}},
		{"another host", `certificate is valid for a.example, not b.example (issuer "CA")`,
			named("CA"), x509.HostnameError{Certificate: named("CA"), Host: "b.example"}},
		{"an authority that is none", `certificate is not authorized to sign other certificates (issuer "CA")`,
			named("CA"), x509.CertificateInvalidError{Cert: root, Reason: x509.NotAuthorizedToSign}},
		{"no roots at all", `failed to load system roots and no roots provided; no such file (issuer "CA")`,
			named("CA"), x509.SystemRootsError{Err: errors.New("no such file")}},
		{"words of the system", `“a.example” certificate is not trusted (issuer "CA")`,
			named("CA"), errors.New("x509: “a.example” certificate is not trusted")},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := &tls.CertificateVerificationError{Err: test.err}
			if test.leaf != nil {
				err.UnverifiedCertificates = []*x509.Certificate{test.leaf, root}
			}
			if got := untrusted(err, now); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
