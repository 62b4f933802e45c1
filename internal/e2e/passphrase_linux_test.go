package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/keychaintest"
	"github.com/authctl/authctl/internal/need"
)

// passphrase is what locks the file store of whoever chooses one.
const passphrase = "correct horse battery staple"

// choosesPassphrase signs in at a terminal, to have one asked for, and returns the store's
// key: the kernel has it until the test ends.
func (u *user) choosesPassphrase(p *idp.Server, flags ...string) (key string) {
	u.t.Helper()
	if _, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_USER_KEYRING, true); err != nil {
		need.Missing(u.t, "the kernel's keyring")
	}
	s := u.terminal(append([]string{"login", "--issuer", p.Issuer(), "--client-id", "demo", "--browser", robotBrowser(), "--store", "file"}, flags...)...)
	for _, question := range []string{`Choose a passphrase \(it isn't shown\): `, `The same again: `} {
		s.screen.await(u.t, question)
		s.typing(passphrase + "\r")
	}
	if code := s.exit(); code != 0 {
		u.t.Fatalf("login: exit %d\n%s", code, s.screen)
	}
	s.hides(passphrase)
	return u.kernelKey()
}

// Whatever is there in place of a keychain, the hint is a line for whoever reads it: a
// person at a terminal can give a passphrase, and all else needs a key file.
func TestHintWithoutAKeychain(t *testing.T) {
	for name, mode := range map[string]keychaintest.Mode{
		"no bus": keychaintest.NoBus, "no service": keychaintest.NoService, "no keyring": keychaintest.Empty, "locked": keychaintest.Locked,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUserWith(t, keychaintest.Open(t, mode))
			login := []string{"login", "--issuer", "http://127.0.0.1:1", "--client-id", "demo", "--no-browser"}
			s := u.terminal(login...)
			if code := s.exit(); code != 5 || !strings.Contains(s.screen.String(), ", with a passphrase: the same command with --store file\r\n") {
				t.Errorf("at a terminal: exit %d, want 5 and the passphrase:\n%s", code, s.screen)
			}
			p := u.start(nil, login...)
			if code := p.wait(); code != 5 || !strings.HasSuffix(p.stderr.String(), ": the same command with --store file --store-key-file FILE\n") {
				t.Errorf("without: exit %d, want 5 and the key file:\n%s", code, p.stderr)
			}
		})
	}
}

// kernelKey reads the key of the user's file store out of the kernel.
func (u *user) kernelKey() string {
	u.t.Helper()
	text, err := os.ReadFile(u.stateFile("file", "passphrase.json"))
	if err != nil {
		u.t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	id, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", "authctl:"+hex.EncodeToString(sum[:16]), 0)
	if err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(func() { unix.KeyctlInt(unix.KEYCTL_INVALIDATE, id, 0, 0, 0) })
	key := make([]byte, 32)
	if n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, key, 0); err != nil || n != len(key) {
		u.t.Fatalf("the kernel's key: got %d bytes, %v", n, err)
	}
	return string(key)
}
