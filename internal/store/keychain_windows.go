package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/zalando/go-keyring"
	"golang.org/x/sys/windows"
)

// platformLimit is the Credential Manager's CRED_MAX_CREDENTIAL_BLOB_SIZE.
func platformLimit(_, _ string) int { return 2560 }

// open returns a context for calls to the Credential Manager, which is never locked
// while its user is signed in and never asks.
func (k *Keychain) open(ctx context.Context, deadline time.Time) (context.Context, context.CancelFunc, error) {
	bounded, stop := context.WithDeadlineCause(ctx, deadline, ErrTimeout)
	return bounded, stop, nil
}

func getItem(service, name string) (string, error) { return keyring.Get(service, name) }

func setItem(service, name, text string) error { return keyring.Set(service, name, text) }

func deleteItem(service, name string) error { return keyring.Delete(service, name) }

// classify finds out what a failed call means. A session without a logon of its
// own, such as one over SSH with a public key, has no Credential Manager.
func classify(err error) error {
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return fs.ErrNotExist
	case errors.Is(err, windows.ERROR_NO_SUCH_LOGON_SESSION):
		return fmt.Errorf("%w: %w", ErrAbsent, err)
	}
	return err
}
