//go:build !darwin && !windows

package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authctl/authctl/internal/keychaintest"
)

func TestBusSocket(t *testing.T) {
	for _, tc := range []struct {
		name, address string
		want          string // "": it is reached in another way
	}{
		{"path", "unix:path=/run/user/1000/bus", "/run/user/1000/bus"},
		{"with the bus's number", "unix:path=/tmp/dbus-x,guid=1eb4dc0e", "/tmp/dbus-x"},
		{"number first", "unix:guid=1eb4dc0e,path=/tmp/dbus-x", "/tmp/dbus-x"},
		{"escaped", "unix:path=/tmp/a%20b%2cc%3bd", "/tmp/a b,c;d"},
		{"abstract", "unix:abstract=/tmp/dbus-x", "@/tmp/dbus-x"},
		{"badly escaped", "unix:path=/tmp/%zz", ""},
		{"a relative path", "unix:path=bus", ""},
		{"looks abstract", "unix:path=@bus", ""},
		{"no name", "unix:path=", ""},
		{"no socket", "unix:guid=1eb4dc0e", ""},
		{"to listen at", "unix:dir=/tmp", ""},
		{"TCP", "tcp:host=localhost,port=1234", ""},
		{"a path, but not local", "nonce-tcp:path=/x", ""},
		{"to be started", "autolaunch:scope=x", ""},
		{"nothing", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := busSocket(tc.address)
			if got != tc.want || (err != nil) != (tc.want == "") || err != nil && !errors.Is(err, errUnversed) {
				t.Errorf("got %q, %v, want %q", got, err, tc.want)
			}
		})
	}
}

// However the bus is reached, the secret is read.
func TestBusAddresses(t *testing.T) {
	const name = "reached"
	if os.Getenv(insideVar) == t.Name() {
		wantSecret(t, keychain(t, 0), name, "the secret")
		return
	}
	bus := keychaintest.Open(t, keychaintest.Unlocked)
	seed(t, bus.Connect(), name, "the secret")
	_, path, _ := strings.Cut(bus.Env()[0], "unix:path=")
	abstract := "authctl-test-" + randomText()
	port := strings.TrimPrefix(forward(t, "tcp", "127.0.0.1:0", path), "127.0.0.1:")
	forward(t, "unix", "@"+abstract, path)
	for _, address := range []string{
		"unix:path=" + path,
		"unix:abstract=" + abstract + ",guid=1eb4dc0e",
		"unix:path=" + t.TempDir() + "/gone;unix:path=" + path,
		"tcp:host=127.0.0.1,port=" + port,
		"autolaunch:;unix:path=" + path,
	} {
		again(t, append(bus.Env(), "DBUS_SESSION_BUS_ADDRESS="+address))
	}
}

// Where nobody takes who comes, and the queue is full, a caller waits as long as they want.
func TestBusQueueIsFull(t *testing.T) {
	name := shortDir(t) + "/bus"
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	must(t, err)
	defer syscall.Close(fd)
	must(t, syscall.Bind(fd, &syscall.SockaddrUnix{Name: name}))
	must(t, syscall.Listen(fd, 0))
	first, err := net.Dial("unix", name)
	must(t, err)
	defer first.Close()
	k := &Keychain{Service: "authctl-test", Getenv: func(string) string { return "unix:path=" + name }}
	ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	if err := get(ctx, k); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrAbsent) {
		t.Errorf("got %v, want the caller's own deadline", err)
	}
}

// forward listens, and connects whoever comes to the bus.
func forward(t *testing.T, network, address, bus string) string {
	t.Helper()
	l, err := net.Listen(network, address)
	must(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("unix", bus)
			if err != nil {
				client.Close()
				continue
			}
			go func() { io.Copy(server, client); server.Close() }()
			go func() { io.Copy(client, server); client.Close() }()
		}
	}()
	return l.Addr().String()
}

// A call is what godbus, which knows all of the format, takes it for.
func TestCallIsUnderstood(t *testing.T) {
	var body encoder
	body.strings("username", "ada", "service", "authctl")
	raw := call{to: "org.example", path: "/a/b", member: "org.example.Iface.Find", signature: "a{ss}", body: body}.encode(7)
	m, err := dbus.DecodeMessage(bytes.NewReader(raw))
	must(t, err)
	found, ok := m.Body[0].(map[string]string)
	if !ok || len(found) != 2 || found["username"] != "ada" || found["service"] != "authctl" {
		t.Errorf("got %v", m.Body)
	}
	for field, want := range map[dbus.HeaderField]any{
		dbus.FieldDestination: "org.example", dbus.FieldPath: dbus.ObjectPath("/a/b"),
		dbus.FieldInterface: "org.example.Iface", dbus.FieldMember: "Find",
	} {
		if got := m.Headers[field].Value(); got != want {
			t.Errorf("field %d: got %v, want %v", field, got, want)
		}
	}
	if m.Serial() != 7 || m.Type != dbus.TypeMethodCall {
		t.Errorf("got serial number %d, type %v", m.Serial(), m.Type)
	}
}

// fromBus is a message as godbus writes it.
func fromBus(t testing.TB, kind dbus.Type, order binary.ByteOrder, headers map[dbus.HeaderField]any, body ...any) []byte {
	t.Helper()
	m := &dbus.Message{Type: kind, Headers: map[dbus.HeaderField]dbus.Variant{}, Body: body}
	if len(body) > 0 {
		m.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(body...))
	}
	for field, value := range headers {
		m.Headers[field] = dbus.MakeVariant(value)
	}
	var raw bytes.Buffer
	if err := m.EncodeTo(&raw, order); err != nil {
		t.Fatal(err)
	}
	return raw.Bytes()
}

func TestAnswerIsUnderstood(t *testing.T) {
	type secret struct {
		Session           dbus.ObjectPath
		Parameters, Value []byte
		ContentType       string
	}
	reply := map[dbus.HeaderField]any{dbus.FieldReplySerial: uint32(7), dbus.FieldSender: ":1.5", dbus.FieldDestination: ":1.6"}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		m, err := readMessage(bytes.NewReader(fromBus(t, dbus.TypeMethodReply, order, reply, secret{"/s", []byte{}, []byte("a token"), "text/plain"})))
		must(t, err)
		d, err := m.result("(oayays)")
		must(t, err)
		session, _, value, kind := d.string(), d.bytes(), string(d.bytes()), d.string()
		if m.replyTo != 7 || session != "/s" || value != "a token" || kind != "text/plain" || d.err() != nil {
			t.Errorf("%v: got %q, %q, %q, %v", order, session, value, kind, d.err())
		}
		m, err = readMessage(bytes.NewReader(fromBus(t, dbus.TypeMethodReply, order, reply, dbus.MakeVariant([]dbus.ObjectPath{"/a", "/b/c"}))))
		must(t, err)
		d, err = m.result("v")
		must(t, err)
		if got := d.signature() + " " + strings.Join(d.strings(), " "); got != "ao /a /b/c" || d.err() != nil {
			t.Errorf("%v: got %q, %v", order, got, d.err())
		}
	}
}

// What is no answer to our call, or not the one that the specification promises, is an
// error, and never an empty secret.
func TestAnswerIsRefused(t *testing.T) {
	reply := map[dbus.HeaderField]any{dbus.FieldReplySerial: uint32(7)}
	good := fromBus(t, dbus.TypeMethodReply, binary.LittleEndian, reply, "text")
	changed := func(at int, to ...byte) []byte {
		raw := bytes.Clone(good)
		copy(raw[at:], to)
		return raw
	}
	body := len(good) - len("text") - 5 // where the text's length is
	for _, tc := range []struct {
		name string
		raw  []byte
		want error // nil: any
	}{
		{"cut", good[:len(good)-1], io.ErrUnexpectedEOF},
		{"cut in the header", good[:9], io.ErrUnexpectedEOF},
		{"nothing", nil, io.EOF},
		{"no byte order", changed(0, 'x'), errMessage},
		{"a body without bounds", changed(4, 0xff, 0xff, 0xff, 0xff), errMessage},
		{"fields without bounds", changed(12, 0xff, 0xff, 0xff, 0xff), errMessage},
		{"a text longer than the body", changed(body, 0xff, 0xff, 0xff, 0xff), errMessage},
		{"of another type", fromBus(t, dbus.TypeMethodReply, binary.LittleEndian, reply, uint32(1)), nil},
		{"empty", fromBus(t, dbus.TypeMethodReply, binary.LittleEndian, reply), nil},
		{"an error", fromBus(t, dbus.TypeError, binary.LittleEndian, map[dbus.HeaderField]any{
			dbus.FieldReplySerial: uint32(7), dbus.FieldErrorName: "org.example.No"}, "no"), dbus.Error{Name: "org.example.No"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := first(readString(tc.raw))
			if err == nil || tc.want != nil && !errors.Is(err, tc.want) && !(errors.As(err, new(dbus.Error)) && tc.name == "an error") {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
	if text, err := readString(good); text != "text" || err != nil {
		t.Errorf("the honest one: got %q, %v", text, err)
	}
}

func first(_ string, err error) error { return err }

// readString reads an answer that is one text.
func readString(raw []byte) (string, error) {
	m, err := readMessage(bytes.NewReader(raw))
	if err != nil {
		return "", err
	}
	d, err := m.result("s")
	if err != nil {
		return "", err
	}
	text := d.string()
	return text, d.err()
}

// Whatever comes from the bus is read within its own bounds, or refused.
func FuzzMessage(f *testing.F) {
	reply := map[dbus.HeaderField]any{dbus.FieldReplySerial: uint32(1), dbus.FieldSender: ":1.5"}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		f.Add(fromBus(f, dbus.TypeMethodReply, order, reply, "text"))
		f.Add(fromBus(f, dbus.TypeMethodReply, order, reply, dbus.MakeVariant([]dbus.ObjectPath{"/a", "/b"})))
		f.Add(fromBus(f, dbus.TypeMethodReply, order, reply, dbus.MakeVariant(""), dbus.ObjectPath("/s")))
		f.Add(fromBus(f, dbus.TypeError, order, map[dbus.HeaderField]any{dbus.FieldReplySerial: uint32(1), dbus.FieldErrorName: "org.example.No"}, "no"))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := readMessage(bytes.NewReader(raw))
		if err != nil {
			return
		}
		for _, take := range []func(*decoder) int{
			func(d *decoder) int { return len(d.string()) },
			func(d *decoder) int { return len(d.bytes()) },
			func(d *decoder) int { return len(d.signature()) },
			func(d *decoder) int { return len(strings.Join(d.strings(), "")) },
		} {
			d := m.body
			for d.at < len(d.data) && d.err() == nil {
				if n := take(&d); n > len(raw) {
					t.Fatalf("took %d bytes out of %d", n, len(raw))
				}
			}
		}
	})
}
