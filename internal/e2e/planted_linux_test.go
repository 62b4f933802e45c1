package e2e

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/authctl/authctl/internal/idp"
)

func toTheKernel(secret string) error {
	_, err := unix.AddKey("user", "planted", []byte(secret), unix.KEY_SPEC_PROCESS_KEYRING)
	return err
}

// A scan that finds nothing proves nothing unless it would have found it: in each place,
// as it is and in base64.
func TestPlantedSecretsAreFound(t *testing.T) {
	const planted = "planted/secret+with=0123456789"
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for place := range leaks {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			for _, text := range []string{planted, base64.RawURLEncoding.EncodeToString([]byte("xx" + planted))} {
				l := newLife(newUser(t), demoProvider(t, idp.Options{}))
				l.secrets.Add("planted", planted)
				program := filepath.Join(t.TempDir(), "authctl")
				if err := os.Symlink(binary, program); err != nil {
					t.Fatal(err)
				}
				l.ended(l.watch([]string{leakVar + "=" + place}, strings.NewReader(text), program), 0, "leak")
				kind, _, _ := strings.Cut(place, ";")
				if !slices.ContainsFunc(l.findings, func(f string) bool { return strings.HasPrefix(f, kind) }) {
					t.Errorf("found %q, want %s", l.findings, place)
				}
			}
		})
	}
}
