package e2e

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/authctl/authctl/internal/idp"
)

// front stands before a provider and spoils one of the requests that authctl makes. The
// browser's are left alone.
type front struct {
	*idp.Server
	issuer string
	t      testing.TB
	addr   string
	server *http.Server

	mu       sync.Mutex
	listener net.Listener
	fault    wireFault
	at       int      // the request of authctl's that is spoilt, from 1; 0: none
	closing  int      // how many requests, of all, come before nobody listens; -1: any number
	asked    []string // the endpoints of all requests since spoil was called
	struck   bool     // the fault has happened
}

// wireFault is one way for a request to fail.
type wireFault struct {
	name   string
	served bool    // the provider has done what it was asked
	page   bool    // what comes is no answer, but comes with status 200
	spoil  spoiler // nil: nobody listens
}

// spoiler answers instead of the provider, whose own answer it has if that was made.
type spoiler func(w http.ResponseWriter, r *http.Request, answer string)

var wireFaults = []wireFault{
	{name: "refused"},
	{name: "reset", spoil: reset},
	{name: "answer lost", served: true, spoil: reset},
	{name: "answer cut", served: true, spoil: cut},
	{name: "500", spoil: status(500)},
	{name: "503", spoil: status(503)},
	{name: "429", spoil: status(429)},
	{name: "504 though it was done", served: true, spoil: status(504)},
	{name: "a page", page: true, spoil: portal},
	{name: "a page though it was done", page: true, served: true, spoil: portal},
}

func reset(w http.ResponseWriter, _ *http.Request, _ string) {
	conn := hijack(w)
	conn.SetLinger(0)
	conn.Close()
}

func cut(w http.ResponseWriter, _ *http.Request, answer string) {
	conn := hijack(w)
	defer conn.Close()
	io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n"+answer[:len(answer)/2])
}

func hijack(w http.ResponseWriter) *net.TCPConn {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	return conn.(*net.TCPConn)
}

func status(code int) spoiler {
	return func(w http.ResponseWriter, _ *http.Request, _ string) { w.WriteHeader(code) }
}

// portal is what a hotel's network answers.
func portal(w http.ResponseWriter, _ *http.Request, _ string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	io.WriteString(w, "<!doctype html><title>Welcome to our network</title>")
}

// newFront starts a provider behind a front. Both end with the test. Every request has a
// connection of its own, so that a fault is one request's.
func newFront(t testing.TB, o idp.Options) *front {
	t.Helper()
	f := &front{Server: idp.New(o), t: t, addr: "127.0.0.1:" + freePort(t)}
	f.issuer = "http://" + f.addr
	f.server = &http.Server{Handler: f, ErrorLog: log.New(io.Discard, "", 0)}
	f.server.SetKeepAlivesEnabled(false)
	t.Cleanup(func() { f.server.Close(); f.Server.Close() })
	f.mend()
	return f
}

// mend ends the fault: all requests are answered.
func (f *front) mend() {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at, f.closing = 0, -1
	if f.listener != nil {
		return
	}
	l, err := net.Listen("tcp", f.addr)
	if err != nil {
		f.t.Fatal(err)
	}
	f.listener = l
	go f.server.Serve(l)
}

// spoil makes authctl's request number at fail, from 1. order is how an honest run goes,
// which tells when to stop listening for that one to be refused.
func (f *front) spoil(fault wireFault, at int, order []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault, f.at, f.closing, f.asked, f.struck = fault, at, -1, nil, false
	if fault.spoil != nil || at == 0 {
		return
	}
	f.closing = position(order, at)
	f.closeAfter()
}

// position is where authctl's request number at is among all, from 0.
func position(order []string, at int) int {
	for i, path := range order {
		if !isBrowsers(path) {
			at--
		}
		if at == 0 {
			return i
		}
	}
	return -1
}

func isBrowsers(path string) bool { return path == "/authorize" || path == "/signin" }

// own is how many of the requests are authctl's.
func own(asked []string) (n int) {
	for _, path := range asked {
		if !isBrowsers(path) {
			n++
		}
	}
	return n
}

// closeAfter ends the listening when as many requests have come as are to be answered.
// It is called with the mutex.
func (f *front) closeAfter() {
	if len(f.asked) == f.closing {
		f.listener.Close()
		f.listener, f.struck = nil, true
	}
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !f.strikes(r) {
		f.Server.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	if f.fault.served {
		f.Server.ServeHTTP(answer, r)
	}
	f.fault.spoil(w, r, answer.Body.String())
}

// strikes notes a request, and reports whether it is the one to be spoilt.
func (f *front) strikes(r *http.Request) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, r.URL.Path)
	f.closeAfter()
	if f.fault.spoil == nil || isBrowsers(r.URL.Path) || own(f.asked) != f.at {
		return false
	}
	f.struck = true
	return true
}

// outcome of the last spoil: the requests that came, and whether the fault did.
func (f *front) outcome() (asked []string, struck bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked), f.struck
}

// alive are the tokens that the provider takes now, by introspection (RFC 7662).
func (f *front) alive() []string {
	f.t.Helper()
	var alive []string
	for _, secret := range f.Secrets() {
		r := httptest.NewRequest("POST", f.issuer+"/introspect", strings.NewReader("client_id=demo&token="+secret))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		f.Server.ServeHTTP(w, r)
		if strings.Contains(w.Body.String(), `"active":true`) {
			alive = append(alive, secret)
		}
	}
	slices.Sort(alive)
	return alive
}
