package callback

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/need"
)

const (
	state     = "9nQ0mTzq6zJb1yFQm3kq2l8S4vXw7pRt5uHc0dEaGfI"
	patiently = 20 * time.Second // for what should take milliseconds, on a busy machine
)

// login is a sign-in that waits for its response.
type login struct {
	*Listener
	u    *url.URL
	got  chan *Response
	errs chan error
}

// begin listens at uri and waits for state.
func begin(t testing.TB, uri string, cert *tls.Certificate) *login {
	t.Helper()
	if strings.Contains(uri, "[::1]") {
		bothFamilies(t)
	}
	l, err := Listen(uri, cert)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	u, err := url.Parse(l.RedirectURI())
	if err != nil {
		t.Fatal(err)
	}
	g := &login{Listener: l, u: u, got: make(chan *Response, 1), errs: make(chan error, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if r, err := l.Wait(ctx, state); err != nil {
			g.errs <- err
		} else {
			g.got <- r
		}
	}()
	t.Cleanup(func() { cancel(); l.Close(); <-ended })
	return g
}

// response is what Wait returned.
func (g *login) response(t testing.TB) *Response {
	t.Helper()
	select {
	case r := <-g.got:
		return r
	case err := <-g.errs:
		t.Fatal(err)
	case <-time.After(patiently):
		t.Fatal("no response came")
	}
	return nil
}

// nothing has been delivered yet.
func (g *login) nothing(t testing.TB) {
	t.Helper()
	select {
	case r := <-g.got:
		t.Fatalf("a response was delivered: %v", r.Params)
	case err := <-g.errs:
		t.Fatalf("the wait ended: %v", err)
	default:
	}
}

// bothFamilies leaves the test out where there is no IPv6.
func bothFamilies(t testing.TB) {
	t.Helper()
	if len(existing(addresses("localhost"))) < 2 {
		need.Missing(t, "IPv6 on the loopback interface")
	}
}

// client is a browser that doesn't follow redirects.
func client(roots *tls.Config) *http.Client {
	return &http.Client{
		Timeout:       patiently,
		Transport:     &http.Transport{TLSClientConfig: roots, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// answer is a whole HTTP answer.
type answer struct {
	*http.Response
	body string
}

func get(t testing.TB, c *http.Client, url string) answer {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, resp)
}

func read(t testing.TB, resp *http.Response) answer {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp, string(body)}
}

// send writes text as it is, where HOST stands for host:port and PORT for the port,
// and reads one answer.
func (g *login) send(t testing.TB, text string) answer {
	t.Helper()
	conn := g.dial(t)
	defer conn.Close()
	text = strings.NewReplacer("HOST", g.u.Host, "PORT", g.u.Port(), "STATE", state, "\n", "\r\n").Replace(text)
	go io.WriteString(conn, text) // the answer may come before all is read
	conn.SetReadDeadline(time.Now().Add(patiently))
	method, _, _ := strings.Cut(text, " ")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	return read(t, resp)
}

func (g *login) dial(t testing.TB) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", g.u.Host, patiently)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// honest sends the right response and returns what was delivered.
func (g *login) honest(t testing.TB) *Response {
	t.Helper()
	a := g.send(t, "GET "+target(g.u)+"code=honest&state=STATE HTTP/1.1\nHost: HOST\n\n")
	if a.StatusCode != http.StatusSeeOther {
		t.Fatalf("the honest response got %s, want 303", a.Status)
	}
	r := g.response(t)
	if got := r.Params.Get("code"); got != "honest" {
		t.Fatalf("delivered code %q, want %q", got, "honest")
	}
	return r
}

// target is the path and the start of a query.
func target(u *url.URL) string {
	if u.RawQuery != "" {
		return canonicalPath(u) + "?" + u.RawQuery + "&"
	}
	return canonicalPath(u) + "?"
}

func TestWaitEndsWithItsContext(t *testing.T) {
	l, err := Listen("http://127.0.0.1/callback", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := l.Wait(ctx, state); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v, want the deadline", err)
	}
}

func TestWaitEndsWhenClosed(t *testing.T) {
	g := begin(t, "http://localhost/callback", nil)
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Fatalf("closing again: %v", err)
	}
	select {
	case err := <-g.errs:
		if !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) {
			t.Fatalf("got %v, want a closed listener", err)
		}
	case <-time.After(patiently):
		t.Fatal("still waiting")
	}
}

func TestWaitAfterClose(t *testing.T) {
	l, err := Listen("http://127.0.0.1/callback", nil)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := l.Wait(t.Context(), state); err == nil {
		t.Fatal("waited at a closed listener")
	}
}
