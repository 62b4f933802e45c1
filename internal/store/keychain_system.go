//go:build darwin || windows

package store

import (
	"context"
	"time"
)

// link is nothing: each call is complete in itself.
type link struct{}

// get reads a secret as everything else is done.
func (k *Keychain) get(ctx context.Context, deadline time.Time, name string) (secret []byte, err error) {
	err = k.attempt(ctx, deadline, func(ctx context.Context) error {
		secret, err = k.read(ctx, name, k.item)
		return err
	})
	return secret, err
}

// ready says why a write would fail now, as far as the lock tells.
func (k *Keychain) ready(ctx context.Context, deadline time.Time) error {
	return k.attempt(ctx, deadline, func(context.Context) error { return nil })
}

// ServedBy is empty: it is the system itself.
func (k *Keychain) ServedBy(context.Context) string { return "" }
