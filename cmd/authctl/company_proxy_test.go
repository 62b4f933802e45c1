package main

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"encoding/base64"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// proxy is a company's, on loopback. It alone knows where the hosts are that it is asked
// for. With an authority it inspects: it shows a certificate of its own for every host and
// reads what passes. Without one it passes on what it can't read.
type proxy struct {
	network  *network
	user     string // USER:PASSWORD, of Basic authentication; empty: everybody
	schemes  string // that it authenticates by instead
	status   int    // that it refuses everything with; 0: nothing
	inspects *authority

	mu    sync.Mutex
	count int
	seen  bytes.Buffer
}

// proxyVerb is `proxy [OPTION[=VALUE]…]`: it starts a proxy, and $PROXY is its host and
// port. inspect=FILE makes it inspect, and FILE is its authority's root; tls=FILE has it
// spoken to in TLS; socks makes it one of SOCKS 5.
func proxyVerb(ts *testscript.TestScript, _ bool, args []string) {
	p := &proxy{network: networkOf(ts)}
	server := httptest.NewUnstartedServer(p)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // whoever doesn't trust it hangs up
	start := server.Start
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		switch name {
		case "tls":
			server.TLS, start = proxyTLS(ts, value), server.StartTLS
		case "socks":
			start = func() { p.serveSOCKS(server.Listener) }
		default:
			p.set(ts, name, value)
		}
	}
	start()
	ts.Defer(server.Close)
	p.network.proxy = p
	ts.Setenv("PROXY", server.Listener.Addr().String())
}

func (p *proxy) set(ts *testscript.TestScript, name, value string) {
	var err error
	switch name {
	case "inspect":
		p.inspects = writtenAuthority(ts, "Corp Inspection CA", value)
	case "user":
		p.user = value
	case "schemes":
		p.schemes = value
	case "status":
		p.status, err = strconv.Atoi(value)
	default:
		ts.Fatalf("proxy: no option %s", name)
	}
	ts.Check(err)
}

func proxyTLS(ts *testscript.TestScript, file string) *tls.Config {
	now := time.Now()
	leaf, err := writtenAuthority(ts, "Corp Proxy CA", file).issue("127.0.0.1", now.Add(-time.Hour), now.Add(time.Hour))
	ts.Check(err)
	return &tls.Config{Certificates: []tls.Certificate{leaf}, NextProtos: []string{"http/1.1"}}
}

// writtenAuthority makes one and writes its root to a file.
func writtenAuthority(ts *testscript.TestScript, name, file string) *authority {
	a, err := newAuthority(name, time.Now().Add(time.Hour))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(file), a.pem(), 0o600))
	return a
}

// proxyCountVerb is `proxy-count N`: how many requests, of whatever kind, the proxy had.
func proxyCountVerb(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	p := networkOf(ts).proxy
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count != want {
		ts.Fatalf("requests to the proxy: got %d, want %d", p.count, want)
	}
}

// proxySawVerb is `[!] proxy-saw REGEXP`: what it could read of what it passed on.
func proxySawVerb(ts *testscript.TestScript, neg bool, args []string) {
	p := networkOf(ts).proxy
	p.mu.Lock()
	defer p.mu.Unlock()
	if saw := regexp.MustCompile("(?m)" + args[0]).Match(p.seen.Bytes()); saw == neg {
		ts.Fatalf("the proxy saw %s in %d bytes: got %t, want %t", args[0], p.seen.Len(), saw, !neg)
	}
}

// Write is what passes by.
func (p *proxy) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen.Write(b)
}

func (p *proxy) counted() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.counted()
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(p.user))
	switch {
	case p.status != 0:
		http.Error(w, "no\x1b[31m", p.status)
	case p.schemes != "" || p.user != "" && r.Header.Get("Proxy-Authorization") != basic:
		for _, scheme := range strings.Split(cmp.Or(p.schemes, `Basic realm="corp"`), ",") {
			w.Header().Add("Proxy-Authenticate", scheme)
		}
		w.WriteHeader(http.StatusProxyAuthRequired)
	case r.Method != http.MethodConnect:
		http.Error(w, "only CONNECT", http.StatusMethodNotAllowed)
	default:
		p.connect(w, r.Host)
	}
}

func (p *proxy) connect(w http.ResponseWriter, host string) {
	at, known := p.network.at(host)
	if !known {
		http.Error(w, "no such host", http.StatusBadGateway)
		return
	}
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
	p.pass(conn, host, at)
}

// pass connects the two ends, and reads along if it inspects.
func (p *proxy) pass(client net.Conn, host string, at place) {
	defer client.Close()
	server, err := net.Dial("tcp", at.addr)
	if err != nil {
		return
	}
	defer server.Close()
	if p.inspects != nil {
		name, _, _ := net.SplitHostPort(host)
		client = tls.Server(client, p.inspects.posing(name))
		server = tls.Client(server, &tls.Config{ServerName: name, RootCAs: at.roots})
	}
	go func() {
		io.Copy(client, server)
		client.Close()
	}()
	io.Copy(server, io.TeeReader(client, p))
}

// posing has a certificate for a host that isn't ours.
func (a *authority) posing(host string) *tls.Config {
	return &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		leaf, err := a.issue(host, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		return &leaf, err
	}}
}
