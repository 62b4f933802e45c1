package store

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"time"

	"github.com/zalando/go-keyring"
)

// platformLimit: go-keyring writes an item with one line of at most 4,096 bytes to
// `security -i`, in base64. About 60 bytes are the line's own; a line too long
// leaks a process, and one of exactly 4,096 fails silently: so keep well under.
func platformLimit(service, name string) int {
	return (3900 - len(service) - len(name)) / 4 * 3
}

// open returns a context for calls to the keychain. Whether it is locked can't be
// asked without opening the dialog: where a person is there, any call is theirs to
// answer, and they are told when one takes long.
func (k *Keychain) open(ctx context.Context, deadline time.Time) (context.Context, context.CancelFunc, error) {
	if k.Prompt == nil {
		bounded, stop := context.WithDeadlineCause(ctx, deadline, ErrTimeout)
		return bounded, stop, nil
	}
	told := time.AfterFunc(2*time.Second, k.Prompt)
	return ctx, func() { told.Stop() }, nil
}

// ServedBy is empty: it is the system itself.
func (k *Keychain) ServedBy(context.Context) string { return "" }

// encoded is how go-keyring marks what it writes.
const encoded = "go-keyring-base64:"

// getItem reads past what `security` may have said on stderr, which go-keyring
// glues before the text and then takes for text that it did not write.
func getItem(service, name string) (string, error) {
	text, err := keyring.Get(service, name)
	i := strings.LastIndex(text, encoded)
	if err != nil || i < 0 {
		return text, err
	}
	line, _, _ := strings.Cut(text[i+len(encoded):], "\n")
	if decoded, err := base64.StdEncoding.DecodeString(line); err == nil {
		return string(decoded), nil
	}
	return text, nil
}

// setItem reads back what it wrote: `security -i` may fail and still end well. Two
// who add an item at once make one of them fail with "duplicate", so it tries twice.
func setItem(service, name, text string) error {
	err := keyring.Set(service, name, text)
	if exitCode(err) == 45 {
		err = keyring.Set(service, name, text)
	}
	if err != nil {
		return err
	}
	got, err := getItem(service, name)
	if err == nil && got != text {
		err = errors.New("the keychain did not keep what was written")
	}
	return err
}

func deleteItem(service, name string) error { return keyring.Delete(service, name) }

// classify goes by the exit status of `security`, the low byte of an OSStatus.
func classify(err error) error {
	if errors.Is(err, keyring.ErrNotFound) {
		return fs.ErrNotExist
	}
	switch exitCode(err) {
	case 44: // errSecItemNotFound
		return fs.ErrNotExist
	case 36, 51, 128: // errSecInteractionNotAllowed, errSecAuthFailed, userCanceledErr
		return fmt.Errorf("%w: %w", ErrLocked, err)
	case 37, 50: // errSecNoDefaultKeychain, errSecNoSuchKeychain
		return fmt.Errorf("%w: %w", ErrAbsent, err)
	}
	return err
}

// exitCode is 0 for an error that is no exit status.
func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}
