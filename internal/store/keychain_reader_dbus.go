//go:build !darwin && !windows

package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync/atomic"
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

// ready says why a write would fail now, as far as our own connection tells. Where it would
// not, go-keyring's is made meanwhile, which takes longer than all that is asked here.
func (k *Keychain) ready(ctx context.Context, deadline time.Time) error {
	bounded, stop := context.WithDeadlineCause(ctx, deadline, ErrTimeout)
	defer stop()
	err := k.quickly(bounded, (*reader).unlocked)
	if errors.Is(err, ErrLocked) && k.Prompt != nil || errors.Is(err, errUnversed) {
		return k.attempt(ctx, deadline, func(context.Context) error { return nil })
	}
	if err == nil && k.findBus(bounded) == nil {
		go k.introduce()
	}
	return err
}

// introduce makes go-keyring's connection. Whoever writes finds out what is wrong with it.
func (k *Keychain) introduce() {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	_, _ = k.locked(ctx)
}

// quickItem returns the text of the secret's item, the one that go-keyring would find.
func (k *Keychain) quickItem(ctx context.Context, name string) (text string, err error) {
	err = k.quickly(ctx, func(r *reader) error {
		text, err = r.read(k.Service, name)
		return err
	})
	return text, err
}

// quickly runs f on a connection that nobody else uses meanwhile, and keeps that for the
// next, with its session, where all went well.
func (k *Keychain) quickly(ctx context.Context, f func(*reader) error) error {
	r := k.idle.Swap(nil)
	if r == nil {
		address, err := k.busAddress()
		if err != nil {
			return err
		}
		b, err := openBus(ctx, address)
		if err != nil {
			return err
		}
		r = &reader{bus: b}
	}
	forget := context.AfterFunc(ctx, r.hangUp)
	err := r.with(f)
	if forget() && err == nil {
		r = k.idle.Swap(r)
	}
	if r != nil {
		r.close()
	}
	if ctx.Err() != nil && err != nil {
		return context.Cause(ctx)
	}
	return classify(err)
}

// link is the connection of the last call, where that went well.
type link = atomic.Pointer[reader]

// reader reads items' texts from the secret service: the first in three round trips, the
// others in two.
type reader struct {
	*bus
	collection string
	session    string // empty: none is open yet
}

// read returns fs.ErrNotExist when there is no such item, ErrLocked when that can't be known.
func (r *reader) read(service, name string) (string, error) {
	text, err := r.find(service, name)
	if isGone(err) {
		text, err = r.find(service, name)
	}
	return text, err
}

// with chooses the collection and runs f. A connection that was kept has one chosen; whether
// that is still the one is asked along with f's first call, and if not, it has ended for us.
func (r *reader) with(f func(*reader) error) error {
	if r.collection == "" {
		if err := r.choose(); err != nil {
			return err
		}
		return f(r)
	}
	collections := r.get(string(servicePath), "Service", "Collections")
	err := f(r)
	if now, failed := r.chosen(collections); failed != nil || now != r.collection {
		return errVanished
	}
	return err
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
	collection, err := r.chosen(collections)
	r.collection = collection
	return err
}

// chosen is the collection that go-keyring takes of those that there are.
func (r *reader) chosen(collections uint32) (string, error) {
	value, err := r.variant(collections, "ao")
	if err != nil {
		return "", err
	}
	if slices.Contains(value.strings(), string(loginCollection)) {
		return string(loginCollection), value.err()
	}
	return string(defaultAlias), value.err()
}

// find looks for the item and asks for its secret.
func (r *reader) find(service, name string) (string, error) {
	session := r.openSession()
	search := r.searchItems(service, name)
	if err := r.opened(session); err != nil {
		return "", err
	}
	found, err := r.answer(search, "ao")
	if err != nil {
		return "", r.missing(err)
	}
	paths := found.strings()
	if err := found.err(); err != nil {
		return "", err
	}
	if len(paths) == 0 { // a locked collection may show nothing of what is in it
		return "", cmp.Or(r.unlocked(), fs.ErrNotExist)
	}
	return r.secret(paths[0])
}

// unlocked returns ErrLocked if the collection isn't.
func (r *reader) unlocked() error {
	value, err := r.variant(r.get(r.collection, "Collection", "Locked"), "b")
	answer := new(dbus.Error)
	switch {
	case r.collection == string(loginCollection) && errors.As(err, answer) && hasNoProperty(answer):
		return nil // it is there, and tells no lock
	case err != nil:
		return r.missing(err)
	case value.uint32() != 0:
		return ErrLocked
	}
	return value.err()
}

// missing is what an error means that came in the place of what a collection has.
func (r *reader) missing(err error) error {
	answer := new(dbus.Error)
	if err = classify(err); r.collection == string(defaultAlias) && errors.As(err, answer) && !errors.Is(err, ErrAbsent) {
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

// openSession calls for a session, unless one is open: 0.
func (r *reader) openSession() (serial uint32) {
	if r.session != "" {
		return 0
	}
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

// opened waits for the session that was called for. Before its path there is a value, of
// any type, that the plain algorithm has no use for.
func (r *reader) opened(serial uint32) error {
	if serial == 0 {
		return nil
	}
	d, err := r.answer(serial, "vo")
	if err != nil {
		return err
	}
	switch d.signature() {
	case "s":
		d.string()
	case "ay":
		d.bytes()
	default:
		return errUnversed
	}
	r.session = d.string()
	return d.err()
}

func (r *reader) secret(item string) (string, error) {
	var body encoder
	body.string(r.session)
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
