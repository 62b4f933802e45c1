package e2e

import (
	"encoding/hex"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/idp"
)

// socket is one of a process's own.
type socket struct {
	protocol string // a file of /proc/PID/net
	local    string // its address, as net.Addr has it; empty for unix
	state    string // of TCP, as the kernel numbers it
}

// The states of TCP that we ask for; include/net/tcp_states.h.
const (
	established = "01"
	listening   = "0A"
)

// sockets asks the kernel which ones a process has, see proc(5).
func sockets(t testing.TB, pid int) []socket {
	t.Helper()
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	links, err := filepath.Glob(proc + "/fd/*")
	if err != nil || len(links) == 0 {
		t.Fatalf("got %d file descriptors, %v", len(links), err)
	}
	known := socketTable(t, proc)
	var all []socket
	for _, link := range links {
		target, _ := os.Readlink(link) // one that was closed meanwhile is no socket
		if inode, is := strings.CutPrefix(target, "socket:["); is {
			s, ok := known[strings.TrimSuffix(inode, "]")]
			if !ok {
				s.protocol = "unknown"
			}
			all = append(all, s)
		}
	}
	return all
}

// socketTable is every socket of the process's network, by its inode.
func socketTable(t testing.TB, proc string) map[string]socket {
	t.Helper()
	all := map[string]socket{}
	for protocol, inode := range map[string]int{"tcp": 9, "tcp6": 9, "udp": 9, "udp6": 9, "udplite": 9, "udplite6": 9, "raw": 9, "raw6": 9, "icmp": 9, "icmp6": 9, "unix": 6} {
		text, err := os.ReadFile(filepath.Join(proc, "net", protocol))
		if err != nil {
			continue // the kernel hasn't got it
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			switch {
			case len(f) <= inode || !strings.Contains(f[0], ":") || f[0] == "sl":
			case protocol == "unix":
				all[f[inode]] = socket{protocol: protocol}
			default:
				all[f[inode]] = socket{protocol, address(t, f[1]), f[3]}
			}
		}
	}
	return all
}

// address reads the kernel's hexadecimal: words in the machine's order, here little
// endian, and the port.
func address(t testing.TB, text string) string {
	t.Helper()
	words, port, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(words)
	if err != nil {
		t.Fatal(err)
	}
	for word := range slices.Chunk(raw, 4) {
		slices.Reverse(word)
	}
	ip, _ := netip.AddrFromSlice(raw)
	number, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		t.Fatal(err)
	}
	return netip.AddrPortFrom(ip, uint16(number)).String()
}

// reachable are the addresses at which others could reach a process: TCP that listens,
// and anything else but D-Bus and its own connections.
func reachable(t testing.TB, pid int) []string {
	t.Helper()
	var all []string
	for _, s := range sockets(t, pid) {
		switch {
		case s.protocol == "unix":
		case !strings.HasPrefix(s.protocol, "tcp"):
			all = append(all, s.protocol+" "+s.local)
		case s.state == listening:
			all = append(all, s.local)
		}
	}
	slices.Sort(all)
	return all
}

// A look that finds nothing proves nothing, unless it would have found it.
func TestSocketsAreSeen(t *testing.T) {
	tcp, err := net.Listen("tcp", "[::]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	got := reachable(t, os.Getpid())
	for _, want := range []string{tcp.Addr().String(), "udp " + udp.LocalAddr().String()} {
		if !slices.Contains(got, want) {
			t.Errorf("got %q, want %q among them", got, want)
		}
	}
}

// Whatever the redirect URI, a login listens on the loopback addresses that it names, on
// one port, and nowhere else.
func TestLoginListensOnLoopbackAlone(t *testing.T) {
	for _, tc := range []struct {
		name, redirect string
		want           []string
	}{
		{"127.0.0.1", "http://127.0.0.1/callback", []string{"127.0.0.1"}},
		{"IPv6", "http://[::1]/callback", []string{"::1"}},
		{"localhost", "http://localhost/callback", []string{"127.0.0.1", "::1"}},
		{"fixed port", "http://127.0.0.1:" + freePort(t) + "/callback", []string{"127.0.0.1"}},
		{"https", "https://localhost:" + freePort(t) + "/callback", []string{"127.0.0.1", "::1"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			u, p := newUser(t), demoProvider(t, idp.Options{RedirectURIs: []string{tc.redirect}})
			login, asked := u.login("--issuer", p.Issuer(), "--client-id", "demo", "--redirect-uri", tc.redirect)
			port := portOf(t, asked)
			var want []string
			for _, ip := range tc.want {
				want = append(want, net.JoinHostPort(ip, port))
			}
			if got := reachable(t, login.cmd.Process.Pid); !slices.Equal(got, want) {
				t.Errorf("listens at %q, want %q", got, want)
			}
			for _, other := range append(otherAddresses(t), "127.0.0.2") {
				if conn, err := net.DialTimeout("tcp", net.JoinHostPort(other, port), time.Second); err == nil {
					conn.Close()
					t.Errorf("it can be reached at %s", other)
				}
			}
			visit(t, asked)
			if code := login.wait(); code != 0 {
				t.Errorf("login: exit %d\n%s", code, login.stderr)
			}
		})
	}
}

func portOf(t testing.TB, asked string) string {
	t.Helper()
	u, err := url.Parse(redirectURI(t, asked))
	if err != nil {
		t.Fatal(err)
	}
	return u.Port()
}

// otherAddresses are this machine's beyond loopback.
func otherAddresses(t testing.TB) []string {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, a := range addrs {
		if ip := a.(*net.IPNet).IP; !ip.IsLoopback() && !ip.IsLinkLocalUnicast() {
			all = append(all, ip.String())
		}
	}
	return all
}
