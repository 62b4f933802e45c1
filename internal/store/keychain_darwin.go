package store

import (
	"context"
	"encoding/base64"
	"errors"
	"io/fs"
	"os/exec"
	"strings"
	"time"

	"github.com/zalando/go-keyring"
)

func platformLimit(service, name string) int { return securityLimit(service, name) }

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
	if exitCode(err) == securityDuplicate {
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

func classify(err error) error {
	if errors.Is(err, keyring.ErrNotFound) {
		return fs.ErrNotExist
	}
	return classifySecurity(exitCode(err), err)
}

// exitCode is 0 for an error that is no exit status.
func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}
