package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/authctl/authctl/internal/atomicfile"
)

// MakeKey writes 32 random bytes to keyFile, 0600, with its directories, unless it
// is there: then it is checked, and made is false. Errors are *Error with ErrKeyFile.
func MakeKey(keyFile string) (made bool, err error) {
	made, err = makeKey(keyFile)
	return made, fail("checking", "", err)
}

func makeKey(keyFile string) (made bool, err error) {
	if _, err := os.Stat(keyFile); err != nil {
		err = atomicfile.New(keyFile, newKey())
		if !errors.Is(err, fs.ErrExist) { // another login was quicker
			return err == nil, keyFileError(keyFile, err)
		}
	}
	atomicfile.Sweep(keyFile)
	_, err = readKey(keyFile)
	return false, err
}

// readKey returns the key. It looks before it opens: a pipe would block.
func readKey(keyFile string) ([]byte, error) {
	info, err := os.Stat(keyFile)
	if err == nil {
		err = checkKeyFile(keyFile, info)
	}
	if err != nil {
		return nil, keyFileError(keyFile, err)
	}
	key, err := atomicfile.Read(keyFile)
	if err == nil && len(key) != keySize {
		err = fmt.Errorf("it holds %d bytes instead of %d", len(key), keySize)
	}
	if err != nil {
		return nil, keyFileError(keyFile, err)
	}
	return key, nil
}

func checkKeyFile(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return errors.New("it is no regular file")
	}
	if info.Size() != keySize {
		return fmt.Errorf("it holds %d bytes instead of %d", info.Size(), keySize)
	}
	return checkPrivate(path, info)
}

// keyFileError drops the chain of a key file that doesn't exist: it must not read as
// "nothing stored".
func keyFileError(keyFile string, err error) error {
	if err == nil {
		return nil
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s: %v", ErrKeyFile, keyFile, err)
	}
	return fmt.Errorf("%w: %s: %w", ErrKeyFile, keyFile, err)
}
