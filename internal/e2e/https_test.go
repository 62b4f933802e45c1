package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/security"
	"github.com/chromedp/chromedp"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/need"
)

const fingerprintPattern = `(?:[0-9A-F]{2}:){31}[0-9A-F]{2}`

// A user who never trusted the certificate: Chromium warns, they compare the
// fingerprint with the one that authctl printed, and go on.
func TestChromiumWarnsOfTheCertificate(t *testing.T) {
	t.Parallel()
	p := panvaProvider(t)
	w, u := newWindow(t), newUser(t)
	redirect := "https://localhost:" + p.httpsPort + "/callback"
	login, asked := u.login("--issuer", p.issuer, "--client-id", "web", "--redirect-uri", redirect)
	if got := redirectURI(t, asked); got != redirect {
		t.Errorf("redirect URI: got %q, want %q", got, redirect)
	}
	w.atPanva(asked)
	w.do(chromedp.WaitVisible(chromedp.CSS("#details-button")))
	printed := login.stderr.await(t, fingerprintPattern)[0]
	if got := w.certificate(); got != printed {
		t.Errorf("the browser's certificate is %s, authctl printed %s", got, printed)
	}
	w.do(click("#details-button"), click("#proceed-link"))
	got := w.lastPage()
	if code := login.wait(); code != 0 || !strings.Contains(got.title, account) {
		t.Errorf("got exit %d and the page %q, want 0 and one that names %s\n%s", code, got.title, account, login.stderr)
	}
	if strings.Contains(login.stderr.String(), "TLS") {
		t.Errorf("the server's complaints are on stderr:\n%s", login.stderr)
	}
	u.must("token")
}

// A user who put the certificate, or its issuer, into the browser's own store first
// is not warned.
func TestChromiumTrustsTheCertificate(t *testing.T) {
	for _, tc := range []struct {
		name  string
		flags func(t testing.TB, u *user) (flags []string, trusted string)
		trust string // certutil's word for it
	}{
		{"authctl's own", ownCertificate, "P,,"},
		{"from --tls-cert", issuedCertificate, "C,,"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			need.Program(t, "certutil")
			u := newUser(t)
			flags, trusted := tc.flags(t, u)
			w := ownChromium(t, chromedp.Env("HOME="+trustingHome(t, trusted, tc.trust)))
			redirect := "https://localhost:" + freePort(t) + "/callback"
			p := demoProvider(t, idp.Options{RedirectURIs: []string{redirect}})
			login, asked := u.login(append(flags, "--issuer", p.Issuer(), "--client-id", "demo", "--redirect-uri", redirect)...)
			w.atDemo(asked)
			got := w.lastPage()
			if code := login.wait(); code != 0 || !strings.Contains(got.title, account) {
				t.Errorf("got exit %d and the page %q, want 0 and one that names %s\n%s", code, got.title, account, login.stderr)
			}
		})
	}
}

// certificate is the fingerprint of the one that the page came with, or that the
// browser warns of.
func (w *window) certificate() string {
	w.t.Helper()
	state := read(w, chromedp.WaitEvent(security.VisibleSecurityStateChanged, hasCertificate, watchSecurity))
	der, err := base64.StdEncoding.DecodeString(state.VisibleSecurityState.CertificateSecurityState.Certificate[0])
	if err != nil {
		w.t.Fatal(err)
	}
	return fingerprint(der)
}

func hasCertificate(e security.EventVisibleSecurityStateChanged) bool {
	cert := e.VisibleSecurityState.CertificateSecurityState
	return cert != nil && len(cert.Certificate) > 0
}

func watchSecurity(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
	_, err := cdp.Call(ctx, t, security.Enable, cdp.Empty{})
	return chromedp.Void{}, err
}

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}

// trustingHome is a home whose NSS store, which Chromium reads, trusts a certificate.
func trustingHome(t testing.TB, certFile, trust string) string {
	t.Helper()
	home := t.TempDir()
	db := filepath.Join(home, ".pki", "nssdb")
	if err := os.MkdirAll(db, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"-N", "--empty-password"},
		{"-A", "-n", "authctl", "-t", trust, "-i", certFile},
	} {
		args = append([]string{args[0], "-d", "sql:" + db}, args[1:]...)
		if out, err := exec.Command("certutil", args...).CombinedOutput(); err != nil {
			t.Fatalf("certutil %v: %v\n%s", args, err, out)
		}
	}
	return home
}

// ownCertificate is the one that authctl made at an earlier login, which nobody
// completed.
func ownCertificate(t testing.TB, u *user) (flags []string, trusted string) {
	redirect := "https://localhost:" + freePort(t) + "/callback"
	p := demoProvider(t, idp.Options{RedirectURIs: []string{redirect}})
	login, _ := u.login("--issuer", p.Issuer(), "--client-id", "demo", "--redirect-uri", redirect)
	login.cmd.Process.Signal(os.Interrupt)
	login.wait()
	return nil, filepath.Join(u.home, "state", "authctl", "tls", "localhost.pem")
}

// issuedCertificate is a certificate for localhost by an authority of the user's own.
func issuedCertificate(t testing.TB, u *user) (flags []string, trusted string) {
	t.Helper()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a test's own authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	authorityKey, key := newKey(t), newKey(t)
	file := func(name, kind string, der []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(u.home, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	der, err := x509.CreateCertificate(rand.Reader, authority, authority, authorityKey.Public(), authorityKey)
	trusted = file("ca.pem", "CERTIFICATE", der, err)
	der, err = x509.CreateCertificate(rand.Reader, leaf, authority, key.Public(), authorityKey)
	certFile := file("cert.pem", "CERTIFICATE", der, err)
	der, err = x509.MarshalPKCS8PrivateKey(key)
	return []string{"--tls-cert", certFile, "--tls-key", file("key.pem", "PRIVATE KEY", der, err)}, trusted
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
