//go:build !darwin && !windows

package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/zalando/go-keyring"
)

// What go-keyring and D-Bus say, as seen on real parts, and what it means.
func TestClassify(t *testing.T) {
	answer := func(name, text string) error { return dbus.Error{Name: name, Body: []any{text}} }
	const bus = "org.freedesktop.DBus.Error."
	other := errors.New("something else")
	for _, tc := range []struct {
		name string
		err  error
		want error
	}{
		{"done", nil, nil},
		{"nothing stored", keyring.ErrNotFound, fs.ErrNotExist},
		{"no keychain in this build", keyring.ErrUnsupportedPlatform, ErrAbsent},
		{"no service", answer(bus+"ServiceUnknown", "The name org.freedesktop.secrets was not provided by any .service files"), ErrAbsent},
		{"no owner", answer(bus+"NameHasNoOwner", "Could not get owner of name 'org.freedesktop.secrets'"), ErrAbsent},
		{"could not be started", answer(bus+"Spawn.ChildExited", "Process org.freedesktop.secrets exited with status 1"), ErrAbsent},
		{"ended in a call", answer(bus+"NoReply", "Message recipient disconnected from message bus without replying"), errVanished},
		{"ended between two calls", answer("org.freedesktop.Secret.Error.NoSession", "The session does not exist"), errVanished},
		{"the bus ended", dbus.ErrClosed, errVanished},
		{"the bus ended in a call", fmt.Errorf("read: %w", io.EOF), errVanished},
		{"no reply in the bus's time", answer(bus+"NoReply", "Did not receive a reply"), ErrTimeout},
		{"prompt dismissed", errors.New("failed to unlock correct collection '/org/freedesktop/secrets/collection/login'"), ErrLocked},
		{"item locked", answer("org.freedesktop.Secret.Error.IsLocked", "Cannot get secret of a locked object"), ErrLocked},
		{"unknown answer", answer("org.example.Odd", "odd"), answer("org.example.Odd", "odd")},
		{"anything else", other, other},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := classify(tc.err)
			want, isAnswer := tc.want.(dbus.Error)
			if isAnswer { // holds a slice: not to be compared by errors.Is
				if answer := (dbus.Error{}); !errors.As(got, &answer) || answer.Name != want.Name {
					t.Errorf("got %v, want %v", got, tc.want)
				}
				return
			}
			if !errors.Is(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
			for _, kind := range []error{fs.ErrNotExist, ErrLocked, ErrTimeout} {
				if kind != tc.want && errors.Is(got, kind) {
					t.Errorf("got %v, which is %v too", got, kind)
				}
			}
		})
	}
}
