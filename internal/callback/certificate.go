package callback

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io/fs"
	"net"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/atomicfile"
)

const (
	certLife = 365 * 24 * time.Hour // browsers accept 398 days
	renewAt  = 30 * 24 * time.Hour  // made anew with less than this left
	skew     = time.Hour            // a clock may be behind
)

// CertificateError is a certificate that can't be used.
type CertificateError struct {
	CertFile, KeyFile string
	Err               error
}

func (e *CertificateError) Error() string {
	return fmt.Sprintf("certificate %s with key %s: %v", e.CertFile, e.KeyFile, e.Err)
}
func (e *CertificateError) Unwrap() error { return e.Err }

// LoadCertificate reads a chain and its key, PEM each. Errors: *CertificateError, for
// files that can't be read, don't belong together or have expired.
func LoadCertificate(certFile, keyFile string) (tls.Certificate, error) {
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err == nil {
		err = current(cert.Leaf, time.Now())
	}
	if err != nil {
		return tls.Certificate{}, &CertificateError{CertFile: certFile, KeyFile: keyFile, Err: err}
	}
	return cert, nil
}

func current(leaf *x509.Certificate, now time.Time) error {
	switch {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("it expired on %s", leaf.NotAfter.Format(time.DateOnly))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("it is not valid before %s", leaf.NotBefore.Format(time.DateOnly))
	}
	return nil
}

// Covers says why a browser would not accept cert for host, a name or an address.
func Covers(cert tls.Certificate, host string) error { return cert.Leaf.VerifyHostname(host) }

// Fingerprint is the SHA-256 of the certificate as browsers show it: AA:BB:….
func Fingerprint(cert tls.Certificate) string {
	sum := sha256.Sum256(cert.Certificate[0])
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}

// SelfSigned is the certificate kept in path, one PEM file with its key, 0600. It is
// a leaf that signs nothing, for localhost, 127.0.0.1 and ::1 only, so that trusting
// it in a browser gives away no more than this machine's loopback interface. It is
// made when absent, damaged, readable by others or about to expire; made says so.
func SelfSigned(path string, now time.Time) (cert tls.Certificate, made bool, err error) {
	if cert, ok := KeptCertificate(path, now); ok {
		return cert, false, nil
	}
	text, err := newCertificate(now)
	if err != nil {
		return tls.Certificate{}, false, err
	}
	if err := atomicfile.Write(path, text); err != nil {
		return tls.Certificate{}, false, err
	}
	cert, err = tls.X509KeyPair(text, text)
	return cert, true, err
}

// KeptCertificate reads path; ok if what is there is still good, so that SelfSigned
// makes no other.
func KeptCertificate(path string, now time.Time) (cert tls.Certificate, ok bool) {
	info, err := os.Stat(path)
	if err != nil || !private(info) {
		return tls.Certificate{}, false
	}
	cert, err = tls.LoadX509KeyPair(path, path)
	if err != nil || !ours(cert.Leaf) || current(cert.Leaf, now) != nil {
		return tls.Certificate{}, false
	}
	return cert, cert.Leaf.NotAfter.Sub(now) >= renewAt
}

// private reports whether only its owner can read the file. Windows has no such bits;
// there the user's profile directory keeps others out.
func private(info fs.FileInfo) bool {
	return info.Mode().IsRegular() && (runtime.GOOS == "windows" || info.Mode().Perm()&0o077 == 0)
}

func ours(leaf *x509.Certificate) bool {
	for _, host := range []string{"localhost", "127.0.0.1", "::1"} {
		if leaf.VerifyHostname(host) != nil {
			return false
		}
	}
	return !leaf.IsCA
}

// newCertificate is a certificate and its key in PEM.
func newCertificate(now time.Time) ([]byte, error) {
	key, leaf, err := template(now)
	if err != nil {
		return nil, err
	}
	return sign(key, leaf)
}

func template(now time.Time) (*ecdsa.PrivateKey, *x509.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return key, &x509.Certificate{
		Subject:               pkix.Name{CommonName: "localhost", Organization: []string{"authctl on this machine"}},
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		NotBefore:             now.Add(-skew),
		NotAfter:              now.Add(certLife - skew),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, // and no CA
	}, err
}

func sign(key *ecdsa.PrivateKey, leaf *x509.Certificate) ([]byte, error) {
	der, err := x509.CreateCertificate(rand.Reader, leaf, leaf, key.Public(), key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...), nil
}
