//go:build !darwin && !windows

package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/godbus/dbus/v5"
)

// The wire format of the D-Bus specification, as far as calls of the Secret Service and
// their answers have it.

// The most that an answer may have: a secret of a megabyte has much room in it.
const (
	maxFields = 64 << 10
	maxBody   = 16 << 20
)

// errMessage: a message that the specification doesn't have so.
var errMessage = errors.New("the D-Bus session bus sent what can't be understood")

// Types of messages, and the codes of the fields that one may have.
const (
	typeCall  = 1
	typeError = 3

	fieldPath        = 1
	fieldInterface   = 2
	fieldMember      = 3
	fieldErrorName   = 4
	fieldReplySerial = 5
	fieldDestination = 6
	fieldSignature   = 8
)

// call is a method call.
type call struct {
	to, path  string
	member    string // with its interface
	signature string // of what is in body
	body      encoder
}

func (c call) encode(serial uint32) []byte {
	dot := strings.LastIndexByte(c.member, '.')
	e := encoder{'l', typeCall, 0, 1}
	e.uint32(uint32(len(c.body)))
	e.uint32(serial)
	e.uint32(0) // the fields' length, once it is known
	e.field(fieldPath, 'o', c.path)
	e.field(fieldInterface, 's', c.member[:dot])
	e.field(fieldMember, 's', c.member[dot+1:])
	e.field(fieldDestination, 's', c.to)
	if c.signature != "" {
		e.field(fieldSignature, 'g', c.signature)
	}
	binary.LittleEndian.PutUint32(e[12:], uint32(len(e)-16))
	e.align(8)
	return append(e, c.body...)
}

// encoder appends values, each at a multiple of its alignment.
type encoder []byte

func (e *encoder) align(n int) {
	for len(*e)%n != 0 {
		*e = append(*e, 0)
	}
}

func (e *encoder) uint32(v uint32) {
	e.align(4)
	*e = binary.LittleEndian.AppendUint32(*e, v)
}

func (e *encoder) string(s string) {
	e.uint32(uint32(len(s)))
	*e = append(append(*e, s...), 0)
}

func (e *encoder) signature(s string) {
	*e = append(append(append(*e, byte(len(s))), s...), 0)
}

// field appends one of a header's fields, of type o, s or g.
func (e *encoder) field(code, kind byte, value string) {
	e.align(8)
	*e = append(*e, code)
	e.signature(string(kind))
	if kind == 'g' {
		e.signature(value)
		return
	}
	e.string(value)
}

// strings appends a dictionary of strings, given as keys and values in turn.
func (e *encoder) strings(pairs ...string) {
	e.uint32(0)
	size := len(*e) - 4
	e.align(8)
	first := len(*e)
	for i, s := range pairs {
		if i%2 == 0 {
			e.align(8)
		}
		e.string(s)
	}
	binary.LittleEndian.PutUint32((*e)[size:], uint32(len(*e)-first))
}

// message is what the bus sends, as far as an answer goes.
type message struct {
	kind      byte
	replyTo   uint32 // 0: it is no answer
	errorName string
	signature string
	body      decoder
}

// readMessage reads the next one. Its error is r's, or errMessage.
func readMessage(r io.Reader) (message, error) {
	var fixed [16]byte
	if _, err := io.ReadFull(r, fixed[:]); err != nil {
		return message{}, err
	}
	var order binary.ByteOrder = binary.LittleEndian
	if fixed[0] == 'B' {
		order = binary.BigEndian
	}
	body, fields := order.Uint32(fixed[4:]), order.Uint32(fixed[12:])
	if fixed[0] != 'l' && fixed[0] != 'B' || fields > maxFields || body > maxBody {
		return message{}, errMessage
	}
	start := (fields + 7) &^ 7
	data := make([]byte, start+body)
	if _, err := io.ReadFull(r, data); err != nil {
		return message{}, err
	}
	m := message{kind: fixed[1], body: decoder{data: data[start:], order: order}}
	return m, m.header(decoder{data: data[:fields], order: order})
}

func (m *message) header(d decoder) error {
	for d.at < len(d.data) && !d.failed {
		d.align(8)
		code, kind := d.byte(), d.signature()
		var text string
		var number uint32
		switch kind {
		case "s", "o":
			text = d.string()
		case "g":
			text = d.signature()
		case "u":
			number = d.uint32()
		default:
			return errMessage
		}
		switch code {
		case fieldErrorName:
			m.errorName = text
		case fieldReplySerial:
			m.replyTo = number
		case fieldSignature:
			m.signature = text
		}
	}
	return d.err()
}

// result is what a call comes to: values of the given signature, or a dbus.Error.
func (m *message) result(signature string) (*decoder, error) {
	if m.kind == typeError {
		failure := dbus.Error{Name: m.errorName}
		if strings.HasPrefix(m.signature, "s") {
			failure.Body = []any{m.body.string()}
		}
		return nil, failure
	}
	if m.signature != signature {
		return nil, fmt.Errorf("the secret service answers with %q where the specification says %q", m.signature, signature)
	}
	return &m.body, nil
}

// decoder takes values off data, each from a multiple of its alignment. What isn't there
// is zero, and err tells of it.
type decoder struct {
	data   []byte
	at     int
	order  binary.ByteOrder
	failed bool
}

func (d *decoder) err() error {
	if d.failed {
		return errMessage
	}
	return nil
}

func (d *decoder) take(n uint32) []byte {
	if d.failed || uint64(n) > uint64(len(d.data)-d.at) {
		d.failed = true
		return nil
	}
	d.at += int(n)
	return d.data[d.at-int(n) : d.at]
}

func (d *decoder) align(n int) { d.take(uint32(-d.at & (n - 1))) }

func (d *decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) uint32() uint32 {
	d.align(4)
	if b := d.take(4); b != nil {
		return d.order.Uint32(b)
	}
	return 0
}

// bytes is an array of them.
func (d *decoder) bytes() []byte { return d.take(d.uint32()) }

// string is one, or an object path.
func (d *decoder) string() string {
	s := string(d.bytes())
	d.take(1)
	return s
}

func (d *decoder) signature() string {
	s := string(d.take(uint32(d.byte())))
	d.take(1)
	return s
}

// strings is an array of them, or of object paths.
func (d *decoder) strings() (all []string) {
	size := d.uint32()
	list := decoder{data: d.take(size), order: d.order}
	for list.at < len(list.data) && !list.failed {
		all = append(all, list.string())
	}
	d.failed = d.failed || list.failed
	return all
}
