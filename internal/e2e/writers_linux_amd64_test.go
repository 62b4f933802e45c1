package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// kernelCall is a system call that writes, with the arguments that say where to; they
// count from 1, and 0 is none.
type kernelCall struct {
	name     string
	path, fd int
	data     int
	flags    int // with some of these it doesn't write
}

// writers are those that a Go program makes, and prctl.
var writers = map[uint64]kernelCall{
	unix.SYS_OPENAT:    {name: "openat", path: 2, flags: 3},
	unix.SYS_MKDIRAT:   {name: "mkdirat", path: 2},
	unix.SYS_UNLINKAT:  {name: "unlinkat", path: 2},
	unix.SYS_RENAMEAT:  {name: "renameat", path: 4},
	unix.SYS_RENAMEAT2: {name: "renameat2", path: 4},
	unix.SYS_LINKAT:    {name: "linkat", path: 4},
	unix.SYS_SYMLINKAT: {name: "symlinkat", path: 3},
	unix.SYS_FCHMODAT:  {name: "fchmodat", path: 2},
	unix.SYS_TRUNCATE:  {name: "truncate", path: 1},
	unix.SYS_FTRUNCATE: {name: "ftruncate", fd: 1},
	unix.SYS_FALLOCATE: {name: "fallocate", fd: 1},
	unix.SYS_FCHMOD:    {name: "fchmod", fd: 1},
	unix.SYS_FSYNC:     {name: "fsync", fd: 1},
	unix.SYS_FDATASYNC: {name: "fdatasync", fd: 1},
	unix.SYS_FLOCK:     {name: "flock", fd: 1, flags: 2},
	unix.SYS_WRITE:     {name: "write", fd: 1, data: 2},
	unix.SYS_PWRITE64:  {name: "pwrite", fd: 1, data: 2},
	unix.SYS_WRITEV:    {name: "writev", fd: 1},
	unix.SYS_SENDTO:    {name: "sendto", fd: 1, data: 2},
	unix.SYS_SENDMSG:   {name: "sendmsg", fd: 1},
	unix.SYS_PRCTL:     {name: "prctl"},
}

// writes says what a call is about to do, and to what: nothing, when it changes no file
// and no directory and sends nothing. What is said on stdout and stderr is no matter.
func (t *tracee) writes(c kernelCall, args [4]uint64) (what string, to target) {
	arg := func(i int) uint64 { return args[i-1] }
	const writing = unix.O_WRONLY | unix.O_RDWR | unix.O_CREAT | unix.O_TRUNC
	switch {
	case c.name == "openat" && arg(c.flags)&writing == 0, c.path == 0 && arg(c.fd) <= 2,
		c.name == "flock" && arg(c.flags)&unix.LOCK_UN != 0: // a process that ends unlocks too
		return "", toNothing
	case c.path > 0:
		return onFile(c.name, t.text(arg(c.path)))
	}
	name, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", t.pid, arg(c.fd)))
	switch {
	case err != nil, !strings.Contains(name, "/") && !strings.HasPrefix(name, "socket:"):
		return "", toNothing // the runtime's own: a pipe, an eventfd
	case strings.HasPrefix(name, "/"):
		return onFile(c.name, name)
	case !t.local(int(arg(c.fd))):
		return c.name + " to the network", toNetwork
	case c.data == 0:
		return c.name + " to the bus", toBus
	}
	return onBus(member(t.memory(arg(c.data), 512)))
}

// onBus tells calls that change the keychain from those that ask it.
func onBus(method string) (what string, to target) {
	if method == "CreateItem" || method == "SetSecret" || method == "Delete" {
		return method, toKeychain
	}
	return "to the bus " + method, toBus
}

// onFile leaves devices out, but for the memory that serves as a disk.
func onFile(call, path string) (what string, to target) {
	if strings.HasPrefix(path, "/dev/") && !strings.HasPrefix(path, "/dev/shm/") {
		return "", toNothing
	}
	return call + " " + filepath.Base(path), toFile
}

// local reports whether a socket is one of this machine's alone, as the bus's is.
func (t *tracee) local(fd int) bool {
	process, err := unix.PidfdOpen(t.pid, 0)
	if err != nil {
		return false
	}
	defer syscall.Close(process)
	socket, err := unix.PidfdGetfd(process, fd, 0)
	if err != nil {
		return false
	}
	defer syscall.Close(socket)
	domain, err := unix.GetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_DOMAIN)
	return err == nil && domain == unix.AF_UNIX
}

// member is the method that a D-Bus message calls: header field 3, a string.
func member(message []byte) string {
	_, field, ok := bytes.Cut(message, []byte("\x03\x01s\x00"))
	if !ok || len(field) < 4 {
		return ""
	}
	n := binary.LittleEndian.Uint32(field)
	if field = field[4:]; uint64(n) > uint64(len(field)) {
		return ""
	}
	return string(field[:n])
}

// text is the string at an address of the tracee's.
func (t *tracee) text(address uint64) string {
	text, _, _ := bytes.Cut(t.memory(address, 4096), []byte{0})
	return string(text)
}

// memory is what there is at an address, n bytes at most.
func (t *tracee) memory(address uint64, n int) []byte {
	f, err := os.Open(fmt.Sprintf("/proc/%d/mem", t.pid))
	if err != nil {
		return nil
	}
	defer f.Close()
	data := make([]byte, n)
	n, _ = f.ReadAt(data, int64(address))
	return data[:n]
}
