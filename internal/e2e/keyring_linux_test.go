package e2e

import (
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/authctl/authctl/internal/keychaintest"
)

// keyring is a user's keyring as another program sees it: authctl's items in it, read
// and written by the Secret Service's own interface.
type keyring struct {
	t       testing.TB
	conn    *dbus.Conn
	service dbus.BusObject
	session dbus.ObjectPath
}

// secretValue is the specification's Secret.
type secretValue struct {
	Session     dbus.ObjectPath
	Parameters  []byte
	Value       []byte
	ContentType string
}

const (
	secretInterface = "org.freedesktop.Secret."
	loginKeyring    = "/org/freedesktop/secrets/collection/login"
)

func newKeyring(t testing.TB, bus *keychaintest.Bus) *keyring {
	t.Helper()
	k := &keyring{t: t, conn: bus.Connect()}
	k.service = k.conn.Object("org.freedesktop.secrets", "/org/freedesktop/secrets")
	if _, err := k.service.GetProperty(secretInterface + "Service.Collections"); err != nil { // first, or it may abort
		t.Fatal(err)
	}
	var none dbus.Variant
	if err := k.service.Call(secretInterface+"Service.OpenSession", 0, "plain", dbus.MakeVariant("")).Store(&none, &k.session); err != nil {
		t.Fatal(err)
	}
	return k
}

// paths are authctl's items.
func (k *keyring) paths() []dbus.ObjectPath {
	k.t.Helper()
	var open, locked []dbus.ObjectPath
	err := k.service.Call(secretInterface+"Service.SearchItems", 0, map[string]string{"service": "authctl"}).Store(&open, &locked)
	if err != nil || len(locked) != 0 {
		k.t.Fatalf("searching the keyring: %v, %d items are locked", err, len(locked))
	}
	return open
}

// name is the secret's that an item holds.
func (k *keyring) name(item dbus.ObjectPath) string {
	k.t.Helper()
	value, err := k.conn.Object("org.freedesktop.secrets", item).GetProperty(secretInterface + "Item.Attributes")
	attributes, ok := value.Value().(map[string]string)
	if err != nil || !ok {
		k.t.Fatalf("an item's attributes: %v", err)
	}
	return attributes["username"]
}

// items are the secrets by name.
func (k *keyring) items() map[string]string {
	k.t.Helper()
	paths, found := k.paths(), map[string]string{}
	var secrets map[dbus.ObjectPath]secretValue
	if err := k.service.Call(secretInterface+"Service.GetSecrets", 0, paths, k.session).Store(&secrets); err != nil {
		k.t.Fatal(err)
	}
	for path, secret := range secrets {
		found[k.name(path)] = string(secret.Value)
	}
	if len(found) != len(paths) {
		k.t.Errorf("%d items hold %d secrets", len(paths), len(found))
	}
	return found
}

// restore makes the items what they were.
func (k *keyring) restore(want map[string]string) {
	k.t.Helper()
	have := k.items()
	for _, path := range k.paths() {
		if _, keep := want[k.name(path)]; keep {
			continue
		}
		if err := k.conn.Object("org.freedesktop.secrets", path).Call(secretInterface+"Item.Delete", 0).Err; err != nil {
			k.t.Fatal(err)
		}
	}
	for name, value := range want {
		if have[name] != value {
			k.set(name, value)
		}
	}
}

// lock locks the keyring that authctl's items are in.
func (k *keyring) lock() {
	k.t.Helper()
	var locked []dbus.ObjectPath
	var prompt dbus.ObjectPath
	err := k.service.Call(secretInterface+"Service.Lock", 0, []dbus.ObjectPath{loginKeyring}).Store(&locked, &prompt)
	if err != nil || len(locked) != 1 {
		k.t.Fatalf("locking the keyring: %v, %v", locked, err)
	}
}

// set stores a secret as go-keyring does.
func (k *keyring) set(name, value string) {
	k.t.Helper()
	properties := map[string]dbus.Variant{
		secretInterface + "Item.Label":      dbus.MakeVariant("Password for '" + name + "' on 'authctl'"),
		secretInterface + "Item.Attributes": dbus.MakeVariant(map[string]string{"service": "authctl", "username": name}),
	}
	secret := secretValue{k.session, []byte{}, []byte(value), "text/plain; charset=utf8"}
	err := k.conn.Object("org.freedesktop.secrets", loginKeyring).Call(secretInterface+"Collection.CreateItem", 0, properties, secret, true).Err
	if err != nil {
		k.t.Fatal(err)
	}
}
