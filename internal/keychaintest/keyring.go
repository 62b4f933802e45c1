package keychaintest

import (
	"os"
	"os/user"
	"path/filepath"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authctl/authctl/internal/need"
)

const (
	serviceName = "org.freedesktop.secrets"
	password    = "test" // of the login keyring
)

// Keyring ends the gnome-keyring that runs, if any, and starts it anew in the
// given mode, with the data that it had.
func (b *Bus) Keyring(mode Mode) {
	b.t.Helper()
	b.StopKeyring()
	switch mode {
	case Unlocked:
		b.startKeyring(password, "--unlock")
	case Locked: // the keyring is made with its password, and opened without
		b.startKeyring(password, "--unlock")
		b.StopKeyring()
		b.startKeyring("")
	case Empty:
		b.startKeyring("")
	}
}

// StopKeyring kills gnome-keyring, as a crash would.
func (b *Bus) StopKeyring() {
	if b.keyring != nil {
		b.keyring.stop()
		b.keyring = nil
		os.RemoveAll(filepath.Join(b.dir, "run", "keyring"))
	}
}

// Lock locks the login keyring, as a desktop does after a while. Keyring(Unlocked) opens it.
func (b *Bus) Lock() {
	b.t.Helper()
	conn := b.Connect()
	defer conn.Close()
	var locked []dbus.ObjectPath
	var prompt dbus.ObjectPath
	err := conn.Object(serviceName, rootPath).Call(secretPrefix+"Service.Lock", 0, []dbus.ObjectPath{loginPath}).Store(&locked, &prompt)
	if err != nil || len(locked) != 1 {
		b.t.Errorf("locking the keyring: got %v, %v", locked, err)
	}
}

// KeyringDied reports whether gnome-keyring has ended by itself.
func (b *Bus) KeyringDied() bool {
	return b.keyring != nil && b.keyring.ended()
}

// startKeyring returns once the secret service has its name on the bus, which is
// later than the daemon's start.
func (b *Bus) startKeyring(stdin string, args ...string) {
	b.t.Helper()
	need.Program(b.t, "gnome-keyring-daemon")
	conn := b.Connect()
	defer conn.Close()
	owned := nameOwned(conn)
	args = append([]string{"--foreground", "--components=secrets"}, args...)
	b.keyring = start(b.t, b.Env(), stdin, "gnome-keyring-daemon", args...)
	select {
	case <-owned:
	case <-b.keyring.done:
		b.t.Fatalf("gnome-keyring-daemon ended at once: %s", b.keyring.stderr.String())
	case <-time.After(30 * time.Second):
		b.t.Fatalf("gnome-keyring-daemon never took its name: %s", b.keyring.stderr.String())
	}
}

// nameOwned returns a channel that gets a signal when somebody takes the secret
// service's name.
func nameOwned(conn *dbus.Conn) <-chan *dbus.Signal {
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)
	conn.AddMatchSignal(dbus.WithMatchInterface("org.freedesktop.DBus"),
		dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, serviceName), dbus.WithMatchArg(1, ""))
	owned := make(chan *dbus.Signal, 16)
	go func() {
		for s := range signals { // ends when conn is closed
			if s.Name == "org.freedesktop.DBus.NameOwnerChanged" {
				owned <- s
			}
		}
	}()
	return owned
}

func userID() string {
	u, err := user.Current()
	if err != nil {
		return "0"
	}
	return u.Uid
}
