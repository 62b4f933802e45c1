//go:build !darwin && !windows

package store

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/authctl/authctl/internal/keychaintest"
)

// A full keyring refuses the new item: the old secret stays, and no file of the new.
func TestFullKeyringKeepsTheOld(t *testing.T) {
	if os.Getenv(insideVar) == t.Name() {
		k := keychain(t, 10)
		must(t, k.Create(t.Context(), "work", []byte("the old secret")))
		before := entries(t, k.Dir)
		err := k.Create(t.Context(), "work", []byte("the new secret"))
		if err == nil || !strings.Contains(err.Error(), "no space left") || strings.Contains(err.Error(), "new secret") {
			t.Errorf("got %v, want what the keyring said", err)
		}
		if after := entries(t, k.Dir); len(after) != 1 || after[0] != before[0] {
			t.Errorf("got %v, want %v", after, before)
		}
		wantSecret(t, k, "work", "the old secret")
		must(t, k.Update(t.Context(), "work", []byte("a renewal needs no item")))
		wantSecret(t, k, "work", "a renewal needs no item")
		return
	}
	bus := keychaintest.Open(t, keychaintest.NoService)
	bus.Serve(keychaintest.Full)
	again(t, bus.Env())
}

// gnome-keyring is killed, comes back locked, and then unlocked, under one process.
func TestKeyringThatCrashes(t *testing.T) {
	if os.Getenv(insideVar) == t.Name() {
		ctx, k := t.Context(), keychain(t, 0)
		must(t, k.Create(ctx, "work", []byte("s")))
		for _, want := range []error{ErrAbsent, ErrLocked, nil} {
			step(t)
			if _, err := k.Get(ctx, "work"); !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		}
		return
	}
	bus := keychaintest.Open(t, keychaintest.Unlocked)
	stepped(t, bus.Env(), bus.StopKeyring,
		func() { bus.Keyring(keychaintest.Locked) }, func() { bus.Keyring(keychaintest.Unlocked) })
}

// step asks the parent, in a child, to do the next thing, and waits until it has.
func step(t *testing.T) {
	t.Helper()
	os.Stdout.WriteString("step\n")
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

// stepped runs the test in a child and one of do each time that the child calls step.
func stepped(t *testing.T, env []string, do ...func()) {
	t.Helper()
	cmd := child(t.Name(), env)
	var out bytes.Buffer
	in, err := cmd.StdinPipe()
	must(t, err)
	cmd.Stdout = writerFunc(func(p []byte) (int, error) {
		out.Write(p)
		for range bytes.Count(p, []byte("step\n")) {
			if len(do) > 0 {
				do[0]()
				do = do[1:]
			}
			in.Write([]byte{'\n'})
		}
		return len(p), nil
	})
	if err := cmd.Run(); err != nil || len(do) > 0 {
		t.Errorf("in a child: %v, %d steps left\n%s", err, len(do), out.String())
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Many processes at once, each a connection of its own, don't bring gnome-keyring
// down, and nobody takes its slowness for an empty keychain.
func TestManyProcesses(t *testing.T) {
	if os.Getenv(insideVar) == t.Name() {
		k := keychain(t, 0)
		wantSecret(t, k, "shared", "the secret that all read")
		if os.Getenv("STORE_TEST_WRITES") != "" {
			name := "own" + strconv.Itoa(os.Getpid())
			must(t, k.Create(t.Context(), name, []byte(name)))
			wantSecret(t, k, name, name)
			must(t, k.Delete(t.Context(), name))
		}
		return
	}
	bus := keychaintest.Open(t, keychaintest.Unlocked)
	conn := bus.Connect()
	seed(t, conn, "shared", "the secret that all read")
	const readers, writers = 64, 16
	ended := make(chan struct{})
	for i := range readers + writers {
		env := bus.Env()
		if i < writers {
			env = append(env, "STORE_TEST_WRITES=1")
		}
		go func() {
			again(t, env)
			ended <- struct{}{}
		}()
	}
	for range readers + writers {
		<-ended
	}
	if bus.KeyringDied() {
		t.Error("gnome-keyring aborted")
	}
}

// seed stores a secret as go-keyring would, on a connection of the test's own.
func seed(t *testing.T, conn *dbus.Conn, name, secret string) (item dbus.ObjectPath) {
	t.Helper()
	return seedIn(t, conn, loginCollection, name, []byte(secret))
}

func seedIn(t *testing.T, conn *dbus.Conn, collection dbus.ObjectPath, name string, secret []byte) (item dbus.ObjectPath) {
	t.Helper()
	var ignored dbus.Variant
	var session, prompt dbus.ObjectPath
	service := conn.Object(secretService, servicePath)
	_, err := service.GetProperty("org.freedesktop.Secret.Service.Collections")
	must(t, err)
	must(t, service.Call("org.freedesktop.Secret.Service.OpenSession", 0, "plain", dbus.MakeVariant("")).Store(&ignored, &session))
	properties := map[string]dbus.Variant{
		"org.freedesktop.Secret.Item.Label":      dbus.MakeVariant(name),
		"org.freedesktop.Secret.Item.Attributes": dbus.MakeVariant(map[string]string{"username": name, "service": "authctl-test"}),
	}
	value := struct {
		Session           dbus.ObjectPath
		Parameters, Value []byte
		ContentType       string
	}{session, []byte{}, secret, "text/plain"}
	must(t, conn.Object(secretService, collection).Call("org.freedesktop.Secret.Collection.CreateItem", 0,
		properties, value, true).Store(&item, &prompt))
	return item
}
