package callback

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

func TestRedirectURIIsKeptLetterForLetter(t *testing.T) {
	free := freePort(t)
	cases := []struct{ name, uri, want string }{
		{"no port", "http://127.0.0.1/callback", "http://127.0.0.1:PORT/callback"},
		{"port 0", "http://127.0.0.1:0/callback", "http://127.0.0.1:PORT/callback"},
		{"no path", "http://127.0.0.1", "http://127.0.0.1:PORT"},
		{"an empty port", "http://localhost:/cb", "http://localhost:PORT/cb"},
		{"a query", "http://localhost?tenant=a%2fb", "http://localhost:PORT?tenant=a%2fb"},
		{"IPv6", "http://[::1]/callback", "http://[::1]:PORT/callback"},
		{"a fixed port", "http://localhost:" + free + "/callback", "http://localhost:" + free + "/callback"},
		{"capitals and escapes", "HTTP://LocalHost/A%7eb/../c//", "HTTP://LocalHost:PORT/A%7eb/../c//"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if strings.Contains(c.uri, "[::1]") {
				bothFamilies(t)
			}
			l, err := Listen(c.uri, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			want := strings.ReplaceAll(c.want, "PORT", boundPort(l.crowd.listeners[0]))
			if got := l.RedirectURI(); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestListenRefuses(t *testing.T) {
	cases := []struct {
		name, uri string
		host      bool // by a *HostError
	}{
		{"another host", "http://auth.example.com/callback", true},
		{"all interfaces", "http://0.0.0.0:9000/callback", true},
		{"all interfaces, IPv6", "http://[::]:9000/callback", true},
		{"another loopback address", "http://127.0.0.2/callback", true},
		{"a mapped address", "http://[::ffff:127.0.0.1]/callback", true},
		{"a zone", "http://[::1%25lo]/callback", true},
		{"a number", "http://2130706433/callback", true},
		{"a name that only looks local", "http://localhost.example.com/callback", true},
		{"a root dot", "http://localhost./callback", true},
		{"no host", "http:///callback", true},
		{"a user", "http://me:pw@localhost/callback", true},
		{"a custom scheme", "com.example:/callback", true},
		{"another scheme", "ftp://localhost/callback", true},
		{"a fragment", "http://localhost/callback#x", false},
		{"no URL", "http://local host/", false},
		{"no port", "http://localhost:http/", false},
		{"https without a certificate", "https://localhost/", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l, err := Listen(c.uri, nil)
			if err == nil {
				l.Close()
				t.Fatalf("listens at %s", l.RedirectURI())
			}
			var host *HostError
			if errors.As(err, &host) != c.host {
				t.Errorf("got %v, want a *HostError: %t", err, c.host)
			}
			if strings.Contains(err.Error(), "pw") {
				t.Errorf("the error holds a password: %v", err)
			}
		})
	}
}

// squat takes addr, or fails the test.
func squat(t testing.TB, addr string) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

func freePort(t testing.TB) string {
	t.Helper()
	ln := squat(t, "127.0.0.1:0")
	ln.Close()
	return boundPort(ln)
}

func TestPortInUse(t *testing.T) {
	for _, c := range []struct{ name, squatter, host string }{
		{"IPv4", "127.0.0.1", "127.0.0.1"},
		{"one family of two, IPv4", "127.0.0.1", "localhost"},
		{"one family of two, IPv6", "[::1]", "localhost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bothFamilies(t)
			port := boundPort(squat(t, c.squatter+":0"))
			l, err := Listen("http://"+c.host+":"+port+"/callback", nil)
			if err == nil {
				l.Close()
				t.Fatal("listens on half of localhost")
			}
			var busy *PortError
			if !errors.As(err, &busy) {
				t.Fatalf("got %v, want a *PortError", err)
			}
			if want := c.squatter + ":" + port; busy.Addr != want {
				t.Errorf("got address %q, want %q", busy.Addr, want)
			}
			if n := strings.Count(err.Error(), port); n != 1 {
				t.Errorf("%q names the port %d times", err, n)
			}
		})
	}
}

// With hundreds of ports taken in one family only, some of the free ports that the
// system offers in the other are no good: each listener has both all the same.
func TestEphemeralPortIsFreeInBothFamilies(t *testing.T) {
	bothFamilies(t)
	for range 800 {
		squat(t, "[::1]:0")
	}
	for range 200 {
		l, err := Listen("http://localhost/callback", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		port := boundPort(l.crowd.listeners[0])
		var got []string
		for _, ln := range l.crowd.listeners {
			got = append(got, ln.Addr().String())
		}
		if want := fmt.Sprintf("[127.0.0.1:%s [::1]:%s]", port, port); fmt.Sprint(got) != want {
			t.Fatalf("bound %v, want %s", got, want)
		}
	}
}

// TestOneFamilyAlone: an address that this machine hasn't got at all is left out.
func TestOneFamilyAlone(t *testing.T) {
	bound, err := bind([]string{"127.0.0.1", "192.0.2.1"}, "") // RFC 5737: nobody's
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(bound)
	if len(bound) != 1 {
		t.Errorf("bound %d, want 127.0.0.1 alone", len(bound))
	}
	if bound, err := bind([]string{"192.0.2.1"}, ""); err == nil {
		closeAll(bound)
		t.Error("bound an address that isn't here")
	}
}

// TestOtherAddressesRefuse dials every other address that this machine has.
func TestOtherAddressesRefuse(t *testing.T) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		g := begin(t, "http://"+host+"/callback", nil)
		dialable(t, g.u.Host, true)
		for _, a := range addrs {
			ip := a.(*net.IPNet).IP
			if ip.IsLinkLocalUnicast() || ip.IsLoopback() {
				continue
			}
			dialable(t, net.JoinHostPort(ip.String(), g.u.Port()), false)
		}
		dialable(t, "127.0.0.2:"+g.u.Port(), false)
	}
}

func dialable(t *testing.T, addr string, want bool) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err == nil {
		conn.Close()
	}
	if (err == nil) != want {
		t.Errorf("dialling %s: got %v, want an answer: %t", addr, err, want)
	}
}
