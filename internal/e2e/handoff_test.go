package e2e

import (
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// browserVar holds, in the environment of a program that authctl started as its
// browser, the address at which the test waits for the URL.
const browserVar = "E2E_BROWSER"

// beBrowser hands the URL over to the browser that already runs, as the commands that
// desktops have for it do.
func beBrowser(args []string) (code int) {
	conn, err := net.Dial("tcp", os.Getenv(browserVar))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer conn.Close()
	if len(args) != 1 {
		fmt.Fprintf(os.Stderr, "got %q, want one URL\n", args)
		return 1
	}
	if _, err := io.WriteString(conn, args[0]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// handoff is where the URLs arrive that a user's authctl opens.
type handoff struct {
	t        testing.TB
	listener *net.TCPListener
}

// handoff makes the test binary the user's browser; its name is for --browser.
func (u *user) handoff() (browser string, h *handoff) {
	u.t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(func() { l.Close() })
	u.set(browserVar + "=" + l.Addr().String())
	path, err := os.Executable()
	if err != nil {
		u.t.Fatal(err)
	}
	return "'" + path + "'", &handoff{u.t, l}
}

// url waits for the one that p opens.
func (h *handoff) url(p *process) string {
	h.t.Helper()
	stop := p.whenDone(func() { h.listener.Close() })
	defer stop()
	h.listener.SetDeadline(time.Now().Add(patience))
	conn, err := h.listener.Accept()
	if err != nil {
		h.t.Fatalf("authctl opened no browser: %v\n%s", err, p.stderr)
	}
	defer conn.Close()
	url, err := io.ReadAll(conn)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(url)
}
