package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/authctl/authctl/internal/config"
)

// A certificate for another host is used as it is given, and said to be one.
func TestCertificateOfAnotherHost(t *testing.T) {
	for _, c := range []struct {
		name, host string
		warns      bool
	}{
		{"the host of the redirect URI", "localhost", false},
		{"another", "callback.example", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := certificateFor(t, c.host)
			var stderr bytes.Buffer
			cmd := new(cobra.Command)
			cmd.SetErr(&stderr)
			p := &profile{Profile: config.Profile{RedirectURI: "https://localhost:9000/callback", TLSCert: file, TLSKey: file}}
			if _, err := (&signIn{cmd: cmd, profile: p}).certificate(); err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(stderr.String(), "warning"); got != c.warns {
				t.Errorf("got %q, want a warning: %v", stderr.String(), c.warns)
			}
		})
	}
}

// certificateFor is a file with a self-signed certificate and its key.
func certificateFor(t *testing.T, host string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{host}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
	file := filepath.Join(t.TempDir(), "tls.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
