//go:build !windows

package store

import (
	"fmt"
	"io/fs"
)

// checkPrivate refuses a key that others can read.
func checkPrivate(_ string, info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("its mode is %04o, so that %w: chmod 600 it", mode, ErrOpen)
	}
	return nil
}
