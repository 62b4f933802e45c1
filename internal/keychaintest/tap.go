package keychaintest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"

	"github.com/godbus/dbus/v5"
)

// Verdict is what becomes of a call to the secret service.
type Verdict int

// The verdicts.
const (
	Pass    Verdict = iota // it is passed on as it is
	Refuse                 // the service answers with an error
	Swallow                // nobody ever answers
	Lose                   // it is done, and then the service ends without an answer
	Stall                  // it is done, and nobody ever answers
	Dismiss                // the service wants a person to be asked, who says no
	HangUp                 // the bus ends the connection
)

// Tap returns the environment entry, to come after Env's, that leads children to the bus by
// way of the test. It sees each of their calls to the secret service before the service
// does: judge is called for one at a time, by the member's name.
func (b *Bus) Tap(judge func(member string) Verdict) (env string) {
	b.t.Helper()
	socket := filepath.Join(b.dir, "run", "tap")
	l, err := net.Listen("unix", socket)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { l.Close() })
	t := &tap{bus: filepath.Join(b.dir, "run", "bus"), judge: judge}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go t.serve(conn)
		}
	}()
	return "DBUS_SESSION_BUS_ADDRESS=unix:path=" + dbus.EscapeBusAddressValue(socket)
}

type tap struct {
	bus   string // its socket
	judge func(member string) Verdict
	mu    sync.Mutex
}

// tapped is one child's connection.
type tapped struct {
	*tap
	client, bus net.Conn
	mu          sync.Mutex         // of what is written to the client
	lost        map[uint32]Verdict // calls whose answers don't come, by serial number
}

func (t *tap) serve(client net.Conn) {
	defer client.Close()
	bus, err := net.Dial("unix", t.bus)
	if err != nil {
		return
	}
	defer bus.Close()
	c := &tapped{tap: t, client: client, bus: bus, lost: map[uint32]Verdict{}}
	go c.answers()
	c.calls()
}

// calls passes on what the client sends: lines until it says BEGIN, then messages.
func (c *tapped) calls() {
	in := bufio.NewReader(c.client)
	for line := ""; line != "BEGIN\r\n"; {
		var err error
		if line, err = in.ReadString('\n'); err != nil {
			return
		}
		io.WriteString(c.bus, line)
	}
	for {
		raw, m, err := message(in)
		if err != nil || !c.call(raw, m) {
			return
		}
	}
}

// call passes a message on, or does what the test says; false ends the connection.
func (c *tapped) call(raw []byte, m *dbus.Message) bool {
	to, _ := m.Headers[dbus.FieldDestination].Value().(string)
	verdict := Pass
	if m.Type == dbus.TypeMethodCall && to == serviceName {
		member, _ := m.Headers[dbus.FieldMember].Value().(string)
		verdict = c.verdict(member)
	}
	switch verdict {
	case Refuse:
		c.fail(m.Serial(), "org.freedesktop.DBus.Error.Failed", "the test says no")
	case Swallow:
	case Dismiss:
		c.dismiss(m)
	case HangUp:
		return false
	case Lose, Stall:
		c.mu.Lock()
		c.lost[m.Serial()] = verdict
		c.mu.Unlock()
		fallthrough
	default:
		c.bus.Write(raw)
	}
	return true
}

func (t *tap) verdict(member string) Verdict {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.judge(member)
}

// answers passes on what the bus sends: lines, which begin with a capital letter, then
// messages.
func (c *tapped) answers() {
	defer c.client.Close()
	in := bufio.NewReader(c.bus)
	for {
		first, err := in.Peek(1)
		if err != nil {
			return
		}
		if strings.IndexByte("ADEOR", first[0]) >= 0 {
			line, _ := in.ReadString('\n')
			c.write([]byte(line))
			continue
		}
		raw, m, err := message(in)
		if err != nil {
			return
		}
		to, _ := m.Headers[dbus.FieldReplySerial].Value().(uint32)
		c.mu.Lock()
		lost := c.lost[to]
		c.mu.Unlock()
		switch lost {
		case Lose:
			c.fail(to, "org.freedesktop.DBus.Error.NoReply", "Message recipient disconnected from message bus without replying")
		case Stall:
		default:
			c.write(raw)
		}
	}
}

// message reads one, and the bytes that it came in.
func message(in io.Reader) (raw []byte, m *dbus.Message, err error) {
	var seen bytes.Buffer
	m, err = dbus.DecodeMessage(io.TeeReader(in, &seen))
	return seen.Bytes(), m, err
}

func (c *tapped) write(raw []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.client.Write(raw)
}

// fail answers a call with an error.
func (c *tapped) fail(call uint32, name, text string) {
	c.send(dbus.TypeError, map[dbus.HeaderField]any{dbus.FieldReplySerial: call, dbus.FieldErrorName: name}, text)
}

// dismiss has the client ask for a prompt, whose result it gets at once.
func (c *tapped) dismiss(m *dbus.Message) {
	member, _ := m.Headers[dbus.FieldMember].Value().(string)
	reply := map[dbus.HeaderField]any{dbus.FieldReplySerial: m.Serial()}
	switch member {
	case "Prompt":
		c.send(dbus.TypeMethodReply, reply)
		c.send(dbus.TypeSignal, map[dbus.HeaderField]any{
			dbus.FieldPath: promptPath, dbus.FieldInterface: secretPrefix + "Prompt", dbus.FieldMember: "Completed",
		}, true, dbus.MakeVariant(""))
	case "CreateItem":
		c.send(dbus.TypeMethodReply, reply, noPath, promptPath)
	case "Delete":
		c.send(dbus.TypeMethodReply, reply, promptPath)
	default: // Unlock
		c.send(dbus.TypeMethodReply, reply, []dbus.ObjectPath{}, promptPath)
	}
}

// send makes a message as if it came from the bus.
func (c *tapped) send(kind dbus.Type, headers map[dbus.HeaderField]any, body ...any) {
	m := &dbus.Message{Type: kind, Headers: map[dbus.HeaderField]dbus.Variant{}, Body: body}
	headers[dbus.FieldSender] = ":1.0"
	if len(body) > 0 {
		headers[dbus.FieldSignature] = dbus.SignatureOf(body...)
	}
	for field, value := range headers {
		m.Headers[field] = dbus.MakeVariant(value)
	}
	var raw bytes.Buffer
	if err := m.EncodeTo(&raw, binary.LittleEndian); err != nil {
		panic(err)
	}
	c.write(raw.Bytes())
}
