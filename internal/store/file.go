package store

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/authctl/authctl/internal/atomicfile"
)

// File keeps each secret in a sealed file under Dir, for a machine without a
// keychain. The key lies in KeyFile: who can read both reads the secrets.
type File struct {
	Dir     string // made 0700 when first needed
	KeyFile string // 32 bytes, readable by its owner only; MakeKey makes it
}

// Get returns the secret: fs.ErrNotExist when nothing is stored. A key file that is
// missing while something is stored is ErrKeyFile.
func (f *File) Get(ctx context.Context, name string) ([]byte, error) {
	secret, err := f.read(ctx, name)
	return secret, fail("reading", name, err)
}

// Create stores a secret, in place of the one that is there.
func (f *File) Create(ctx context.Context, name string, secret []byte) error {
	return fail("saving", name, f.write(ctx, name, secret))
}

// Update is Create: a sealed file is replaced as a whole either way.
func (f *File) Update(ctx context.Context, name string, secret []byte) error {
	return f.Create(ctx, name, secret)
}

// Delete removes the secret. That nothing is stored is no error.
func (f *File) Delete(_ context.Context, name string) error {
	return fail("deleting", name, sweep(f.Dir, filePrefix("file", name), ""))
}

// Check proves that a secret can be stored, read and deleted, with one of its own
// that is gone afterwards.
func (f *File) Check(ctx context.Context) error {
	name, secret := ".check-"+randomText(), bytes.Repeat([]byte("probe "), 4<<10)
	err := f.write(ctx, name, secret)
	if err == nil {
		_, err = f.read(ctx, name) // sealed: it is what was written, or an error
	}
	return fail("checking", "", errors.Join(err, sweep(f.Dir, filePrefix("file", name), "")))
}

// Ready reports whether Update is going to work now: there is a key, and room.
func (f *File) Ready(_ context.Context, name string) error {
	if _, err := readKey(f.KeyFile); err != nil {
		return fail("checking", name, err)
	}
	return fail("checking", name, probeSealed(f.Dir, filePrefix("file", name)))
}

func (f *File) read(ctx context.Context, name string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	key, err := readKey(f.KeyFile)
	if err != nil {
		return nil, err
	}
	return unseal(key, name, data)
}

func (f *File) write(ctx context.Context, name string, secret []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	key, err := readKey(f.KeyFile)
	if err != nil {
		return err
	}
	data, err := seal(key, name, secret)
	if err != nil {
		return err
	}
	if err := atomicfile.Write(f.path(name), data); err != nil {
		return err
	}
	// The secret is stored. Remains that can't be removed now are at the next write.
	_ = sweep(f.Dir, filePrefix("file", name), filepath.Base(f.path(name)))
	return nil
}

func (f *File) path(name string) string {
	return filepath.Join(f.Dir, filePrefix("file", name)+"sealed")
}
