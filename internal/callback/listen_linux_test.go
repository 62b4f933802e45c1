package callback

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestNothingListensBeyondLoopback reads what the kernel says of our own sockets.
func TestNothingListensBeyondLoopback(t *testing.T) {
	bothFamilies(t)
	const v4, v6 = "0100007F", "00000000000000000000000001000000"
	for _, c := range []struct {
		host string
		want []string
	}{
		{"127.0.0.1", []string{v4}},
		{"[::1]", []string{v6}},
		{"localhost", []string{v4, v6}},
	} {
		g := begin(t, "http://"+c.host+"/callback", nil)
		var port int
		fmt.Sscan(g.u.Port(), &port)
		if got := listening(t, fmt.Sprintf("%04X", port)); !slices.Equal(got, c.want) {
			t.Errorf("%s listens at %q, want %q", c.host, got, c.want)
		}
	}
}

// listening are the local addresses, in the kernel's hexadecimal, of sockets in the
// state LISTEN (0A) at port.
func listening(t *testing.T, port string) []string {
	t.Helper()
	var addrs []string
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if addr, p, _ := strings.Cut(f[1], ":"); p == port && f[3] == "0A" {
				addrs = append(addrs, addr)
			}
		}
	}
	return addrs
}
