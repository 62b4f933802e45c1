package store

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"strings"
	"testing"
)

// What macOS's `security` ends with is told apart on every system, since no other has it.
func TestClassifySecurity(t *testing.T) {
	failed := errors.New("exit status")
	for _, c := range []struct {
		name   string
		status int
		want   error
	}{
		{"not found", 44, fs.ErrNotExist},
		{"locked, over SSH", 36, ErrLocked},
		{"somebody would have to be asked", 29, ErrLocked},
		{"a wrong password", 51, ErrLocked},
		{"cancelled", 128, ErrLocked},
		{"no default keychain", 37, ErrAbsent},
		{"no such keychain", 50, ErrAbsent},
		{"none available", 53, ErrAbsent},
		{"a duplicate", securityDuplicate, failed},
		{"something else", 1, failed},
		{"no exit status", 0, failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := classifySecurity(c.status, failed)
			for _, kind := range []error{fs.ErrNotExist, ErrLocked, ErrAbsent} {
				if errors.Is(got, kind) != (kind == c.want) {
					t.Errorf("got %v, want %v", got, c.want)
				}
			}
			if c.want != fs.ErrNotExist && !errors.Is(got, failed) {
				t.Errorf("got %v, which doesn't say what failed", got)
			}
		})
	}
	if classifySecurity(0, nil) != nil {
		t.Error("got an error for none")
	}
}

// A secret of the most bytes goes through `security -i`, whose lines end before 4,096.
func TestSecurityLimit(t *testing.T) {
	for _, name := range []string{"w", "work", strings.Repeat("w", 64) + "@0123456789abcdef/client-secret"} {
		limit := securityLimit("authctl", name)
		secret := base64.StdEncoding.EncodeToString(make([]byte, limit))
		line := "add-generic-password -U -s authctl -a " + name + " -w go-keyring-base64:" + secret + "\n"
		if len(line) >= 4096 || limit < 2500 {
			t.Errorf("%d bytes as %q: a line of %d bytes", limit, name, len(line))
		}
	}
}
