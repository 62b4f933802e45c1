//go:build !darwin && !windows

package store

import (
	"errors"
	"fmt"
	"slices"

	"github.com/godbus/dbus/v5"
	"github.com/zalando/go-keyring"
)

// go-keyring's calls, with what it doesn't see: that an item has gone meanwhile, and that
// a person has said no.

func getItem(service, name string) (string, error) {
	text, err := keyring.Get(service, name)
	if isGone(err) {
		text, err = keyring.Get(service, name)
	}
	return text, err
}

func setItem(service, name, text string) error {
	return heeding(func() error { return keyring.Set(service, name, text) })
}

func deleteItem(service, name string) error {
	return heeding(func() error {
		err := keyring.Delete(service, name)
		if isGone(err) {
			err = keyring.Delete(service, name)
		}
		return err
	})
}

// isGone: the item was deleted since go-keyring found it. Looking anew tells what is
// stored now, if anything.
func isGone(err error) bool {
	answer := new(dbus.Error)
	return errors.As(err, answer) && slices.Contains([]string{
		"org.freedesktop.DBus.Error.UnknownMethod", "org.freedesktop.DBus.Error.UnknownObject",
		"org.freedesktop.Secret.Error.NoSuchObject",
	}, answer.Name)
}

// heeding hears the answer to a service's question, whether it may do what f asks of it.
// For go-keyring, whose connection this is, a no is as good as a yes.
func heeding(f func() error) error {
	conn, err := dbus.SessionBus()
	if err != nil {
		return err
	}
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)
	defer conn.RemoveSignal(signals)
	if err := f(); err != nil {
		return err
	}
	for {
		select {
		case s, ok := <-signals:
			if !ok { // the connection has ended since
				return nil
			}
			if s.Name == "org.freedesktop.Secret.Prompt.Completed" && len(s.Body) > 0 && s.Body[0] == true {
				return fmt.Errorf("%w: its question was dismissed", ErrLocked)
			}
		default:
			return nil
		}
	}
}
