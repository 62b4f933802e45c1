//go:build !linux

package store

import (
	"errors"
	"fmt"
	"time"
)

// Other systems have a keychain that is always there, and no keyring in the kernel.
var errNoKeyring = fmt.Errorf("%w: %w", ErrKeyring, errors.ErrUnsupported)

func keptKey(string) ([]byte, error) { return nil, errNoKeyring }

func keepKey(string, []byte, time.Duration) error { return errNoKeyring }

func dropKey(string) {}

func showsKey(string) bool { return false }

func keyLife(string) time.Duration { return 0 }

func (p *Passphrase) turn() (end func(), ok bool) { return func() {}, true }
