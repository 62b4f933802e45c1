package callback

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io/fs"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// certificate is a self-signed one, and the configuration of a browser that trusts it.
func certificate(t testing.TB) (*tls.Certificate, *tls.Config) {
	t.Helper()
	cert, _, err := SelfSigned(filepath.Join(t.TempDir(), "localhost.pem"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return &cert, trusting(cert)
}

func trusting(cert tls.Certificate) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	return &tls.Config{RootCAs: roots}
}

func TestSelfSignedIsALeafForLoopbackOnly(t *testing.T) {
	cert, _ := certificate(t)
	leaf := cert.Leaf
	if leaf.IsCA || !leaf.BasicConstraintsValid || leaf.KeyUsage != x509.KeyUsageDigitalSignature {
		t.Errorf("CA %t, constraints %t, usage %b", leaf.IsCA, leaf.BasicConstraintsValid, leaf.KeyUsage)
	}
	if want := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}; !slices.Equal(leaf.ExtKeyUsage, want) {
		t.Errorf("extended usage %v, want %v", leaf.ExtKeyUsage, want)
	}
	if len(leaf.DNSNames) != 1 || len(leaf.IPAddresses) != 2 {
		t.Errorf("names %v %v", leaf.DNSNames, leaf.IPAddresses)
	}
	if life := leaf.NotAfter.Sub(leaf.NotBefore); life > 366*24*time.Hour || life < 364*24*time.Hour {
		t.Errorf("valid for %v", life)
	}
	if leaf.SerialNumber.BitLen() < 64 {
		t.Errorf("serial number %v", leaf.SerialNumber)
	}
	for host, want := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "::1": true, "[::1]": true,
		"example.com": false, "a.localhost": false, "127.0.0.2": false,
	} {
		if err := Covers(*cert, host); (err == nil) != want {
			t.Errorf("covers %s: got %v, want %t", host, err, want)
		}
	}
}

func TestSelfSignedIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "localhost.pem")
	now := time.Now()
	day := 24 * time.Hour
	first, made, err := SelfSigned(path, now)
	if err != nil || !made {
		t.Fatalf("made %t, %v", made, err)
	}
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := newCertificate(now)
	certOnly, _, _ := bytes.Cut(sound, []byte("-----BEGIN PRIVATE"))
	_, otherKey, _ := bytes.Cut(other, []byte("-----BEGIN PRIVATE"))
	mixed := slices.Concat(certOnly, []byte("-----BEGIN PRIVATE"), otherKey)

	for _, c := range []struct {
		name string
		text []byte
		mode fs.FileMode
		now  time.Time
		made bool
	}{
		{"a minute later", sound, 0o600, now.Add(time.Minute), false},
		{"before its last 30 days", sound, 0o600, now.Add(334 * day), false},
		{"read-only", sound, 0o400, now, false},
		{"in its last 30 days", sound, 0o600, now.Add(336 * day), true},
		{"expired", sound, 0o600, now.Add(400 * day), true},
		{"not yet valid", sound, 0o600, now.Add(-2 * time.Hour), true},
		{"empty", nil, 0o600, now, true},
		{"cut short", sound[:len(sound)-40], 0o600, now, true},
		{"no key", certOnly, 0o600, now, true},
		{"another's key", mixed, 0o600, now, true},
		{"readable by the group", sound, 0o640, now, runtime.GOOS != "windows"},
		{"readable by all", sound, 0o604, now, runtime.GOOS != "windows"},
		{"another certificate", foreign(t, "example.com", false), 0o600, now, true},
		{"an authority", foreign(t, "localhost", true), 0o600, now, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			os.Remove(path)
			if err := os.WriteFile(path, c.text, c.mode); err != nil {
				t.Fatal(err)
			}
			os.Chmod(path, c.mode) // whatever the umask
			cert, made, err := SelfSigned(path, c.now)
			if err != nil {
				t.Fatal(err)
			}
			if made != c.made || (Fingerprint(cert) == Fingerprint(first)) == c.made {
				t.Errorf("made %t, want %t", made, c.made)
			}
			again, made, err := SelfSigned(path, c.now)
			if err != nil || made || Fingerprint(again) != Fingerprint(cert) {
				t.Errorf("again: made %t, %v", made, err)
			}
		})
	}
}

// foreign is a PEM file as an older version or a person might have left it.
func foreign(t *testing.T, name string, authority bool) []byte {
	t.Helper()
	key, leaf, err := template(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	leaf.DNSNames, leaf.IsCA = []string{name}, authority
	text, err := sign(key, leaf)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestSelfSignedWithoutAPlace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, made, err := SelfSigned(filepath.Join(file, "localhost.pem"), time.Now()); err == nil || made {
		t.Errorf("made %t, %v", made, err)
	}
}

func TestLoadCertificate(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	now := time.Now()
	text, _ := newCertificate(now)
	old, _ := newCertificate(now.Add(-2 * certLife))
	soon, _ := newCertificate(now.Add(48 * time.Hour))
	other, _ := newCertificate(now)
	sound := write("sound.pem", text)
	for _, c := range []struct{ name, cert, key, want string }{
		{"sound", sound, sound, ""},
		{"no such file", filepath.Join(dir, "none.pem"), sound, "no such file|cannot find|File not found"},
		{"no such key", sound, filepath.Join(dir, "none.pem"), "no such file|cannot find|File not found"},
		{"no PEM", write("text", []byte("hello")), sound, "PEM"},
		{"no key in it", sound, write("cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE"})), "PEM"},
		{"another's key", sound, write("other.pem", other), "does not match"},
		{"expired", write("old.pem", old), write("old.key", old), "expired on"},
		{"not valid yet", write("soon.pem", soon), write("soon.key", soon), "not valid before"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cert, err := LoadCertificate(c.cert, c.key)
			if c.want == "" {
				if err != nil || Covers(cert, "localhost") != nil {
					t.Fatalf("got %v", err)
				}
				return
			}
			var bad *CertificateError
			if !errors.As(err, &bad) || bad.CertFile != c.cert || bad.KeyFile != c.key {
				t.Fatalf("got %v, want a *CertificateError", err)
			}
			if !regexp.MustCompile(c.want).MatchString(err.Error()) {
				t.Errorf("got %q, want %q in it", err, c.want)
			}
		})
	}
}

func TestFingerprint(t *testing.T) {
	// SHA-256 of "abc", FIPS 180-2 appendix B.1
	cert := tls.Certificate{Certificate: [][]byte{[]byte("abc")}}
	got := Fingerprint(cert)
	want, _ := hex.DecodeString("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
	if plain, _ := hex.DecodeString(strings.ReplaceAll(got, ":", "")); !bytes.Equal(plain, want) || !strings.HasPrefix(got, "BA:78:16:") {
		t.Errorf("got %s", got)
	}
}

// TestTLS: a browser that trusts the certificate gets through at every name; one that
// doesn't, or speaks an old version or none, changes nothing and is not complained of.
func TestTLS(t *testing.T) {
	cert, roots := certificate(t)
	var complaints bytes.Buffer
	log.SetOutput(&complaints)
	defer log.SetOutput(os.Stderr)
	for _, host := range []string{"localhost", "127.0.0.1", "[::1]"} {
		t.Run(host, func(t *testing.T) {
			g := begin(t, "https://"+host+"/callback", cert)
			right := g.RedirectURI() + "?code=abc&state=" + state
			for name, config := range map[string]*tls.Config{
				"distrustful": nil,
				"old":         {RootCAs: roots.RootCAs, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
			} {
				if resp, err := client(config).Get(right); err == nil {
					t.Errorf("the %s browser got %s", name, resp.Status)
				}
			}
			if a := g.send(t, "GET /callback?code=abc&state=STATE HTTP/1.1\nHost: HOST\n\n"); a.StatusCode != http.StatusBadRequest {
				t.Errorf("without TLS: %s, want 400", a.Status)
			}
			g.nothing(t)
			a := get(t, client(roots), right)
			if a.StatusCode != http.StatusSeeOther || a.ProtoMajor != 1 {
				t.Errorf("got %s %s, want HTTP/1.1 303", a.Proto, a.Status)
			}
			if got := g.response(t).Params.Get("code"); got != "abc" {
				t.Errorf("got code %q", got)
			}
		})
	}
	if complaints.Len() > 0 {
		t.Errorf("complaints: %s", &complaints)
	}
}
