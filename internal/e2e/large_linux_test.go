package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/idp"
)

// Some providers put a person's groups into their tokens. Whatever the size, a secret
// comes back as it was, and no file holds it in the clear.
func TestLargeTokens(t *testing.T) {
	for _, tc := range []struct {
		name, store string
		bytes       int
		sealed      bool // a file holds the secret
	}{
		{"an item of the keychain", "keychain", 15 << 10, false},
		{"too large for an item", "keychain", 64 << 10, true},
		{"a file", "file", 64 << 10, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			p := u.signIn(idp.Options{TokenBytes: tc.bytes}, u.storeFlags(tc.store)...)
			issued := func(token string) bool {
				for _, secret := range p.Secrets() {
					if secret+"\n" == token {
						return true
					}
				}
				return false
			}
			first := u.must("token")
			if len(first) < tc.bytes || !issued(first) {
				t.Fatalf("token: got %d characters, want what the provider issued", len(first))
			}
			before := u.sealedFiles(tc.store)
			var second string
			calls := watch(t, u.bus, func() { second = u.must("token", "--refresh") })
			after := u.sealedFiles(tc.store)
			if second == first || !issued(second) || u.must("token") != second {
				t.Errorf("renewed: got %d characters, want what the provider issued, and to keep", len(second))
			}
			if tc.sealed {
				if len(before) != 1 || len(after) != 1 || calls["CreateItem"] != 0 {
					t.Fatalf("a renewal: %d files became %d, with %d writes to the keychain, want one file rewritten, and no write",
						len(before), len(after), calls["CreateItem"])
				}
				for name, content := range before {
					if got, ok := after[name]; !ok || bytes.Equal(got, content) {
						t.Errorf("%s: not rewritten in place", name)
					}
				}
			} else if len(before)+len(after) != 0 || calls["CreateItem"] != 1 {
				t.Errorf("a renewal: got %d files and %d writes to the keychain, want none and 1", len(after), calls["CreateItem"])
			}
			u.noFileHolds(p.Secrets()...)
			u.must("logout")
			if left := u.sealedFiles(tc.store); len(left) != 0 {
				t.Errorf("after logout: %d sealed files are left", len(left))
			}
		})
	}
}

// sealedFiles are the files that a store keeps, by name.
func (u *user) sealedFiles(store string) map[string][]byte {
	u.t.Helper()
	found := map[string][]byte{}
	paths, err := filepath.Glob(u.stateFile(store, "*"))
	if err != nil {
		u.t.Fatal(err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			u.t.Fatal(err)
		}
		if !strings.HasPrefix(string(content), "authctl sealed") {
			u.t.Errorf("%s is no sealed file", path)
		}
		found[filepath.Base(path)] = content
	}
	return found
}
