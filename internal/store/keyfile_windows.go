package store

import (
	"fmt"
	"io/fs"

	"github.com/authctl/authctl/internal/atomicfile"
)

// checkPrivate refuses a key that others can read.
func checkPrivate(path string, _ fs.FileInfo) error {
	if who := atomicfile.Others(path, atomicfile.ToRead|atomicfile.ToWrite); who != "" {
		return fmt.Errorf(`its access list has %s in it, so that %w: icacls "%s" /inheritance:r /grant:r "%%USERNAME%%:F"`, who, ErrOpen, path)
	}
	return nil
}
