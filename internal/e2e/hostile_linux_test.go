package e2e

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/authctl/authctl/internal/idp"
)

const otherState = "AnQ0mTzq6zJb1yFQm3kq2l8S4vXw7pRt5uHc0dEaGfI"

// intrusions are what any web page, or anybody on this machine, can send to a login. Some
// have its state, which whoever reads the process list knows.
var intrusions = []struct {
	name, request string
	status        int
}{
	{"nothing", "GET /callback HTTP/1.1\nHost: HOST\n\n", 400},
	{"a code", "GET /callback?code=evil HTTP/1.1\nHost: HOST\n\n", 400},
	{"a code, another state", "GET /callback?code=evil&state=" + otherState + " HTTP/1.1\nHost: HOST\n\n", 400},
	{"an error", "GET /callback?error=access_denied HTTP/1.1\nHost: HOST\n\n", 400},
	{"an error, another state", "GET /callback?error=access_denied&state=" + otherState + " HTTP/1.1\nHost: HOST\n\n", 400},
	{"two states", "GET /callback?code=evil&state=STATE&state=" + otherState + " HTTP/1.1\nHost: HOST\n\n", 400},
	{"a posted code", "POST /callback HTTP/1.1\nHost: HOST\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 9\n\ncode=evil", 400},
	{"a posted code, the state beside it", "POST /callback?state=STATE HTTP/1.1\nHost: HOST\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 9\n\ncode=evil", 400},
	{"a prefetch", "GET /callback?code=evil HTTP/1.1\nHost: HOST\nSec-Purpose: prefetch\n\n", 400},
	{"a prefetch of old", "GET /callback?error=access_denied HTTP/1.1\nHost: HOST\nPurpose: prefetch\n\n", 400},
	{"a prefetch, the state with it", "GET /callback?code=evil&state=STATE HTTP/1.1\nHost: HOST\nSec-Purpose: prefetch\n\n", 403},
	{"HEAD", "HEAD /callback?code=evil&state=STATE HTTP/1.1\nHost: HOST\n\n", 405},
	{"a preflight", "OPTIONS /callback?code=evil&state=STATE HTTP/1.1\nHost: HOST\nOrigin: http://evil.example\nAccess-Control-Request-Method: GET\nAccess-Control-Request-Private-Network: true\n\n", 405},
	{"PUT", "PUT /callback?code=evil&state=STATE HTTP/1.1\nHost: HOST\nContent-Length: 0\n\n", 405},
	{"another path", "GET /?code=evil&state=STATE HTTP/1.1\nHost: HOST\n\n", 404},
	{"the favicon", "GET /favicon.ico HTTP/1.1\nHost: HOST\n\n", 404},
	{"a guess at the page", "GET /BBBBBBBBBBBBBBBBBBBBBBBBBB HTTP/1.1\nHost: HOST\n\n", 404},
	{"DNS rebinding", "GET /callback?code=evil&state=STATE HTTP/1.1\nHost: evil.example:PORT\n\n", 421},
	{"DNS rebinding, the page", "GET PAGE HTTP/1.1\nHost: evil.example:PORT\n\n", 421},
	{"a proxy's request", "GET http://evil.example/callback?code=evil&state=STATE HTTP/1.1\nHost: HOST\n\n", 421},
	{"a proxy's request, another state", "GET http://HOST/callback?code=evil&state=" + otherState + " HTTP/1.1\nHost: evil.example\n\n", 400},
	{"HTTP/1.0", "GET /callback?code=evil&state=STATE HTTP/1.0\n\n", 421},
	{"HTTP/1.0, another state", "GET /callback?code=evil&state=" + otherState + " HTTP/1.0\nHost: HOST\n\n", 400},
	{"HTTP/2", "PRI * HTTP/2.0\n\nSM\n\n", 421},
	{"no HTTP", "hello\n\n", 400},
	{"one behind another", "GET /callback?code=evil HTTP/1.1\nHost: HOST\n\nGET /callback?code=evil&state=STATE HTTP/1.1\nHost: HOST\n\n", 400},
	{"giant headers", "GET /callback?code=evil&state=STATE HTTP/1.1\nHost: HOST\nCookie: " + strings.Repeat("x", 1<<20) + "\n\n", 431},
	{"a giant query", "GET /callback?code=evil&state=STATE&x=" + strings.Repeat("x", 1<<20) + " HTTP/1.1\nHost: HOST\n\n", 431},
	{"a giant form", "POST /callback HTTP/1.1\nHost: HOST\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 1048576\n\nstate=STATE&x=" + strings.Repeat("x", 1<<20), 413},
}

// refusesAll sends every intrusion, all at once, and none may get more than a refusal.
func (d *door) refusesAll(moment string) {
	d.t.Helper()
	var all sync.WaitGroup
	for _, i := range intrusions {
		all.Go(func() {
			a, err := d.send(i.request)
			if err != nil {
				d.t.Errorf("%s, %s: %v", moment, i.name, err)
				return
			}
			if a.StatusCode != i.status || a.more > 0 {
				d.t.Errorf("%s, %s: got %s and %d bytes more, want %d", moment, i.name, a.Status, a.more, i.status)
			}
			if a.Header.Get("Location") != "" || a.Header.Get("Access-Control-Allow-Origin") != "" || strings.Contains(a.body, d.state) || strings.Contains(a.body, "evil") {
				d.t.Errorf("%s, %s: the answer says too much: %d bytes", moment, i.name, len(a.body))
			}
		})
	}
	all.Wait()
	d.refusesTheOtherScheme(moment)
}

// refusesTheOtherScheme speaks TLS to a plain port, and plainly to one with TLS.
func (d *door) refusesTheOtherScheme(moment string) {
	d.t.Helper()
	request := "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"
	if d.tls != nil {
		request = "GET /callback?code=evil&state=" + d.state + " HTTP/1.1\r\nHost: " + d.at.Host + "\r\n\r\n"
	}
	conn, err := d.dial()
	if err != nil {
		d.t.Fatal(err)
	}
	a, err := exchange(conn, request)
	if err != nil || a.StatusCode != http.StatusBadRequest {
		d.t.Errorf("%s, the other scheme: got %v, %v, want 400", moment, a.Response, err)
	}
}

// Whatever comes, and whenever, is refused; nothing of it is on stderr; and the honest
// response is redeemed, once, however often it comes.
func TestHostileRequestsChangeNothing(t *testing.T) {
	for name, redirect := range map[string]string{
		"http":      "http://127.0.0.1/callback",
		"localhost": "http://localhost/callback",
		"https":     "https://localhost:" + freePort(t) + "/callback",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			p, gate := gatedProvider(t, "token")
			p.Set(func(o *idp.Options) { o.RedirectURIs = []string{redirect} })
			login, asked := u.login("--issuer", p.issuer, "--client-id", "demo", "--redirect-uri", redirect)
			back := upToRedirect(t, asked)
			d := u.door(back)
			d.refusesAll("while login waits")

			d.page = d.sentOn(back)
			gate.await()
			d.refusesAll("between the 303 and the page")
			for what, late := range map[string]string{"a reload": back, "a late error": d.at.String() + "?error=access_denied&state=" + d.state} {
				if got := d.sentOn(late); got != d.page {
					t.Errorf("%s was sent on to %q, want %q", what, got, d.page)
				}
			}

			pages := make(chan answer, 2)
			for range cap(pages) {
				go func() { pages <- d.browse(d.page) }()
			}
			d.refusesAll("while the browser waits for its page")
			d.pageIsForGetAlone()
			gate.open()
			first, second := <-pages, <-pages
			if first.StatusCode != http.StatusOK || !strings.Contains(first.body, account) || first.body != second.body {
				t.Errorf("got the pages %s and %s with %d and %d bytes, want the same twice, with %s on it", first.Status, second.Status, len(first.body), len(second.body), account)
			}
			guarded(t, first)

			if code := login.wait(); code != 0 {
				t.Errorf("login: exit %d", code)
			}
			if got := p.Count("token/authorization_code"); got != 1 {
				t.Errorf("%d codes were redeemed, want 1", got)
			}
			d.closed()
			undisturbed(t, login, p.issuer)
			if got := u.must("whoami", "--claim", "email"); got != account+"\n" {
				t.Errorf("whoami: got %q, want %q", got, account)
			}
		})
	}
}

// sentOn follows an honest response to the page's path.
func (d *door) sentOn(back string) (path string) {
	d.t.Helper()
	a := d.browse(back)
	path = a.Header.Get("Location")
	if a.StatusCode != http.StatusSeeOther || len(path) < 1+26 || strings.ContainsAny(path[1:], "/?#") {
		d.t.Errorf("the honest response got %s to %q, want 303 to a path that can't be guessed", a.Status, path)
	}
	guarded(d.t, a)
	return path
}

// pageIsForGetAlone asks for the page otherwise than browsers do.
func (d *door) pageIsForGetAlone() {
	d.t.Helper()
	for _, method := range []string{"HEAD", "POST", "OPTIONS"} {
		if a, err := d.send(method + " PAGE HTTP/1.1\nHost: HOST\nContent-Length: 0\n\n"); err != nil || a.StatusCode != http.StatusMethodNotAllowed {
			d.t.Errorf("%s of the page: got %v, %v, want 405", method, a.Response, err)
		}
	}
}

// guarded checks what keeps an answer out of caches, frames, other origins and Referers.
func guarded(t testing.TB, a answer) {
	t.Helper()
	for name, want := range map[string]string{
		"Cache-Control":                "no-store",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Referrer-Policy":              "no-referrer",
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
		"Access-Control-Allow-Origin":  "",
		"Set-Cookie":                   "",
		"Server":                       "",
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s: %s is %q, want %q", a.Status, name, got, want)
		}
	}
	const policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	if got := a.Header.Get("Content-Security-Policy"); !regexp.MustCompile("^" + policy + `(; style-src 'sha256-[\w+/]+=')?$`).MatchString(got) {
		t.Errorf("%s: the policy is %q, want %q and one style", a.Status, got, policy)
	}
}

// undisturbed fails the test unless stderr is that of a login that nobody disturbed, and
// that may have been waited for.
func undisturbed(t testing.TB, login *process, issuer string) {
	t.Helper()
	want := regexp.MustCompile(`^(The browser will warn .*\n)?Opening the browser to sign in to ` + issuer + `\.\nRedirect URI: \S+\n` +
		`(\nStill waiting\. .*\n  \S+\n.*\n\n\S+\n\n)?Signed in to ` + issuer + ` as ` + account + `\.\n$`)
	if got := login.stderr.String(); !want.MatchString(got) {
		t.Errorf("stderr: got\n%swant %q", got, want)
	}
}

// A thousand requests come at once, and more that are never finished than are let in were there
// before them. The honest response is taken all the same.
func TestCrowdAtTheDoor(t *testing.T) {
	t.Parallel()
	u, p := newUser(t), demoProvider(t, idp.Options{})
	login, asked := u.login("--issuer", p.Issuer(), "--client-id", "demo")
	back := upToRedirect(t, asked)
	d := u.door(back)
	for i := range 600 {
		begun := []string{"", "GET /callback?state=", "GET /callback HTTP/1.1\r\nHost: ", "\x16\x03\x01"}[i%4]
		conn, err := d.dial()
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, begun)
	}
	var refused atomic.Int32
	var all sync.WaitGroup
	for range 1000 {
		all.Go(func() {
			a, err := d.send("GET /callback?error=access_denied&state=" + otherState + " HTTP/1.1\nHost: HOST\n\n")
			if err != nil {
				return // shown out: this machine is too busy to send a request in time
			}
			if a.StatusCode != http.StatusBadRequest {
				t.Errorf("a forged response got %s", a.Status)
			}
			refused.Add(1)
		})
	}
	eventually(t, "the crowd is answered", func() bool { return refused.Load() > 100 })
	path := d.sentOn(back)
	if a := d.browse(path); a.StatusCode != http.StatusOK || !strings.Contains(a.body, account) {
		t.Errorf("the page: got %s with %d bytes", a.Status, len(a.body))
	}
	if code := login.wait(); code != 0 || p.Count("token/authorization_code") != 1 {
		t.Errorf("login: exit %d after %d codes, want 0 after 1", code, p.Count("token/authorization_code"))
	}
	all.Wait()
	undisturbed(t, login, p.Issuer())
	t.Logf("%d of 1000 were answered", refused.Load())
}
