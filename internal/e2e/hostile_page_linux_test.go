package e2e

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A page of another origin that knows the port, and in the end even the path of the
// result, tries all that browsers let pages do, while its user signs in in another tab.
// It reads nothing, frames nothing, and changes nothing.
func TestHostilePage(t *testing.T) {
	t.Parallel()
	w, u := newWindow(t), newUser(t)
	evil := w.tab()
	evil.do(chromedp.Navigate(hostileSite(t)))
	read(evil, chromedp.Evaluate[bool]("ready.then(() => true)", chromedp.EvalAwaitPromise))
	open := obligingSite(t)
	for name, got := range evil.attempt(open) {
		if !got {
			t.Errorf("the page gets nothing by %s where nothing forbids it", name)
		}
	}
	eventually(t, "a frame of what lets itself be framed", func() bool { return evil.frames(open) })

	p, gate := gatedProvider(t, "token")
	login, asked := u.login("--issuer", p.issuer, "--client-id", "demo")
	at := redirectURI(t, asked)
	for _, forged := range []string{at, at + "?error=access_denied", at + "?code=evil&state=" + otherState} {
		evil.getsNothing("while login waits", evil.attempt(forged))
	}

	w.atDemo(asked)
	gate.await()
	again := at + "?state=" + parameter(t, asked, "state")
	page := strings.TrimSuffix(at, "/callback") + u.door(again).sentOn(again)
	read(evil, chromedp.Evaluate[int](fmt.Sprintf("held = attempt(%q), 0", page), byUser))
	eventually(t, "both tabs wait for the page", func() bool { return login.connections() > 3 })
	gate.open()
	if got := w.lastPage(); !strings.Contains(got.title, account) || got.address != page {
		t.Errorf("the honest tab: got %q at %q, want %s at %q", got.title, got.address, account, page)
	}
	if code := login.wait(); code != 0 || p.Count("token/authorization_code") != 1 {
		t.Errorf("login: exit %d after %d codes, want 0 after 1", code, p.Count("token/authorization_code"))
	}
	evil.getsNothing("with the page", read(evil, chromedp.Evaluate[map[string]bool]("held", chromedp.EvalAwaitPromise)))
	if evil.frames(at) {
		t.Error("it has an answer of login's in a frame")
	}
	undisturbed(t, login, p.issuer)
}

// tab is another one of the same browser, cookies and all.
func (w *window) tab() *window {
	w.t.Helper()
	ctx, cancel := chromedp.NewContext(w.ctx)
	w.t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		w.t.Fatalf("opening a tab in Chromium: %v", err)
	}
	return &window{w.t, ctx}
}

// attempt is hostile.html's function: what it got by which means.
func (w *window) attempt(address string) map[string]bool {
	w.t.Helper()
	return read(w, chromedp.Evaluate[map[string]bool](fmt.Sprintf("attempt(%q)", address), byUser, chromedp.EvalAwaitPromise))
}

// byUser evaluates as if the user had clicked: only then pages may open windows.
func byUser(p *runtime.EvaluateParams) { p.UserGesture = new(true) }

func (w *window) getsNothing(when string, attempts map[string]bool) {
	w.t.Helper()
	if len(attempts) < 8 {
		w.t.Errorf("%s the page made %d attempts, want 8", when, len(attempts))
	}
	for name, got := range attempts {
		if got {
			w.t.Errorf("%s the page gets something by %s", when, name)
		}
	}
}

// frames reports whether a tab has an answer from the address's origin in a frame. One
// that was kept out has its address there all the same, and in it the browser's own page.
func (w *window) frames(address string) bool {
	w.t.Helper()
	targets, err := chromedp.Targets(w.ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	origin := address[:strings.LastIndex(address, "/")+1]
	for _, target := range targets {
		if target.Type != "iframe" || !strings.HasPrefix(target.URL, origin) {
			continue
		}
		frame, cancel := chromedp.NewContext(w.ctx, chromedp.WithTargetID(target.TargetID), chromedp.WithDetachOnCancel())
		defer cancel()
		if at := read(&window{w.t, frame}, chromedp.Evaluate[string]("location.href")); strings.HasPrefix(at, origin) {
			return true
		}
	}
	return false
}

// connections is how many the process has, whoever opened them.
func (p *process) connections() (n int) {
	p.t.Helper()
	for _, s := range sockets(p.t, p.cmd.Process.Pid) {
		if strings.HasPrefix(s.protocol, "tcp") && s.state == established {
			n++
		}
	}
	return n
}

// hostileSite serves testdata, hostile.html among it, and is called localhost: another
// site than 127.0.0.1.
func hostileSite(t testing.TB) (page string) {
	t.Helper()
	server := httptest.NewServer(http.FileServer(http.Dir("testdata")))
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1) + "/hostile.html"
}

// obligingSite lets other origins do everything that hostile.html tries.
func obligingSite(t testing.TB) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		kind, body := "text/html", "<p>secret<script>(opener || parent).postMessage('here', '*')</script>"
		switch {
		case r.Header.Get("Upgrade") == "websocket":
			acceptSocket(w, r)
			return
		case r.Header.Get("Sec-Fetch-Dest") == "image":
			kind, body = "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>`
		case r.Header.Get("Sec-Fetch-Dest") == "script":
			kind, body = "text/javascript", "1"
		case r.Header.Get("Sec-Fetch-Dest") == "style":
			kind, body = "text/css", "b { color: red }"
		}
		w.Header().Set("Content-Type", kind)
		io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/callback"
}

// acceptSocket is a WebSocket server's side of the handshake, RFC 6455 §4.2.2.
func acceptSocket(w http.ResponseWriter, r *http.Request) {
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]))
	io.Copy(io.Discard, net.Conn(conn)) // until the page has gone
}
