// Package keychaintest gives a test a session bus of its own with a real
// gnome-keyring on it, or with one that misbehaves. It is for tests only. A D-Bus
// client takes its bus from its environment, once a process: run what is tested as
// a child (the built program, or the test binary again) with the entries from here.
package keychaintest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/authctl/authctl/internal/need"
)

// Mode is the state in which a test wants to find the keychain.
type Mode int

// The states of a keychain.
const (
	Unlocked  Mode = iota // a login keyring, open
	Locked                // a login keyring, locked, and no display for a dialog
	Empty                 // a secret service that has no keyring yet
	NoService             // a bus without a secret service, and none to be started
	NoBus                 // no bus at all
)

// busConfig has no service directories, so that nothing is started by activation,
// and a desktop's limits.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><keep_umask/><listen>%s</listen><auth>EXTERNAL</auth>
<policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
</policy>
<limit name="max_connections_per_user">100000</limit>
<limit name="max_completed_connections">100000</limit>
<limit name="max_incomplete_connections">10000</limit>
<limit name="max_replies_per_connection">50000</limit>
</busconfig>
`

// Start returns the environment entries with which a child process finds the
// keychain in the given mode, to be appended to its environment. What it started
// ends with the test.
func Start(t testing.TB, mode Mode) []string {
	t.Helper()
	return Open(t, mode).Env()
}

// Bus is a private session bus and what answers on it.
type Bus struct {
	t       testing.TB
	dir     string // everything of it is in here
	address string // empty without a bus
	keyring *process
}

// Open starts a bus and a gnome-keyring in the given mode. They end with the test.
func Open(t testing.TB, mode Mode) *Bus {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "keychain") // in memory: gnome-keyring syncs each write
	if err != nil {
		dir, err = os.MkdirTemp("", "keychain") // t.TempDir's may be too long for a socket
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b := &Bus{t: t, dir: dir}
	for _, name := range []string{"run", "data", "config"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if mode != NoBus {
		need.Program(t, "dbus-daemon")
		b.startBus()
	}
	b.Keyring(mode)
	return b
}

// Env returns the entries for a child's environment. What would lead it to the
// keychain or the display of whoever runs the test is empty in it.
func (b *Bus) Env() []string {
	return []string{
		"DBUS_SESSION_BUS_ADDRESS=" + b.childAddress(),
		"XDG_RUNTIME_DIR=" + filepath.Join(b.dir, "run"),
		"XDG_DATA_HOME=" + filepath.Join(b.dir, "data"),
		"XDG_CONFIG_HOME=" + filepath.Join(b.dir, "config"),
		"DISPLAY=", "WAYLAND_DISPLAY=", "GNOME_KEYRING_CONTROL=", "SSH_AUTH_SOCK=",
	}
}

// childAddress is empty without a bus, unless the machine has one in the place
// where D-Bus clients look by themselves: then it names a socket that isn't there.
func (b *Bus) childAddress() string {
	if b.address != "" {
		return b.address
	}
	if _, err := os.Stat(filepath.Join("/run/user", userID(), "bus")); err == nil {
		return "unix:path=" + filepath.Join(b.dir, "no-bus")
	}
	return ""
}

func (b *Bus) startBus() {
	b.t.Helper()
	config, socket := filepath.Join(b.dir, "bus.conf"), filepath.Join(b.dir, "run", "bus")
	address := "unix:path=" + dbus.EscapeBusAddressValue(socket)
	if err := os.WriteFile(config, fmt.Appendf(nil, busConfig, address), 0o600); err != nil {
		b.t.Fatal(err)
	}
	start(b.t, b.Env(), "", "dbus-daemon", "--config-file="+config,
		"--nofork", "--nopidfile", "--print-address=1").firstLine()
	b.address = address
}

// Connect opens a connection of the test's own to the bus.
func (b *Bus) Connect() *dbus.Conn {
	b.t.Helper()
	conn, err := dbus.Connect(b.address)
	if err != nil {
		b.t.Fatalf("connecting to the private bus: %v", err)
	}
	b.t.Cleanup(func() { conn.Close() })
	return conn
}
