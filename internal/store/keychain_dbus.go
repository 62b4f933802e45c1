//go:build !darwin && !windows

package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/zalando/go-keyring"
)

// The Secret Service's names. The collections are those that go-keyring takes:
// login, or else the alias.
const (
	secretService   = "org.freedesktop.secrets"
	servicePath     = dbus.ObjectPath("/org/freedesktop/secrets")
	loginCollection = dbus.ObjectPath("/org/freedesktop/secrets/collection/login")
	defaultAlias    = dbus.ObjectPath("/org/freedesktop/secrets/aliases/default")
)

// platformLimit: the Secret Service has none, but D-Bus and gnome-keyring grow slow.
func platformLimit(_, _ string) int { return 64 << 10 }

// open returns a context for calls to a keychain that is there and unlocked: with
// the deadline, or a new one when a person had to be waited for. Every go-keyring
// call unlocks, and so may open a dialog that nobody sees: the lock is looked at before.
func (k *Keychain) open(ctx context.Context, deadline time.Time) (context.Context, context.CancelFunc, error) {
	bounded, stop := context.WithDeadlineCause(ctx, deadline, ErrTimeout)
	locked, err := k.locked(bounded)
	if err == nil && !locked {
		return bounded, stop, nil
	}
	stop()
	if err == nil {
		err = k.unlock(ctx)
	}
	if err != nil {
		return nil, nil, err
	}
	bounded, stop = context.WithTimeoutCause(ctx, patience, ErrTimeout)
	return bounded, stop, nil
}

// unlock waits for a person to answer the keychain's dialog, which a read opens.
func (k *Keychain) unlock(ctx context.Context) error {
	if k.Prompt == nil {
		return ErrLocked
	}
	k.Prompt()
	_, err := k.item(ctx, ".unlock")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// locked asks for the state of the collection that go-keyring will use. Reading
// Collections and waiting for the answer must be the first call of a connection:
// gnome-keyring 42 can abort where OpenSession is. It is go-keyring's connection.
func (k *Keychain) locked(ctx context.Context) (bool, error) {
	if err := k.findBus(ctx); err != nil {
		return false, err
	}
	conn, err := within(ctx, func() (*dbus.Conn, error) { return dbus.SessionBus() })
	if err != nil {
		return false, unreachable(ctx, err)
	}
	paths, err := property[[]dbus.ObjectPath](ctx, conn, servicePath, "org.freedesktop.Secret.Service", "Collections")
	if err != nil {
		return false, err
	}
	collection := defaultAlias
	if slices.Contains(paths, loginCollection) {
		collection = loginCollection
	}
	locked, err := property[bool](ctx, conn, collection, "org.freedesktop.Secret.Collection", "Locked")
	answer := new(dbus.Error)
	switch {
	case !errors.As(err, answer) || errors.Is(err, ErrAbsent):
		return locked, err
	case collection == loginCollection && hasNoProperty(answer):
		return false, nil // it is there, and tells no lock: the bound is all there is
	}
	return false, noKeyring()
}

func noKeyring() error {
	return fmt.Errorf("%w: the secret service has neither a keyring %q nor a default one", ErrAbsent, "login")
}

// hasNoProperty: the answer of an object that lacks the property, or has none.
func hasNoProperty(answer *dbus.Error) bool {
	kind, ok := strings.CutPrefix(answer.Name, "org.freedesktop.DBus.Error.Unknown")
	return ok && (kind == "Interface" || kind == "Property" || kind == "Method")
}

// findBus looks for a session bus before godbus does, which would start
// dbus-launch, and with it a bus and a keyring that nobody ends, and would give the secret to
// whoever listens. godbus takes the address from the environment; of the places where we
// look it knows only the second by itself.
func (k *Keychain) findBus(ctx context.Context) error {
	address, err := k.busAddress()
	if err != nil {
		return err
	}
	if b, err := openBus(ctx, address); err == nil {
		b.close()
	} else if !errors.Is(err, errUnversed) {
		return err
	}
	return os.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
}

// busAddress is the session bus's, in the D-Bus specification's form.
func (k *Keychain) busAddress() (string, error) {
	getenv := k.Getenv
	if getenv == nil {
		getenv = func(string) string { return "" }
	}
	if address := getenv("DBUS_SESSION_BUS_ADDRESS"); address != "" && address != "autolaunch:" {
		return address, nil
	}
	for _, dir := range []string{getenv("XDG_RUNTIME_DIR"), "/run/user/" + strconv.Itoa(os.Getuid())} {
		socket := filepath.Join(dir, "bus")
		if info, err := os.Stat(socket); err == nil && info.Mode().Type() == os.ModeSocket && dir != "" {
			return "unix:path=" + dbus.EscapeBusAddressValue(socket), nil
		}
	}
	return "", fmt.Errorf("%w: no D-Bus session bus", ErrAbsent)
}

// unreachable tells a bus that refuses us from one that we gave up on. It drops the
// chain, in which a missing socket would read as "nothing stored".
func unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("%w: the D-Bus session bus can't be reached: %v", ErrAbsent, err)
}

// property reads one property of an object of the secret service.
func property[T any](ctx context.Context, conn *dbus.Conn, path dbus.ObjectPath, iface, name string) (T, error) {
	answer, err := within(ctx, func() (answer dbus.Variant, err error) {
		err = conn.Object(secretService, path).Call("org.freedesktop.DBus.Properties.Get", 0, iface, name).Store(&answer)
		return answer, err
	})
	value, ok := answer.Value().(T)
	if err == nil && !ok {
		err = fmt.Errorf("the secret service's %s is of another type than the specification says", name)
	}
	return value, classify(err)
}

// ServedBy names the program that answers for the keychain, as "gnome-keyring-daemon";
// empty where that can't be known. It is for messages only.
func (k *Keychain) ServedBy(ctx context.Context) string {
	if k.findBus(ctx) != nil {
		return ""
	}
	conn, err := within(ctx, func() (*dbus.Conn, error) { return dbus.SessionBus() })
	if err != nil {
		return ""
	}
	var pid uint32
	if conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.GetConnectionUnixProcessID", 0, secretService).Store(&pid) != nil {
		return ""
	}
	command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)) // none outside of Linux
	program, _, _ := strings.Cut(string(command), "\x00")
	if program == "" {
		return ""
	}
	return filepath.Base(program)
}

// classify finds out what a failed call means. go-keyring's errors are texts, and
// D-Bus has one name for an answer that is late and one that will never come.
func classify(err error) error {
	var answer dbus.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keyring.ErrNotFound):
		return fs.ErrNotExist
	case errors.Is(err, keyring.ErrUnsupportedPlatform):
		return fmt.Errorf("%w: %w", ErrAbsent, err)
	case errors.Is(err, dbus.ErrClosed), errors.Is(err, io.EOF):
		return errVanished
	case errors.As(err, &answer):
		return classifyAnswer(answer)
	case strings.HasPrefix(err.Error(), "failed to unlock correct collection"):
		return ErrLocked
	}
	return err
}

func classifyAnswer(answer dbus.Error) error {
	switch {
	case answer.Name == "org.freedesktop.DBus.Error.NoReply" && strings.Contains(answer.Error(), "disconnected"),
		answer.Name == "org.freedesktop.Secret.Error.NoSession": // ours was the one before's
		return errVanished
	case answer.Name == "org.freedesktop.DBus.Error.NoReply", answer.Name == "org.freedesktop.DBus.Error.Timeout":
		return ErrTimeout
	case answer.Name == "org.freedesktop.Secret.Error.IsLocked":
		return ErrLocked
	case answer.Name == "org.freedesktop.DBus.Error.ServiceUnknown",
		answer.Name == "org.freedesktop.DBus.Error.NameHasNoOwner",
		strings.HasPrefix(answer.Name, "org.freedesktop.DBus.Error.Spawn."):
		return fmt.Errorf("%w: %w", ErrAbsent, answer)
	}
	return answer
}
