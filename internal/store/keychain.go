package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"time"
)

// Keychain keeps secrets in the operating system's keychain, as items of one
// service. What an item can't hold is sealed into a file under Dir, and the item
// holds the file's name and key. It is not to be copied.
type Keychain struct {
	Service string                   // the items' service; a secret's name is its item's account
	Dir     string                   // where sealed files go; made 0700 when first needed
	Limit   int                      // the most bytes that an item may hold; 0 means the platform's limit
	Getenv  func(name string) string // the environment in which to look for the session bus; not needed on macOS and Windows

	// Prompt says that a person is there to answer an unlock dialog. It is called
	// before they are waited for, which then lasts as long as the context. Nil:
	// nobody is there, and a locked keychain is ErrLocked at once.
	Prompt func()

	silent atomic.Bool // it did not answer the last time
	idle   link        // what is kept between two calls
}

// How long one call waits for a keychain. A slow one takes 2 s to unlock and is
// asked to do so five times by Check, so less would take it for a dead one.
const (
	patience   = 13 * time.Second
	impatience = 250 * time.Millisecond // once it has kept silent for that long: ten times what a healthy one takes
	farewell   = time.Second            // to clean up after who gave up
)

// Get returns the secret: fs.ErrNotExist when nothing is stored.
func (k *Keychain) Get(ctx context.Context, name string) ([]byte, error) {
	var secret []byte
	err := k.patiently("reading", name, func(deadline time.Time) (err error) {
		secret, err = k.get(ctx, deadline, name)
		return err
	})
	return secret, err
}

// Create stores a secret, in place of the one that is there. The item is the
// commit: before it the old secret is whole, after it the new one.
func (k *Keychain) Create(ctx context.Context, name string, secret []byte) error {
	return k.do(ctx, "saving", name, func(ctx context.Context) error {
		return doubtful(k.create(ctx, name, secret))
	})
}

// Update stores a secret in place of the one that is there. Where it has to be sealed
// again, only its file is rewritten: that rename is the commit.
func (k *Keychain) Update(ctx context.Context, name string, secret []byte) error {
	return k.do(ctx, "saving", name, func(ctx context.Context) error {
		if k.fits(name, secret) {
			return doubtful(k.create(ctx, name, secret))
		}
		text, err := k.item(ctx, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		item, sealed, err := parseItem(name, text)
		if err != nil || !sealed {
			return doubtful(k.create(ctx, name, secret))
		}
		return k.writeSealed(item, name, secret)
	})
}

// TakeBack undoes a Create over what could not be read.
func (k *Keychain) TakeBack(ctx context.Context, name string) error { return k.Delete(ctx, name) }

// Delete removes the secret and every file of it. That nothing is stored is no error.
func (k *Keychain) Delete(ctx context.Context, name string) error {
	return k.do(ctx, "deleting", name, func(ctx context.Context) error {
		return k.remove(ctx, name)
	})
}

// Check proves that a secret can be stored, read and deleted, with one of its own
// that is gone afterwards. Where items are small it is sealed, as tokens will be.
func (k *Keychain) Check(ctx context.Context) error {
	name := checkPrefix + randomText()
	return k.do(ctx, "checking", "", func(ctx context.Context) error {
		// A read goes before the first write of a process, or gnome-keyring may abort.
		if _, err := k.item(ctx, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		k.sweepChecks(ctx)
		secret := bytes.Repeat([]byte("probe "), 200)
		if limit := k.ItemLimit(name); limit < 64<<10 {
			secret = bytes.Repeat([]byte("p"), limit+1)
		}
		k.mark(name)
		err := k.create(ctx, name, secret)
		if err == nil {
			err = k.compare(ctx, name, secret)
		}
		return errors.Join(err, k.cleanUp(ctx, name, err))
	})
}

// Ready reports whether Update is going to work now, as far as that can be known
// without writing to the keychain: it is unlocked, and where the secret is sealed
// there is room for its file.
func (k *Keychain) Ready(ctx context.Context, name string) error {
	return k.patiently("checking", name, func(deadline time.Time) error {
		if err := k.ready(ctx, deadline); err != nil {
			return err
		}
		return probeSealed(k.Dir, filePrefix("keychain", name))
	})
}

// do runs f on a keychain that is there and unlocked.
func (k *Keychain) do(ctx context.Context, op, name string, f func(context.Context) error) error {
	return k.patiently(op, name, func(deadline time.Time) error { return k.attempt(ctx, deadline, f) })
}

// patiently runs attempt, and once more when the keychain's service ended meanwhile: the
// bus may have started another.
func (k *Keychain) patiently(op, name string, attempt func(deadline time.Time) error) error {
	wait := patience
	if k.silent.Load() {
		wait = impatience
	}
	deadline := time.Now().Add(wait)
	err := attempt(deadline)
	if errors.Is(err, errVanished) {
		err = retried(err, attempt(deadline))
	}
	k.silent.Store(errors.Is(err, ErrTimeout))
	return fail(op, name, err)
}

// retried is what two attempts come to: a doubt of the first is dispelled by success alone.
func retried(first, second error) error {
	if second != nil && errors.Is(first, ErrInDoubt) && !errors.Is(second, ErrInDoubt) {
		return fmt.Errorf("%w; %w", second, ErrInDoubt)
	}
	return second
}

func (k *Keychain) attempt(ctx context.Context, deadline time.Time, f func(context.Context) error) error {
	ctx, stop, err := k.open(ctx, deadline)
	if err != nil {
		return err
	}
	defer stop()
	return f(ctx)
}
