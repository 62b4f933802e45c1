package store

import (
	"bytes"
	"context"
	"errors"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/authctl/authctl/internal/keychaintest"
)

// secretStore is what both stores do.
type secretStore interface {
	Get(ctx context.Context, name string) ([]byte, error)
	Create(ctx context.Context, name string, secret []byte) error
	Update(ctx context.Context, name string, secret []byte) error
	Delete(ctx context.Context, name string) error
	Check(ctx context.Context) error
	Ready(ctx context.Context, name string) error
}

// limitFiles lets no file of this process grow over size bytes, as a full disk would.
func limitFiles(t *testing.T, size uint64) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: size}))
}

// Where there is no room, Ready and Check say so before, and the old secret stays.
func TestFullDisk(t *testing.T) {
	const small, large = "the old secret, sealed", 64 << 10
	for _, tc := range []struct {
		name string
		open func(t *testing.T) (s secretStore, dir string)
	}{
		{"file", func(t *testing.T) (secretStore, string) { f := fileStore(t); return f, f.Dir }},
		{"keychain", func(t *testing.T) (secretStore, string) { k := keychain(t, 10); return k, k.Dir }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if !inside(t, keychaintest.Unlocked) {
				return
			}
			ctx := t.Context()
			s, dir := tc.open(t)
			must(t, s.Create(ctx, "work", []byte(small)))
			must(t, s.Create(ctx, "large", bytes.Repeat([]byte("x"), large)))
			before := entries(t, dir)
			limitFiles(t, large)
			must(t, s.Ready(ctx, "work"))
			for op, err := range map[string]error{
				"Ready":  s.Ready(ctx, "large"),
				"Create": s.Create(ctx, "work", bytes.Repeat([]byte("y"), large)),
				"Update": s.Update(ctx, "work", bytes.Repeat([]byte("y"), large)),
			} {
				if !errors.Is(err, syscall.EFBIG) || strings.Contains(err.Error(), "yyy") {
					t.Errorf("%s: got %v, want EFBIG", op, err)
				}
			}
			if got, err := s.Get(ctx, "work"); err != nil || string(got) != small {
				t.Errorf("Get: got %d bytes, %v, want the old secret", len(got), err)
			}
			if after := entries(t, dir); strings.Join(after, " ") != strings.Join(before, " ") {
				t.Errorf("got %v, want %v", after, before)
			}
			must(t, s.Delete(ctx, "large")) // forgetting needs no room
		})
	}
}
