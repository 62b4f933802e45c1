package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/authctl/authctl/internal/atomicfile"
)

// An item and the sealed file that it may name, read and written so that the two
// never come apart. The keychain is there and unlocked when these are called.

// read returns the secret. A login that goes on meanwhile may replace the item and
// its file after we read the one and before we read the other: then the item is new.
func (k *Keychain) read(ctx context.Context, name string, item func(context.Context, string) (string, error)) ([]byte, error) {
	for last := ""; ; {
		text, err := item(ctx, name)
		if err != nil {
			return nil, err
		}
		where, sealed, err := parseItem(name, text)
		if err != nil {
			return nil, err
		}
		if !sealed {
			return []byte(text), nil
		}
		data, err := atomicfile.Read(filepath.Join(k.Dir, where.file))
		if err == nil {
			return unseal(where.key, name, data)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if text == last {
			return nil, damaged("its file %s is missing", filepath.Join(k.Dir, where.file))
		}
		last = text
	}
}

func (k *Keychain) create(ctx context.Context, name string, secret []byte) error {
	text, keep := string(secret), ""
	if !k.fits(name, secret) {
		item := newSealedItem(name)
		if err := k.writeSealed(item, name, secret); err != nil {
			return err
		}
		text, keep = item.String(), item.file
	}
	if err := k.set(ctx, name, text); err != nil {
		if keep != "" && !inDoubt(err) {
			os.Remove(filepath.Join(k.Dir, keep))
		}
		return err
	}
	// The secret is stored. What can't be removed now is at the next Create or Delete.
	_ = sweep(k.Dir, filePrefix("keychain", name), keep)
	return nil
}

func (k *Keychain) remove(ctx context.Context, name string) error {
	_, err := within(ctx, func() (struct{}, error) { return struct{}{}, deleteItem(k.Service, name) })
	if err = classify(err); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// The item is gone, and with it the key: a file that can't be removed now is no secret.
	_ = sweep(k.Dir, filePrefix("keychain", name), "")
	return nil
}

func (k *Keychain) compare(ctx context.Context, name string, want []byte) error {
	got, err := k.read(ctx, name, k.item)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return errors.New("the keychain returned something else than what was stored")
	}
	return nil
}

// fits reports whether the secret can be an item's text: it is small enough, is
// text, and is not taken for a sealed one.
func (k *Keychain) fits(name string, secret []byte) bool {
	return len(secret) <= k.ItemLimit(name) && utf8.Valid(secret) && !strings.HasPrefix(string(secret), itemPrefix)
}

// ItemLimit is the most bytes that the secret may have to be an item's text. A larger
// one is sealed into a file.
func (k *Keychain) ItemLimit(name string) int {
	if k.Limit > 0 {
		return k.Limit
	}
	return platformLimit(k.Service, name)
}

func (k *Keychain) writeSealed(item sealedItem, name string, secret []byte) error {
	data, err := seal(item.key, name, secret)
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(k.Dir, item.file), data)
}

// doubtful is what a failed write means to callers.
func doubtful(err error) error {
	if inDoubt(err) {
		return fmt.Errorf("%w; %w", err, ErrInDoubt)
	}
	return err
}

// inDoubt reports whether a write that failed so may still have been done, or be
// done yet: then both the old and the new sealed file have to stay.
func inDoubt(err error) bool {
	return errors.Is(err, ErrTimeout) || errors.Is(err, errVanished) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// item returns the text of the secret's item, as go-keyring reads it.
func (k *Keychain) item(ctx context.Context, name string) (string, error) {
	text, err := within(ctx, func() (string, error) { return getItem(k.Service, name) })
	return text, classify(err)
}

// set makes text the secret's item.
func (k *Keychain) set(ctx context.Context, name, text string) error {
	_, err := within(ctx, func() (struct{}, error) { return struct{}{}, setItem(k.Service, name, text) })
	return classify(err)
}
