package store

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/zalando/go-keyring"
)

// The Credential Manager of whoever runs the tests, with a service of the test's own.
func TestCredentialManager(t *testing.T) {
	ctx := context.Background()
	k := &Keychain{Service: "authctl-test-" + randomText(), Dir: t.TempDir()}
	t.Cleanup(func() { k.Delete(ctx, "work") })
	if err := k.Check(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Get(ctx, "work"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing is stored: got %v", err)
	}
	limit := k.ItemLimit("work")
	for _, c := range []struct {
		name  string
		bytes int
		files int
	}{
		{"small", 10, 0}, {"just fits", limit, 0}, {"one byte more", limit + 1, 1}, {"large", 64 << 10, 1}, {"small again", 10, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := bytes.Repeat([]byte("x"), c.bytes)
			if err := k.Create(ctx, "work", want); err != nil {
				t.Fatal(err)
			}
			if got, err := k.Get(ctx, "work"); err != nil || !bytes.Equal(got, want) {
				t.Errorf("got %d bytes, %v, want %d", len(got), err, len(want))
			}
			if err := k.Update(ctx, "work", append(want, 'y')); err != nil {
				t.Errorf("Update: %v", err)
			}
			if err := k.Create(ctx, "work", want); err != nil {
				t.Errorf("Create again: %v", err)
			}
			if files, err := os.ReadDir(k.Dir); err != nil || len(files) != c.files {
				t.Errorf("got files %v, %v, want %d", files, err, c.files)
			}
		})
	}
	// The limit is the system's own: one byte more is refused.
	err := keyring.Set(k.Service, "work", string(bytes.Repeat([]byte("x"), limit+1)))
	if !errors.Is(err, keyring.ErrSetDataTooBig) {
		t.Errorf("beyond the limit: got %v", err)
	}
	if err := k.Delete(ctx, "work"); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Get(ctx, "work"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("deleted: got %v", err)
	}
	if files, err := filepath.Glob(filepath.Join(k.Dir, "*")); err != nil || len(files) != 0 {
		t.Errorf("deleted: got %v, %v", files, err)
	}
}
