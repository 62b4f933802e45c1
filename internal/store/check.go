package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/atomicfile"
)

// checkPrefix opens the names of the secrets that Check makes. No other secret's name
// begins with a dot.
const checkPrefix = ".check-"

// longestCheck is the age at which a check is no longer under way.
const longestCheck = time.Minute

// mark notes in a file of the same name that a check's secret is about to be stored: a
// keychain can't be asked for what a killed process left in it. Without the file a check
// is as good.
func (k *Keychain) mark(name string) {
	if atomicfile.MkdirAll(k.Dir) == nil {
		_ = os.WriteFile(filepath.Join(k.Dir, name), nil, 0o600)
	}
}

// sweepChecks removes what killed checks have left.
func (k *Keychain) sweepChecks(ctx context.Context) {
	entries, _ := os.ReadDir(k.Dir)
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && strings.HasPrefix(e.Name(), checkPrefix) && time.Since(info.ModTime()) > longestCheck {
			_ = k.forget(ctx, e.Name()) // or the next check does
		}
	}
}

// cleanUp removes Check's secret even when the person gave up meanwhile; not when
// the keychain didn't answer, for it won't now.
func (k *Keychain) cleanUp(ctx context.Context, name string, err error) error {
	if errors.Is(err, ErrTimeout) {
		return nil
	}
	if ctx.Err() != nil {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(context.WithoutCancel(ctx), farewell, ErrTimeout)
		defer stop()
	}
	return k.forget(ctx, name)
}

// forget removes a check's secret, and then its mark.
func (k *Keychain) forget(ctx context.Context, name string) error {
	err := k.remove(ctx, name)
	if err == nil {
		os.Remove(filepath.Join(k.Dir, name))
	}
	return err
}
