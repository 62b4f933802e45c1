package keychaintest

import (
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
)

// Fault is what is wrong with a secret service.
type Fault int

// The ways to misbehave.
const (
	Healthy      Fault = iota // nothing: the twin that shows that a test can pass
	Mute                      // owns the name and never answers
	Hang                      // unlocks with a prompt that never completes
	Slow                      // takes 2 s for every unlock
	Full                      // stores one item, and no more
	Die                       // leaves the bus in the middle of the first write
	DieOnce                   // the same, and another one takes its place
	Ask                       // is locked, and unlocks when a person answers its prompt
	NoLocked                  // doesn't say whether it is locked: its collection has no properties
	HangNoLocked              // the same, and unlocks as Hang does
)

// Objects of the service, named as the Secret Service specification and
// go-keyring name them.
const (
	rootPath       = dbus.ObjectPath("/org/freedesktop/secrets")
	loginPath      = rootPath + "/collection/login"
	promptPath     = rootPath + "/prompt/p1"
	sessionPath    = rootPath + "/session/s1"
	noPath         = dbus.ObjectPath("/")
	secretPrefix   = "org.freedesktop.Secret."
	itemAttributes = secretPrefix + "Item.Attributes"
)

// Service is a secret service in the test's own process. Its secrets live in memory.
type Service struct {
	// Asked gets a value for every dialog that would be shown; only with Ask.
	Asked chan struct{}

	fault Fault
	conn  *dbus.Conn // the one that owns the name
	mu    sync.Mutex
	locks *prop.Properties
	items map[dbus.ObjectPath]*storedItem
	made  int
}

// Serve puts a secret service with the given fault on a bus that has none. It ends
// with the test.
func (b *Bus) Serve(fault Fault) *Service {
	b.t.Helper()
	s := &Service{Asked: make(chan struct{}, 16), fault: fault, items: map[dbus.ObjectPath]*storedItem{}}
	s.conn = b.Connect()
	s.appear(b.t, s.conn)
	if fault == DieOnce { // waits in the queue for the name, so that there is no gap
		heir := &Service{Asked: s.Asked, fault: Healthy, conn: b.Connect(), items: map[dbus.ObjectPath]*storedItem{}}
		heir.appear(b.t, heir.conn)
	}
	return s
}

// Answer completes the prompt as a person would who unlocks or dismisses the dialog.
func (s *Service) Answer(unlock bool) {
	result := []dbus.ObjectPath{}
	if unlock {
		result = append(result, loginPath)
		s.locks.SetMust(secretPrefix+"Collection", "Locked", false)
	}
	s.conn.Emit(promptPath, secretPrefix+"Prompt.Completed", !unlock, dbus.MakeVariant(result))
}

func (s *Service) appear(t testing.TB, conn *dbus.Conn) {
	t.Helper()
	if s.fault != Mute {
		s.export(t, conn)
	}
	if _, err := conn.RequestName(serviceName, 0); err != nil {
		t.Fatal(err)
	}
	if s.fault == Mute {
		conn.Eavesdrop(make(chan *dbus.Message, 1000)) // takes every message, answers none
		t.Cleanup(func() { conn.Eavesdrop(nil) })      // Close, which comes then, would close it, and godbus may send to it still
	}
}

func (s *Service) export(t testing.TB, conn *dbus.Conn) {
	t.Helper()
	conn.Export(service{s}, rootPath, secretPrefix+"Service")
	conn.Export(collection{s}, loginPath, secretPrefix+"Collection")
	conn.Export(prompt{s}, promptPath, secretPrefix+"Prompt")
	conn.Export(session{}, sessionPath, secretPrefix+"Session")
	_, err := prop.Export(conn, rootPath, prop.Map{secretPrefix + "Service": {
		"Collections": {Value: []dbus.ObjectPath{loginPath}, Emit: prop.EmitFalse}}})
	if err != nil {
		t.Fatal(err)
	}
	if s.fault == NoLocked || s.fault == HangNoLocked {
		return
	}
	s.locks, err = prop.Export(conn, loginPath, prop.Map{secretPrefix + "Collection": {
		"Locked": {Value: s.fault == Ask, Emit: prop.EmitFalse}}})
	if err != nil {
		t.Fatal(err)
	}
}

// isLocked reports whether an unlock needs a person.
func (s *Service) isLocked() bool {
	return s.fault == Ask && s.locks.GetMust(secretPrefix+"Collection", "Locked").(bool)
}

type service struct{ s *Service }

func (service) OpenSession(string, dbus.Variant) (dbus.Variant, dbus.ObjectPath, *dbus.Error) {
	return dbus.MakeVariant(""), sessionPath, nil
}

func (v service) Unlock(paths []dbus.ObjectPath) ([]dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
	if v.s.fault == Hang || v.s.fault == HangNoLocked || v.s.isLocked() {
		return nil, promptPath, nil
	}
	if v.s.fault == Slow {
		time.Sleep(2 * time.Second)
	}
	return paths, noPath, nil
}

type prompt struct{ s *Service }

func (p prompt) Prompt(string) *dbus.Error {
	p.s.Asked <- struct{}{}
	return nil
}

type session struct{}

func (session) Close() *dbus.Error { return nil }

// secret is the specification's struct of that name.
type secret struct {
	Session     dbus.ObjectPath
	Parameters  []byte
	Value       []byte
	ContentType string
}

type collection struct{ s *Service }

func (c collection) CreateItem(properties map[string]dbus.Variant, value secret, _ bool) (dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault == Die || s.fault == DieOnce {
		s.conn.Close()
	}
	if s.fault == Full && len(s.items) > 0 {
		return noPath, noPath, dbus.NewError("org.freedesktop.DBus.Error.LimitsExceeded", []any{"no space left in the keyring"})
	}
	attributes := map[string]string{}
	properties[itemAttributes].Store(&attributes)
	for path, item := range s.items {
		if maps.Equal(item.attributes, attributes) {
			item.value = value.Value
			return path, noPath, nil
		}
	}
	s.made++
	path := loginPath + dbus.ObjectPath(fmt.Sprintf("/%d", s.made))
	item := &storedItem{s: s, path: path, attributes: attributes, value: value.Value}
	s.items[path] = item
	s.conn.Export(item, path, secretPrefix+"Item")
	return path, noPath, nil
}

func (c collection) SearchItems(query map[string]string) ([]dbus.ObjectPath, *dbus.Error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	found := []dbus.ObjectPath{}
	for path, item := range c.s.items {
		if maps.Equal(item.attributes, query) {
			found = append(found, path)
		}
	}
	return found, nil
}

type storedItem struct {
	s          *Service
	path       dbus.ObjectPath
	attributes map[string]string
	value      []byte
}

func (i *storedItem) GetSecret(session dbus.ObjectPath) (secret, *dbus.Error) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	return secret{session, []byte{}, i.value, "text/plain; charset=utf8"}, nil
}

func (i *storedItem) Delete() (dbus.ObjectPath, *dbus.Error) {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	delete(i.s.items, i.path)
	i.s.conn.Export(nil, i.path, secretPrefix+"Item")
	return noPath, nil
}
