package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/authctl/authctl/internal/idp"
)

// With another program on the port, be it on one address of two or on all that there
// are, login doesn't begin: it says which address is taken, and who has it.
func TestPortIsSquatted(t *testing.T) {
	for _, tc := range []struct {
		name, network, squatted, redirect string
		taken                             string
	}{
		{"the address", "tcp4", "127.0.0.1", "127.0.0.1", "127.0.0.1"},
		{"one family of two, IPv4", "tcp4", "127.0.0.1", "localhost", "127.0.0.1"},
		{"one family of two, IPv6", "tcp6", "::1", "localhost", "[::1]"},
		{"all of IPv4", "tcp4", "0.0.0.0", "127.0.0.1", "127.0.0.1"},
		{"all of IPv6", "tcp6", "::", "localhost", "[::1]"},
		{"all there is", "tcp", "::", "127.0.0.1", "127.0.0.1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			u, port := newUser(t), freePort(t)
			redirect := "http://" + tc.redirect + ":" + port + "/callback"
			p := demoProvider(t, idp.Options{RedirectURIs: []string{redirect}})
			settings := []string{"login", "--issuer", p.Issuer(), "--client-id", "demo", "--redirect-uri", redirect, "--browser", robotBrowser()}
			squatter, err := listenAnyway(tc.network, net.JoinHostPort(tc.squatted, port))
			if err != nil {
				t.Fatal(err)
			}
			defer squatter.Close()
			_, stderr, code := u.run(settings...)
			want := fmt.Sprintf("authctl: listening on %s:%s: bind: address already in use\nhint: e2e.test (pid %d) has it: ", tc.taken, port, os.Getpid())
			if code != 1 || !strings.Contains(stderr, want) {
				t.Errorf("got exit %d and stderr\n%swant 1 and %q", code, stderr, want)
			}
			if got := p.Count("authorize"); got != 0 {
				t.Errorf("the browser was sent to the provider %d times, want 0", got)
			}
			squatter.Close()
			u.must(settings...)
		})
	}
}

// While a login waits, another user's program gets no part of its addresses: not with
// SO_REUSEPORT, not by an address that stands for all, not by one that it bound before.
func TestPortIsNotShared(t *testing.T) {
	for _, tc := range []struct {
		host    string
		refused [][2]string // network and address
		free    [][2]string // what the redirect URI doesn't name
	}{
		{"127.0.0.1", [][2]string{{"tcp4", "127.0.0.1"}, {"tcp4", "0.0.0.0"}, {"tcp", "::"}}, [][2]string{{"tcp6", "::1"}, {"tcp4", "127.0.0.2"}}},
		{"localhost", [][2]string{{"tcp4", "127.0.0.1"}, {"tcp4", "0.0.0.0"}, {"tcp", "::"}, {"tcp6", "::"}, {"tcp6", "::1"}}, [][2]string{{"tcp4", "127.0.0.2"}}},
	} {
		t.Run(tc.host, func(t *testing.T) {
			t.Parallel()
			u, port := newUser(t), freePort(t)
			redirect := "http://" + tc.host + ":" + port + "/callback"
			p := demoProvider(t, idp.Options{RedirectURIs: []string{redirect}})
			var early int // a socket that is bound, and doesn't listen yet
			var err error
			asNeighbour(t, func() { early, err = bindAnyway(port) })
			if err != nil {
				t.Fatal(err)
			}
			defer syscall.Close(early)
			login, asked := u.login("--issuer", p.Issuer(), "--client-id", "demo", "--redirect-uri", redirect)
			asNeighbour(t, func() {
				if err := syscall.Listen(early, 1); err != syscall.EADDRINUSE {
					t.Errorf("listening at what was bound before: %v, want it refused", err)
				}
				for _, at := range tc.refused {
					if err := tryToListen(at, port); !errors.Is(err, syscall.EADDRINUSE) {
						t.Errorf("listening at %s: %v, want it refused", at, err)
					}
				}
				for _, at := range tc.free {
					if err := tryToListen(at, port); err != nil {
						t.Errorf("listening at %s: %v, want it free", at, err)
					}
				}
			})
			visit(t, asked)
			if code := login.wait(); code != 0 {
				t.Errorf("login: exit %d\n%s", code, login.stderr)
			}
			asNeighbour(t, func() { // now it is anybody's
				for _, at := range tc.refused {
					if err := tryToListen(at, port); err != nil {
						t.Errorf("afterwards, listening at %s: %v", at, err)
					}
				}
			})
		})
	}
}

func tryToListen(at [2]string, port string) error {
	l, err := listenAnyway(at[0], net.JoinHostPort(at[1], port))
	if err != nil {
		return err
	}
	return l.Close()
}

// Another program takes every port of IPv6 that the system would give, once login has got
// that far. That must not look like a machine without IPv6: browsers try both of
// localhost's addresses, so the code would go to whoever has the other one.
func TestLocalhostIsNeverHalved(t *testing.T) {
	const squatted, free = "30000", "30001" // the system gives others
	for _, tc := range []struct {
		name, port string
		want       string // on stderr
	}{
		{"any port", "", `authctl: listening on \[::1\]:\d+: bind: address already in use\n`},
		{"a port that is taken", ":" + squatted, `authctl: listening on \[::1\]:30000: bind: address already in use\n`},
		{"a port that is free", ":" + free, `Redirect URI: http://localhost:30001/callback\n`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			onOwnThread(t, ownNetwork, func() {
				p, gate := gatedProvider(t, ".well-known/openid-configuration")
				login := u.start(nil, "login", "--issuer", p.issuer, "--client-id", "demo", "--redirect-uri", "http://localhost"+tc.port+"/callback", "--browser", "true")
				gate.await()
				for port := range givenPorts {
					defer squat(t, "[::1]:"+strconv.Itoa(port+firstGiven)).Close()
				}
				defer squat(t, "[::1]:"+squatted).Close()
				gate.open()
				login.stderr.await(t, tc.want)
				if strings.HasPrefix(tc.want, "authctl") {
					if code := login.wait(); code != 1 {
						t.Errorf("exit code: got %d, want 1", code)
					}
				} else if got, want := reachable(t, login.cmd.Process.Pid), []string{"127.0.0.1:" + free, "[::1]:" + free}; !slices.Equal(got, want) {
					t.Errorf("listens at %q, want %q", got, want)
				}
			})
		})
	}
}

// Where there is no IPv6 at all, half of localhost is all of it.
func TestLocalhostWithoutIPv6(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	onOwnThread(t, ownNetwork, func() {
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/all/disable_ipv6", []byte("1"), 0); err != nil {
			t.Error(err)
			return
		}
		p := demoProvider(t, idp.Options{})
		login := u.start(nil, "login", "--issuer", p.Issuer(), "--client-id", "demo", "--redirect-uri", "http://localhost/callback", "--browser", "true")
		port := login.stderr.await(t, `Redirect URI: http://localhost:(\d+)/callback\n`)[1]
		if got, want := reachable(t, login.cmd.Process.Pid), []string{"127.0.0.1:" + port}; !slices.Equal(got, want) {
			t.Errorf("listens at %q, want %q", got, want)
		}
	})
}

func squat(t testing.TB, addr string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// The ports that the system gives in ownNetwork.
const firstGiven, givenPorts = 40000, 32

// ownNetwork gives this thread a network that has nothing but loopback, and few ports.
func ownNetwork() error {
	if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
		return err
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	up := struct { // ifreq, see netdevice(7)
		name  [16]byte
		flags uint16
		_     [22]byte
	}{name: [16]byte{'l', 'o'}, flags: syscall.IFF_UP}
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&up))); errno != 0 {
		return errno
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", fmt.Appendf(nil, "%d %d", firstGiven, firstGiven+givenPorts-1), 0)
}

// reusePort is SO_REUSEPORT, which package syscall lacks.
const reusePort = 15

// listenAnyway does what a program can to share a port with another.
func listenAnyway(network, addr string) (net.Listener, error) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) {
			for _, option := range []int{syscall.SO_REUSEADDR, reusePort} {
				if err := syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, option, 1); err != nil {
					failed = err
				}
			}
		})
		if err != nil {
			return err
		}
		return failed
	}}
	return config.Listen(context.Background(), network, addr)
}

// bindAnyway binds a port of 127.0.0.1 and doesn't listen yet.
func bindAnyway(port string) (fd int, err error) {
	number, err := strconv.Atoi(port)
	if err != nil {
		return 0, err
	}
	fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return fd, err
	}
	return fd, syscall.Bind(fd, &syscall.SockaddrInet4{Port: number, Addr: [4]byte{127, 0, 0, 1}})
}
