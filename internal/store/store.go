// Package store keeps secrets by name: in the operating system's keychain, with
// what is too large for an item sealed into a file, or in sealed files whose key
// lies in a file or is locked by a passphrase. A secret is whole or absent, whenever
// the machine stops. What a secret means, and locking between processes that write
// one, is left to callers.
package store

import (
	"errors"
	"fmt"
	"io/fs"
)

// Why a store can't be used; wrapped in an *Error. That nothing is stored is
// fs.ErrNotExist, and none of these ever is.
var (
	ErrLocked  = errors.New("the keychain is locked")
	ErrAbsent  = errors.New("there is no keychain")
	ErrTimeout = errors.New("the keychain does not answer")
	ErrDamaged = errors.New("what is stored can't be read") // signing in again replaces it
	ErrKeyFile = errors.New("the key file can't be used")
	// ErrOpen: others can read the key file, or write to it.
	ErrOpen = errors.New("others can get at it")

	ErrKeyring  = errors.New("the kernel's keyring can't be used")
	ErrUnasked  = errors.New("the passphrase of the file store is needed, and nobody gave it at a terminal")
	ErrUnchosen = errors.New("the file store has neither a key file nor a passphrase, and there is no terminal to choose one at")
)

// ErrInDoubt comes with another error: the secret may have been stored all the same, or
// be stored yet. Until the store is read again nobody knows.
var ErrInDoubt = errors.New("it may have been stored all the same")

// errVanished says that the keychain's service ended while it was asked.
var errVanished error = vanished{}

type vanished struct{}

func (vanished) Error() string { return ErrAbsent.Error() + ": its service ended while it was asked" }
func (vanished) Unwrap() error { return ErrAbsent }

// Error says what failed, on which secret, and why.
type Error struct {
	Op   string // "reading", "saving", "deleting" or "checking"
	Name string // the secret's; empty when it is the store that was checked
	Err  error  // never holds any of the secret
}

// Error returns one line.
func (e *Error) Error() string {
	if e.Err == fs.ErrNotExist {
		return fmt.Sprintf("nothing is stored as %q", e.Name)
	}
	if e.Name == "" {
		return e.Op + " the store: " + e.Err.Error()
	}
	return fmt.Sprintf("%s secret %q: %v", e.Op, e.Name, e.Err)
}

// Unwrap returns why.
func (e *Error) Unwrap() error { return e.Err }

// fail wraps what went wrong at the package's boundary. Only a plain fs.ErrNotExist
// says that nothing is stored: where it comes with a file's name, the file is one
// that should be there, and the text is all that is kept.
func fail(op, name string, err error) error {
	if err == nil {
		return nil
	}
	if err != fs.ErrNotExist && errors.Is(err, fs.ErrNotExist) {
		err = errors.New(err.Error())
	}
	return &Error{Op: op, Name: name, Err: err}
}

// damaged says why what is stored is of no use any more.
func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}
