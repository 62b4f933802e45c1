//go:build !darwin && !windows

package store

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
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
	socket *os.File
	in     *bufio.Reader
	out    []byte // is sent when an answer is waited for
	serial uint32 // the last call's
	early  map[uint32]message
}

// errUnversed: the bus is reached, or a service answers, in a way that godbus knows.
var errUnversed = errors.New("this is godbus' to do")

// errStranger: somebody else listens there, whom godbus would talk to.
var errStranger = errors.New("it isn't yours")

// openBus connects to the first of the addresses at which somebody listens. With one before
// it that only godbus knows it is errUnversed, unless a stranger listens.
func openBus(ctx context.Context, addresses string) (*bus, error) {
	err, unversed := errors.New("its address is empty"), false
	for address := range strings.SplitSeq(addresses, ";") {
		name, unknown := busSocket(address)
		if unknown != nil {
			unversed = true
			continue
		}
		var socket *os.File
		socket, err = dialSocket(ctx, name)
		switch {
		case err == nil && unversed:
			socket.Close()
			return nil, errUnversed
		case err == nil:
			return &bus{socket: socket, in: bufio.NewReader(socket), early: map[uint32]message{}}, nil
		case errors.Is(err, errStranger):
			return nil, unreachable(ctx, err)
		}
	}
	if unversed {
		return nil, errUnversed
	}
	return nil, unreachable(ctx, err)
}

func (b *bus) close() { b.socket.Close() }

// busSocket is the socket of an address as "unix:path=/run/user/1000/bus,guid=…", named
// as package syscall does: @ begins an abstract one.
func busSocket(address string) (string, error) {
	options, local := strings.CutPrefix(address, "unix:")
	for option := range strings.SplitSeq(options, ",") {
		key, value, _ := strings.Cut(option, "=")
		name, err := dbus.UnescapeBusAddressValue(value)
		switch {
		case !local || err != nil || name == "":
			return "", errUnversed
		case key == "path" && name[0] == '/':
			return name, nil
		case key == "abstract":
			return "@" + name, nil
		}
	}
	return "", errUnversed
}

// dialSocket connects a socket that blocks: the runtime's poller would have another thread
// wait and wake this one, which costs more than what is waited for.
func dialSocket(ctx context.Context, name string) (*os.File, error) {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if deadline, ok := ctx.Deadline(); ok { // the one bound where the queue to it is full
		left := syscall.NsecToTimeval(max(time.Until(deadline), time.Millisecond).Nanoseconds())
		_ = syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &left)
	}
	err = syscall.EINTR
	for err == syscall.EINTR {
		err = syscall.Connect(fd, &syscall.SockaddrUnix{Name: name})
	}
	if err == syscall.EAGAIN { // it waited as long as ctx
		<-ctx.Done()
	}
	if err = os.NewSyscallError("connect", err); err == nil {
		err = checkPeer(fd)
	}
	if err != nil {
		syscall.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// hangUp ends whatever reads from the socket, or writes to it: what has not come until
// then never comes.
func (b *bus) hangUp() {
	raw, err := b.socket.SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) { _ = syscall.Shutdown(int(fd), syscall.SHUT_RDWR) }) // fails once it is closed
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
	_, err := b.socket.Write(b.out)
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
