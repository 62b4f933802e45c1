package callback

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

// post is a form_post request with body.
func post(body string) string {
	return "POST /callback HTTP/1.1\nHost: HOST\nContent-Type: application/x-www-form-urlencoded\nContent-Length: " +
		strconv.Itoa(len(strings.ReplaceAll(body, "STATE", state))) + "\n\n" + body
}

const otherState = "AnQ0mTzq6zJb1yFQm3kq2l8S4vXw7pRt5uHc0dEaGfI"

// hostile are requests that are not the response; each is answered with status.
var hostile = []struct {
	name, request string
	status        int
}{
	{"another state", "GET /callback?code=evil&state=" + otherState + " HTTP/1.1\nHost: HOST\n\n", 400},
	{"no state", "GET /callback?code=evil HTTP/1.1\nHost: HOST\n\n", 400},
	{"nothing at all", "GET /callback HTTP/1.1\nHost: HOST\n\n", 400},
	{"an empty state", "GET /callback?code=evil&state= HTTP/1.1\nHost: HOST\n\n", 400},
	{"part of the state", "GET /callback?code=evil&state=" + state[:42] + " HTTP/1.1\nHost: HOST\n\n", 400},
	{"more than the state", "GET /callback?code=evil&state=STATEx HTTP/1.1\nHost: HOST\n\n", 400},
	{"the state in capitals", "GET /callback?code=evil&state=" + strings.ToUpper(state) + " HTTP/1.1\nHost: HOST\n\n", 400},
	{"State for state", "GET /callback?code=evil&State=STATE HTTP/1.1\nHost: HOST\n\n", 400},
	{"the state twice", "GET /callback?code=evil&state=STATE&state=STATE HTTP/1.1\nHost: HOST\n\n", 400},
	{"two states", "GET /callback?code=evil&state=STATE&state=x HTTP/1.1\nHost: HOST\n\n", 400},
	{"the state behind a semicolon", "GET /callback?code=evil;state=STATE HTTP/1.1\nHost: HOST\n\n", 400},
	{"the state in a fragment", "GET /callback?code=evil#state=STATE HTTP/1.1\nHost: HOST\n\n", 400},
	{"an error without state", "GET /callback?error=access_denied HTTP/1.1\nHost: HOST\n\n", 400},
	{"an error with another state", "GET /callback?error=access_denied&state=" + otherState + " HTTP/1.1\nHost: HOST\n\n", 400},
	{"a prefetch", "GET /callback?code=evil&state=STATE HTTP/1.1\nHost: HOST\nSec-Purpose: prefetch\n\n", 403},
	{"a prerendering", "GET /callback?code=evil&state=STATE HTTP/1.1\nHost: HOST\nSec-Purpose: prefetch;prerender\n\n", 403},
	{"a prefetch without the state", "GET /callback?code=evil HTTP/1.1\nHost: HOST\nSec-Purpose: prefetch\n\n", 400},
	{"HEAD", "HEAD /callback?code=evil&state=STATE HTTP/1.1\nHost: HOST\n\n", 405},
	{"OPTIONS", "OPTIONS /callback?code=evil&state=STATE HTTP/1.1\nHost: HOST\nAccess-Control-Request-Private-Network: true\n\n", 405},
	{"PUT", "PUT /callback?code=evil&state=STATE HTTP/1.1\nHost: HOST\nContent-Length: 0\n\n", 405},
	{"DELETE", "DELETE /callback?code=evil&state=STATE HTTP/1.1\nHost: HOST\n\n", 405},
	{"a method of its own", "GETT /callback?code=evil&state=STATE HTTP/1.1\nHost: HOST\n\n", 405},
	{"get in small letters", "get /callback?code=evil&state=STATE HTTP/1.1\nHost: HOST\n\n", 405},
	{"OPTIONS of everything", "OPTIONS * HTTP/1.1\nHost: HOST\n\n", 404},
	{"CONNECT", "CONNECT HOST HTTP/1.1\nHost: HOST\n\n", 404},
	{"another path", "GET /?code=evil&state=STATE HTTP/1.1\nHost: HOST\n\n", 404},
	{"a path below", "GET /callback/?code=evil&state=STATE HTTP/1.1\nHost: HOST\n\n", 404},
	{"a path to be cleaned", "GET /x/../callback?code=evil&state=STATE HTTP/1.1\nHost: HOST\n\n", 404},
	{"two slashes", "GET //callback?code=evil&state=STATE HTTP/1.1\nHost: HOST\n\n", 404},
	{"the path in capitals", "GET /CALLBACK?code=evil&state=STATE HTTP/1.1\nHost: HOST\n\n", 404},
	{"the favicon", "GET /favicon.ico HTTP/1.1\nHost: HOST\n\n", 404},
	{"another host", "GET /callback?code=evil&state=STATE HTTP/1.1\nHost: evil.example:PORT\n\n", 421},
	{"another host, without a port", "GET /callback?code=evil&state=STATE HTTP/1.1\nHost: evil.example\n\n", 421},
	{"no port", "GET /callback?code=evil&state=STATE HTTP/1.1\nHost: 127.0.0.1\n\n", 421},
	{"another port", "GET /callback?code=evil&state=STATE HTTP/1.1\nHost: 127.0.0.1:1\n\n", 421},
	{"another name for the same", "GET /callback?code=evil&state=STATE HTTP/1.1\nHost: localhost:PORT\n\n", 421},
	{"the host as a prefix", "GET /callback?code=evil&state=STATE HTTP/1.1\nHost: 127.0.0.1.evil.example:PORT\n\n", 421},
	{"a user before the host", "GET /callback?code=evil&state=STATE HTTP/1.1\nHost: evil@HOST\n\n", 400},
	{"another host in the request line", "GET http://evil.example/callback?code=evil&state=STATE HTTP/1.1\nHost: HOST\n\n", 421},
	{"an empty host", "GET /callback?code=evil&state=STATE HTTP/1.1\nHost:\n\n", 421},
	{"no host, HTTP/1.0", "GET /callback?code=evil&state=STATE HTTP/1.0\n\n", 421},
	{"no host, HTTP/1.1", "GET /callback?code=evil&state=STATE HTTP/1.1\n\n", 400},
	{"two hosts", "GET /callback?code=evil&state=STATE HTTP/1.1\nHost: HOST\nHost: evil.example\n\n", 400},
	{"POST with another state", post("code=evil&state=" + otherState), 400},
	{"POST with the state in the query only", "POST /callback?code=evil&state=STATE HTTP/1.1\nHost: HOST\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 9\n\ncode=evil", 400},
	{"POST of JSON", strings.Replace(post(`{"state":"STATE"}`), "x-www-form-urlencoded", "json", 1), 415},
	{"POST of parts", strings.Replace(post("code=evil&state=STATE"), "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", 1), 415},
	{"POST of text", strings.Replace(post("code=evil&state=STATE"), "application/x-www-form-urlencoded", "text/plain", 1), 415},
	{"POST of who knows what", strings.Replace(post("code=evil&state=STATE"), "Content-Type", "X-Type", 1), 415},
	{"POST of too much", post("code=evil&state=STATE&x=" + strings.Repeat("x", bodyLimit)), 413},
	{"POST in broken chunks", "POST /callback HTTP/1.1\nHost: HOST\nContent-Type: application/x-www-form-urlencoded\nTransfer-Encoding: chunked\n\nzz\n", 400},
	{"giant headers", "GET /callback?code=evil&state=STATE HTTP/1.1\nHost: HOST\nCookie: " + strings.Repeat("x", 2*headerLimit) + "\n\n", 431},
	{"a giant query", "GET /callback?code=evil&state=STATE&x=" + strings.Repeat("x", 2*headerLimit) + " HTTP/1.1\nHost: HOST\n\n", 431},
	{"no HTTP", "hello\n\n", 400},
	{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n", 400},
	{"HTTP/2", "PRI * HTTP/2.0\n\nSM\n\n", 421},
}

func TestHostileRequestsChangeNothing(t *testing.T) {
	for _, c := range hostile {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := begin(t, "http://127.0.0.1/callback", nil)
			a := g.send(t, c.request)
			if a.StatusCode != c.status {
				t.Errorf("got %s, want %d", a.Status, c.status)
			}
			if a.Header.Get("Location") != "" || strings.Contains(a.body, state) || strings.Contains(a.body, "evil") {
				t.Errorf("the answer says too much: %v %q", a.Header, a.body)
			}
			g.nothing(t)
			g.honest(t)
			if a := g.send(t, c.request); a.StatusCode != c.status {
				t.Errorf("after the response: got %s, want %d", a.Status, c.status)
			}
		})
	}
}

func TestRightResponses(t *testing.T) {
	long := strings.Repeat("c", 9<<10)
	for _, c := range []struct {
		name, uri, request string
		key, want          string // a parameter of the response
	}{
		{"GET", "http://127.0.0.1/callback", "GET /callback?code=abc&state=STATE HTTP/1.1\nHost: HOST\n\n", "code", "abc"},
		{"POST", "http://127.0.0.1/callback", post("code=abc&state=STATE"), "code", "abc"},
		{"POST with a charset", "http://127.0.0.1/callback", strings.Replace(post("code=abc&state=STATE"), "urlencoded", "urlencoded; charset=UTF-8", 1), "code", "abc"},
		{"an error", "http://127.0.0.1/callback", "GET /callback?error=access_denied&state=STATE HTTP/1.1\nHost: HOST\n\n", "error", "access_denied"},
		{"a long code", "http://127.0.0.1/callback", "GET /callback?code=" + long + "&state=STATE HTTP/1.1\nHost: HOST\n\n", "code", long},
		{"a long code and other programs' cookies", "http://127.0.0.1/callback", "GET /callback?code=" + long + "&state=STATE HTTP/1.1\nHost: HOST\nCookie: " + strings.Repeat("k=v; ", 8<<10) + "\n\n", "code", long},
		{"a long code, posted", "http://127.0.0.1/callback", post("code=" + long + "&state=STATE"), "code", long},
		{"escapes", "http://127.0.0.1/callback", "GET /callback?code=4%2F0A+x&state=STATE HTTP/1.1\nHost: HOST\n\n", "code", "4/0A x"},
		{"a raw semicolon", "http://127.0.0.1/callback", "GET /callback?code=a;b&state=STATE HTTP/1.1\nHost: HOST\n\n", "code", "a;b"},
		{"a stray percent sign elsewhere", "http://127.0.0.1/callback", "GET /callback?error=x&error_description=100%&state=STATE HTTP/1.1\nHost: HOST\n\n", "error", "x"},
		{"capitals in the host", "http://localhost/callback", "GET /callback?code=abc&state=STATE HTTP/1.1\nHost: LocalHost:PORT\n\n", "code", "abc"},
		{"IPv6", "http://[::1]/callback", "GET /callback?code=abc&state=STATE HTTP/1.1\nHost: HOST\n\n", "code", "abc"},
		{"the whole URI in the request line", "http://127.0.0.1/callback", "GET http://HOST/callback?code=abc&state=STATE HTTP/1.1\nHost: HOST\n\n", "code", "abc"},
		{"no path", "http://127.0.0.1", "GET /?code=abc&state=STATE HTTP/1.1\nHost: HOST\n\n", "code", "abc"},
		{"a query in the redirect URI", "http://127.0.0.1/cb?tenant=t", "GET /cb?tenant=t&code=abc&state=STATE HTTP/1.1\nHost: HOST\n\n", "tenant", "t"},
		{"an escaped path", "http://127.0.0.1/a%20b/", "GET /a%20b/?code=abc&state=STATE HTTP/1.1\nHost: HOST\n\n", "code", "abc"},
		{"a path like the favicon's", "http://127.0.0.1/favicon.ico", "GET /favicon.ico?code=abc&state=STATE HTTP/1.1\nHost: HOST\n\n", "code", "abc"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := begin(t, c.uri, nil)
			a := g.send(t, c.request)
			if a.StatusCode != http.StatusSeeOther {
				t.Fatalf("got %s, want 303", a.Status)
			}
			if got := g.response(t).Params.Get(c.key); got != c.want {
				t.Errorf("got %s %q, want %q", c.key, got, c.want)
			}
			if got := a.Header.Get("Location"); len(got) < 1+26 || strings.ContainsAny(got[1:], "/?#") {
				t.Errorf("sent on to %q, want a path that can't be guessed", got)
			}
		})
	}
}

func TestHostOfADefaultPort(t *testing.T) {
	for _, c := range []struct {
		uri, host string
		want      bool
	}{
		{"http://localhost:80/cb", "localhost", true},
		{"http://localhost:80/cb", "localhost:80", true},
		{"https://localhost:443/cb", "localhost", true},
		{"https://[::1]:443/cb", "[::1]", true},
		{"http://[::1]:80/cb", "[::1]:80", true},
		{"http://localhost:443/cb", "localhost", false},
		{"https://localhost:80/cb", "localhost", false},
		{"http://[::1]:80/cb", "::1", false},
		{"http://[::1]:80/cb", "[::1]]", false},
	} {
		u, err := loopbackURI(c.uri)
		if err != nil {
			t.Fatal(err)
		}
		if got := (&Listener{redirect: u}).named(c.host); got != c.want {
			t.Errorf("%s asked for as %q: got %t, want %t", c.uri, c.host, got, c.want)
		}
	}
}

// FuzzRequest: whatever comes over the connection, only our path with our state, asked
// for by our name, opens, and no answer repeats what was sent.
func FuzzRequest(f *testing.F) {
	for _, c := range hostile {
		if len(c.request) < 1<<10 {
			f.Add(c.request)
		}
	}
	f.Add("GET /callback?code=abc&state=STATE HTTP/1.1\nHost: HOST\n\n")
	f.Add(post("code=abc&state=STATE"))
	f.Fuzz(func(t *testing.T, text string) {
		u, err := loopbackURI("http://127.0.0.1:9000/callback")
		if err != nil {
			t.Fatal(err)
		}
		l := &Listener{redirect: u, uri: u.String(), state: state, responses: make(chan *Response, 1), result: newResult()}
		text = strings.NewReplacer("HOST", u.Host, "PORT", u.Port(), "STATE", state).Replace(text)
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.ReplaceAll(text, "\n", "\r\n"))))
		if err != nil {
			return // net/http's to refuse
		}
		w := httptest.NewRecorder()
		l.handle(w, r)
		opened := w.Code == http.StatusSeeOther
		if opened != (len(l.responses) == 1) || !opened && w.Code < 400 {
			t.Fatalf("got %d with %d responses", w.Code, len(l.responses))
		}
		if opened && (!strings.EqualFold(r.Host, u.Host) || r.URL.Path != "/callback" || !strings.Contains(text, "state")) {
			t.Errorf("%q opened", text)
		}
		if strings.Contains(w.Body.String(), state) || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("the answer says too much: %q", w.Body)
		}
	})
}

// FuzzCallback: whatever the query, only our state opens, exactly once.
func FuzzCallback(f *testing.F) {
	for _, q := range []string{
		"code=a&state=" + state, "state=" + state + "&state=" + state, "state=%39" + state[1:],
		"code=a;state=" + state, "%73tate=" + state, "state=" + state + "&x=%", "&&&=&state", "state=" + state + "+",
	} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		params := parameters(query)
		got := hasState(params, state)
		if got != (len(params["state"]) == 1 && params.Get("state") == state) {
			t.Fatalf("%q: got %t for %q", query, got, params["state"])
		}
		if got && !strings.Contains(query, "=") {
			t.Fatalf("%q holds no parameter", query)
		}
		if hasState(params, "") {
			t.Fatalf("%q opens without a state", query)
		}
	})
}
