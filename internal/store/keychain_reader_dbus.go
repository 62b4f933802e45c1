//go:build !darwin && !windows

package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/godbus/dbus/v5"
)

// get reads a secret without asking anybody to unlock anything: that an unlocked keychain
// needs, and a locked one says so. Then go-keyring reads it if a person is there, and so
// it does where the bus or its answers are beyond us.
func (k *Keychain) get(ctx context.Context, deadline time.Time, name string) (secret []byte, err error) {
	bounded, stop := context.WithDeadlineCause(ctx, deadline, ErrTimeout)
	defer stop()
	secret, err = k.read(bounded, name, k.quickItem)
	if errors.Is(err, ErrLocked) && k.Prompt != nil || errors.Is(err, errUnversed) {
		err = k.attempt(ctx, deadline, func(ctx context.Context) error {
			secret, err = k.read(ctx, name, k.item)
			return err
		})
	}
	return secret, err
}

// quickItem returns the text of the secret's item, the one that go-keyring would find, on
// a connection of its own.
func (k *Keychain) quickItem(ctx context.Context, name string) (string, error) {
	address, err := k.busAddress()
	if err != nil {
		return "", err
	}
	b, err := openBus(ctx, address)
	if err != nil {
		return "", err
	}
	defer b.close() // and with it the session
	r := reader{bus: b}
	text, err := r.read(k.Service, name)
	if ctx.Err() != nil && err != nil {
		return "", context.Cause(ctx)
	}
	return text, classify(err)
}

// reader reads an item's text from the secret service in three round trips.
type reader struct {
	*bus
	collection string
}

// read returns fs.ErrNotExist when there is no such item, ErrLocked when that can't be known.
func (r *reader) read(service, name string) (string, error) {
	if err := r.choose(); err != nil {
		return "", err
	}
	text, err := r.find(service, name)
	if isGone(err) {
		text, err = r.find(service, name)
	}
	return text, err
}

// choose picks the collection that go-keyring takes. Reading Collections and waiting for
// the answer must be the first call of a connection: gnome-keyring 42 can abort where
// OpenSession is.
func (r *reader) choose() error {
	hello := r.greet()
	collections := r.get(string(servicePath), "Service", "Collections")
	if err := r.greeted(hello); err != nil {
		return err
	}
	value, err := r.variant(collections, "ao")
	if err != nil {
		return err
	}
	r.collection = string(defaultAlias)
	if slices.Contains(value.strings(), string(loginCollection)) {
		r.collection = string(loginCollection)
	}
	return value.err()
}

// find looks for the item and asks for its secret.
func (r *reader) find(service, name string) (string, error) {
	session, search := r.openSession(), r.searchItems(service, name)
	sessionPath, err := r.session(session)
	if err != nil {
		return "", err
	}
	found, err := r.answer(search, "ao")
	if err != nil {
		return "", r.missing(err)
	}
	paths := found.strings()
	switch {
	case found.err() != nil:
		return "", found.err()
	case len(paths) == 0:
		return "", r.whyNone()
	}
	return r.secret(paths[0], sessionPath)
}

// whyNone: a locked collection may show nothing of what is in it.
func (r *reader) whyNone() error {
	value, err := r.variant(r.get(r.collection, "Collection", "Locked"), "b")
	answer := new(dbus.Error)
	switch {
	case r.collection == string(loginCollection) && errors.As(err, answer) && hasNoProperty(answer):
		return fs.ErrNotExist // it is there, and tells no lock
	case err != nil:
		return r.missing(err)
	case value.uint32() != 0:
		return ErrLocked
	}
	if err := value.err(); err != nil {
		return err
	}
	return fs.ErrNotExist
}

// missing is what an error means that came in the place of what a collection has.
func (r *reader) missing(err error) error {
	answer := new(dbus.Error)
	if r.collection == string(defaultAlias) && errors.As(err, answer) {
		return noKeyring()
	}
	return err
}

// get calls for a property.
func (r *reader) get(path, iface, name string) uint32 {
	var body encoder
	body.string("org.freedesktop.Secret." + iface)
	body.string(name)
	return r.call(call{to: secretService, path: path, member: "org.freedesktop.DBus.Properties.Get", signature: "ss", body: body})
}

func (r *reader) openSession() uint32 {
	var body encoder
	body.string("plain")
	body.signature("s")
	body.string("")
	return r.call(call{to: secretService, path: string(servicePath), member: "org.freedesktop.Secret.Service.OpenSession", signature: "sv", body: body})
}

func (r *reader) searchItems(service, name string) uint32 {
	var body encoder
	body.strings("username", name, "service", service)
	return r.call(call{to: secretService, path: r.collection, member: "org.freedesktop.Secret.Collection.SearchItems", signature: "a{ss}", body: body})
}

// session returns the path of a session. Before it there is a value, of any type, that
// the plain algorithm has no use for.
func (r *reader) session(call uint32) (string, error) {
	d, err := r.answer(call, "vo")
	if err != nil {
		return "", err
	}
	switch d.signature() {
	case "s":
		d.string()
	case "ay":
		d.bytes()
	default:
		return "", errUnversed
	}
	return d.string(), d.err()
}

func (r *reader) secret(item, session string) (string, error) {
	var body encoder
	body.string(session)
	d, err := r.answer(r.call(call{to: secretService, path: item, member: "org.freedesktop.Secret.Item.GetSecret", signature: "o", body: body}), "(oayays)")
	if err != nil {
		return "", err
	}
	d.string() // the session
	d.bytes()  // what the algorithm needs: nothing
	text := string(d.bytes())
	return text, d.err()
}

// variant waits for an answer that is a value of the given type.
func (r *reader) variant(call uint32, signature string) (*decoder, error) {
	d, err := r.answer(call, "v")
	if err != nil {
		return nil, err
	}
	if got := d.signature(); got != signature {
		return nil, fmt.Errorf("the secret service has a property of type %q where the specification says %q", got, signature)
	}
	return d, nil
}
