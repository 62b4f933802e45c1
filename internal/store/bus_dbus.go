//go:build !darwin && !windows

package store

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/godbus/dbus/v5"
)

// bus is a connection to a D-Bus message bus, for calls and their answers: what reading
// one secret needs of the specification. godbus, which go-keyring brings, decodes a
// secret byte by byte through reflection.
type bus struct {
	conn   net.Conn
	in     *bufio.Reader
	out    []byte // is sent when an answer is waited for
	serial uint32 // the last call's
	early  map[uint32]message
}

// errOtherBus: the bus is not at a local socket whose name is known.
var errOtherBus = errors.New("the session bus is reached in another way")

// openBus connects to the first of the addresses at which somebody listens. The caller
// closes conn; what it has not got by the end of ctx, it never gets.
func openBus(ctx context.Context, addresses string) (*bus, error) {
	err := errors.New("its address is empty")
	for address := range strings.SplitSeq(addresses, ";") {
		var socket string
		if socket, err = busSocket(address); err != nil {
			return nil, err
		}
		var conn net.Conn
		if conn, err = dialSocket(ctx, socket); err == nil {
			context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
			return &bus{conn: conn, in: bufio.NewReader(conn), early: map[uint32]message{}}, nil
		}
	}
	return nil, unreachable(ctx, err)
}

// busSocket is the socket of an address as "unix:path=/run/user/1000/bus,guid=…", named
// as package net does: @ begins an abstract one.
func busSocket(address string) (string, error) {
	options, local := strings.CutPrefix(address, "unix:")
	for option := range strings.SplitSeq(options, ",") {
		key, value, _ := strings.Cut(option, "=")
		name, err := dbus.UnescapeBusAddressValue(value)
		switch {
		case !local || err != nil || name == "":
			return "", errOtherBus
		case key == "path" && name[0] == '/':
			return name, nil
		case key == "abstract":
			return "@" + name, nil
		}
	}
	return "", errOtherBus
}

// dialSocket waits where many want in at once: the kernel doesn't let a caller that can be
// interrupted wait for a place in the queue.
func dialSocket(ctx context.Context, name string) (net.Conn, error) {
	for {
		conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: name, Net: "unix"})
		if err == nil {
			return conn, nil
		}
		if !errors.Is(err, syscall.EAGAIN) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(time.Millisecond):
		}
	}
}

// greet says who we are, by the socket's credentials, and takes the place on the bus that
// comes with that. What is called next is sent along.
func (b *bus) greet() (hello uint32) {
	uid := hex.EncodeToString([]byte(strconv.Itoa(os.Getuid())))
	b.out = append(b.out, "\x00AUTH EXTERNAL "+uid+"\r\nBEGIN\r\n"...)
	return b.call(call{to: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", member: "org.freedesktop.DBus.Hello"})
}

// greeted waits until the bus has let us in.
func (b *bus) greeted(hello uint32) error {
	if err := b.flush(); err != nil {
		return err
	}
	line, err := b.in.ReadSlice('\n')
	if err != nil {
		return cutOff(err)
	}
	if !strings.HasPrefix(string(line), "OK ") {
		return fmt.Errorf("%w: the D-Bus session bus does not let us in", ErrAbsent)
	}
	_, err = b.answer(hello, "s")
	return err
}

// call queues a call, and returns the number that its answer will have.
func (b *bus) call(c call) (serial uint32) {
	b.serial++
	b.out = append(b.out, c.encode(b.serial)...)
	return b.serial
}

// answer waits for a call's answer, of the given signature. The service may answer
// another call before.
func (b *bus) answer(serial uint32, signature string) (*decoder, error) {
	if err := b.flush(); err != nil {
		return nil, err
	}
	for {
		if m, ok := b.early[serial]; ok {
			delete(b.early, serial)
			return m.result(signature)
		}
		m, err := readMessage(b.in)
		if err != nil {
			return nil, cutOff(err)
		}
		if m.replyTo != 0 && m.replyTo <= b.serial { // not a signal
			b.early[m.replyTo] = m
		}
	}
}

func (b *bus) flush() error {
	if len(b.out) == 0 {
		return nil
	}
	_, err := b.conn.Write(b.out)
	b.out = nil
	return cutOff(err)
}

// cutOff is what a failed read or write means: the bus has ended, or ended us.
func cutOff(err error) error {
	if err == nil || errors.Is(err, errMessage) {
		return err
	}
	return fmt.Errorf("%w (%w)", errVanished, io.EOF)
}
