//go:build !windows

package atomicfile

import "os"

func create(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
}

func mkdir(dir string) error { return os.Mkdir(dir, 0o700) }
