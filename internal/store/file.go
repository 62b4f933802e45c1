package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/authctl/authctl/internal/atomicfile"
)

// File keeps each secret in a sealed file under Dir, for a machine without a
// keychain. The key lies in KeyFile, where who can read both reads the secrets, or is
// locked by a passphrase.
type File struct {
	Dir        string      // made 0700 when first needed
	KeyFile    string      // 32 bytes, readable by its owner only; MakeKey makes it
	Passphrase *Passphrase // counts where there is no KeyFile; its Dir is this one
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

// Delete removes the secret. That nothing is stored is no error. With the last secret the
// kernel forgets a passphrase's key, which opens nothing any more.
func (f *File) Delete(_ context.Context, name string) error {
	err := sweep(f.Dir, filePrefix("file", name), "")
	if left, unread := files(f.Dir, "file~"); err == nil && unread == nil && len(left) == 0 {
		(&Passphrase{Dir: f.Dir}).Forget()
	}
	return fail("deleting", name, err)
}

// Check proves that there is a key, and that a secret of some size can be written.
func (f *File) Check(ctx context.Context) error {
	_, err := f.key(ctx, true)
	if err == nil {
		err = atomicfile.Probe(f.path(".check"), 32<<10) // no secret's name begins with a dot
	}
	return fail("checking", "", err)
}

// Ready reports whether Update is going to work now: there is a key, and room.
func (f *File) Ready(ctx context.Context, name string) error {
	_, err := f.key(ctx, false)
	if err == nil {
		err = probeSealed(f.Dir, filePrefix("file", name))
	}
	return fail("checking", name, err)
}

// key is what the secrets are sealed with. choose lets a passphrase be chosen if there is
// none yet.
func (f *File) key(ctx context.Context, choose bool) ([]byte, error) {
	if f.KeyFile != "" {
		return readKey(f.KeyFile)
	}
	return f.Passphrase.get(ctx, choose)
}

// knownKey is the key where nobody has to be asked for it.
func (f *File) knownKey() ([]byte, error) {
	if f.KeyFile != "" {
		return readKey(f.KeyFile)
	}
	return f.Passphrase.known()
}

func (f *File) read(ctx context.Context, name string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	data, err := atomicfile.Read(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	key, err := f.key(ctx, false)
	if err != nil {
		return nil, err
	}
	secret, err := unseal(key, name, data)
	if err != nil {
		if data, kept := atomicfile.Read(f.earlier(name)); kept == nil {
			if ours, kept := unseal(key, name, data); kept == nil {
				return ours, nil
			}
		}
	}
	return secret, err
}

func (f *File) write(ctx context.Context, name string, secret []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	key, err := f.key(ctx, true)
	if err != nil {
		return err
	}
	data, err := seal(key, name, secret)
	if err != nil {
		return err
	}
	if !opens(key, name, f.path(name)) {
		if opens(key, name, f.earlier(name)) {
			return atomicfile.Write(f.earlier(name), data)
		}
		if err := f.keepEarlier(name); err != nil {
			return err
		}
	}
	return atomicfile.Write(f.path(name), data)
}

// keepEarlier keeps what another key has sealed, which that key goes on to open until
// Settle: a login that is on its way to another key file may yet come to nothing, or the
// two keys are those of two environments, until one of them signs out or moves.
func (f *File) keepEarlier(name string) error {
	data, err := atomicfile.Read(f.path(name))
	if err != nil {
		return nil // nothing that could be kept
	}
	return atomicfile.Write(f.earlier(name), data)
}

// TakeBack undoes a Create: what another key had sealed is back, if there was any.
func (f *File) TakeBack(ctx context.Context, name string) error {
	if os.Rename(f.earlier(name), f.path(name)) == nil {
		return nil
	}
	return f.Delete(ctx, name)
}

// Settle leaves of the secret what our key opens: it forgets what another has sealed, or
// takes back what one that came to nothing has written. It asks nobody for the key, and
// without it nothing is settled.
func (f *File) Settle(name string) error {
	if _, err := os.Lstat(f.earlier(name)); err != nil {
		return nil // as a rule
	}
	key, err := f.knownKey()
	switch {
	case err != nil:
	case opens(key, name, f.path(name)):
		err = os.Remove(f.earlier(name))
	case opens(key, name, f.earlier(name)):
		err = os.Rename(f.earlier(name), f.path(name))
	}
	return fail("deleting", name, err)
}

// opens reports whether the file at path is the secret, sealed with the key.
func opens(key []byte, name, path string) bool {
	data, err := atomicfile.Read(path)
	if err == nil {
		_, err = unseal(key, name, data)
	}
	return err == nil
}

func (f *File) earlier(name string) string { return f.path(name) + "-earlier" }

func (f *File) path(name string) string {
	return filepath.Join(f.Dir, filePrefix("file", name)+"sealed")
}
