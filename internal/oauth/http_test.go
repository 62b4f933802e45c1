package oauth

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// unusedAddress is a URL where nobody listens.
func unusedAddress(t testing.TB) string {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	l.Close()
	return "http://" + l.Addr().String()
}

func TestUnreachable(t *testing.T) {
	tls := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(tls.Close)
	slow := newSlow(t)
	for _, test := range []struct{ name, url, why string }{
		{"nobody listens", unusedAddress(t), "refused"},
		{"untrusted certificate", tls.URL, "certificate signed by unknown authority"},
		{"headers that never come", slow.URL + "/headers", "timed out"},
		{"a body that never ends", slow.URL + "/body", "timed out"},
		{"a connection that breaks off", slow.URL + "/cut", "ended before the answer did"},
		{"https to a plain server", strings.Replace(slow.URL, "http:", "https:", 1), "HTTP response to HTTPS client"},
		{"503", slow.URL + "/503", "answered 503 Service Unavailable"},
		{"429", slow.URL + "/429", "answered 429 Too Many Requests"},
	} {
		t.Run(test.name, func(t *testing.T) {
			hc := HTTPClient(http.DefaultTransport)
			if test.why == "timed out" {
				hc.Timeout = 200 * time.Millisecond
			}
			_, err := get(context.Background(), hc, "discovery", test.url)
			wantUnreachable(t, err, test.why)
			if err != nil && (strings.Contains(err.Error(), "Get ") || !strings.HasPrefix(err.Error(), "discovery: 127.0.0.1:")) {
				t.Errorf("got %q, want it short", err)
			}
		})
	}
}

func newSlow(t testing.TB) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/headers":
			<-r.Context().Done()
		case "/body":
			w.Write([]byte("{"))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "/cut":
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"))
			conn.Close()
		case "/503":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/429":
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

func TestReason(t *testing.T) {
	for _, test := range []struct {
		name, want string
		err        error
	}{
		{"no such host", "discovery: auth.example.com: no such host", &net.DNSError{Err: "no such host", Name: "auth.example.com"}},
		{"a proxy's name", "discovery: auth.example.com: the proxy proxy.corp:3128: no such host", &ProxyError{Proxy: "proxy.corp:3128", Err: &net.DNSError{Err: "no such host", Name: "proxy.corp"}}},
		{"cancelled", "discovery: auth.example.com: cancelled", context.Canceled},
		{"deadline", "discovery: auth.example.com: timed out", context.DeadlineExceeded},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := &UnreachableError{Op: "discovery", URL: "https://auth.example.com/x", Err: &net.OpError{Op: "dial", Err: test.err}}
			if err.Error() != test.want {
				t.Errorf("got %q, want %q", err, test.want)
			}
			if !errors.Is(err, test.err) {
				t.Error("the cause is lost")
			}
		})
	}
}

func TestBodyLimit(t *testing.T) {
	size := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range size >> 10 {
			w.Write(make([]byte, 1<<10))
		}
	}))
	t.Cleanup(server.Close)
	size = bodyLimit
	if _, err := get(context.Background(), HTTPClient(http.DefaultTransport), "discovery", server.URL); err != nil {
		t.Errorf("1 MiB: %v", err)
	}
	size = 10 << 20
	_, err := get(context.Background(), HTTPClient(http.DefaultTransport), "discovery", server.URL)
	wantCheck(t, err, "larger than 1 MiB")
}

func TestRedirects(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was followed to another host", r.Method)
	}))
	t.Cleanup(other.Close)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch hops, far := r.URL.Query().Get("hops"), r.URL.Query().Has("far"); {
		case far:
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		case hops != "":
			http.Redirect(w, r, "/?hops="+hops[1:], http.StatusFound)
		}
	}))
	t.Cleanup(server.Close)
	hc := HTTPClient(http.DefaultTransport)
	if _, err := get(context.Background(), hc, "discovery", server.URL+"/?hops=xxxxx"); err != nil {
		t.Errorf("five redirects: %v", err)
	}
	_, err := get(context.Background(), hc, "discovery", server.URL+"/?hops=xxxxxx")
	wantCheck(t, err, "more than 5 times")
	_, err = get(context.Background(), hc, "discovery", server.URL+"/?far")
	wantCheck(t, err, "another host")

	post := must(http.NewRequest(http.MethodPost, server.URL+"/?hops=x", strings.NewReader("secret=1")))
	a, err := send(hc, "token request", post)
	if err != nil || a.status != http.StatusFound {
		t.Errorf("got %+v, %v, want the redirect itself", a, err)
	}
}

func TestSameOrigin(t *testing.T) {
	first := must(http.NewRequest(http.MethodGet, "https://Auth.example.com/a", nil))
	for next, want := range map[string]bool{
		"https://auth.example.com/b":     true,
		"https://auth.example.com:443/b": true,
		"http://auth.example.com/b":      false,
		"https://auth.example.com:444/b": false,
		"https://evil.example.com/b":     false,
	} {
		err := checkRedirect(must(http.NewRequest(http.MethodGet, next, nil)), []*http.Request{first})
		if (err == nil) != want {
			t.Errorf("%s: got %v", next, err)
		}
	}
}

func TestCheckURL(t *testing.T) {
	var insecure *InsecureError
	var config *ConfigError
	for _, test := range []struct {
		url  string
		want any
	}{
		{"https://auth.example.com/token", nil},
		{"https://auth.example.com:8443/token?tenant=1", nil},
		{"http://127.0.0.1:8080/token", nil},
		{"http://127.1.2.3/token", nil},
		{"http://[::1]:8080/token", nil},
		{"http://localhost/token", nil},
		{"http://auth.example.com/token", &insecure},
		{"http://localhost.evil.example.com/token", &insecure},
		{"http://127.0.0.1.evil.example.com/token", &insecure},
		{"http://0.0.0.0/token", &insecure},
		{"http://10.0.0.1/token", &insecure},
		{"ftp://auth.example.com/token", &config},
		{"javascript:alert(1)", &config},
		{"auth.example.com", &config},
		{"https://", &config},
		{"https://user:pass@auth.example.com/", &config},
		{"https://auth.example.com/#x", &config},
		{"https://[fe80::1%25eth0]:8443/", &config},
		{"http://[::1%25lo]:8080/", &config},
		{"https://auth.example.com/\x7f", &config},
		{"", &config},
	} {
		err := checkURL("endpoint", test.url)
		if test.want == nil && err != nil || test.want != nil && !errors.As(err, test.want) {
			t.Errorf("%q: got %v (%T)", test.url, err, err)
		}
		if err != nil && strings.Contains(err.Error(), "pass@") {
			t.Errorf("the error has the password: %v", err)
		}
	}
}

// Every request is checked again, wherever its URL came from.
func TestPlainHTTPIsNotSent(t *testing.T) {
	_, err := get(context.Background(), HTTPClient(http.DefaultTransport), "keys", "http://auth.example.com/jwks")
	if insecure := (*InsecureError)(nil); !errors.As(err, &insecure) {
		t.Errorf("got %v (%T), want an InsecureError", err, err)
	}
}
