package oauth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// trusting is a client that trusts one server, and goes there by way of proxy, if there is one.
func trusting(s *httptest.Server, proxy *url.URL) *http.Client {
	roots := x509.NewCertPool()
	if s.Certificate() != nil {
		roots.AddCert(s.Certificate())
	}
	return HTTPClient(Transport(&http.Transport{
		Proxy:             http.ProxyURL(proxy),
		TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
		DisableKeepAlives: true,
	}))
}

func tlsServer(t testing.TB, config *tls.Config) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "{}") }))
	s.TLS, s.EnableHTTP2 = config, true
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// Servers as they are: what crypto/tls says of them is words that a new Go may change.
func TestTransportNamesWhatTheServerDid(t *testing.T) {
	for _, test := range []struct {
		name   string
		config *tls.Config
		want   string // in the error; empty: none
		typed  any
	}{
		{"TLS as it should be", &tls.Config{}, "", nil},
		{"TLS 1.2", &tls.Config{MaxVersion: tls.VersionTLS12}, "", nil},
		{"TLS 1.1", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, ": speaks only an old TLS;", &ErrOldTLS},
		{"a client certificate, asked for", &tls.Config{ClientAuth: tls.RequestClientCert}, "", nil},
		{"demanded", &tls.Config{ClientAuth: tls.RequireAnyClientCert}, ", after it asked for a client certificate", new(*ClientCertificateError)},
		{"demanded in TLS 1.2", &tls.Config{ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}, ", after it asked for a client certificate", new(*ClientCertificateError)},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := tlsServer(t, test.config)
			_, err := get(context.Background(), trusting(s, nil), "discovery", s.URL)
			if test.want == "" {
				if err != nil {
					t.Errorf("got %v, want none", err)
				}
				return
			}
			wantUnreachable(t, err, test.want)
			if sentinel, is := test.typed.(*error); is && !errors.Is(err, *sentinel) || !is && !errors.As(err, test.typed) {
				t.Errorf("got %v, which is no %T", err, test.typed)
			}
		})
	}
}

// raw is a server that says one thing to whoever connects.
func raw(t testing.TB, answer string) *httptest.Server {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			io.ReadAtLeast(conn, make([]byte, 1<<12), 1)
			io.WriteString(conn, answer)
			conn.Close()
		}
	}()
	return &httptest.Server{URL: "https://" + l.Addr().String()}
}

func TestTransportNamesOtherAnswers(t *testing.T) {
	// A ServerHello of TLS 1.1 with TLS_RSA_WITH_AES_128_CBC_SHA, RFC 4346 §7.4.1.3.
	oldHello := "\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02" + strings.Repeat("r", 32) + "\x00\x00\x2f\x00"
	for _, test := range []struct {
		name, answer string
		want         error
	}{
		{"plain http", "HTTP/1.1 400 Bad Request\r\n\r\n", ErrPlainHTTP},
		{"another protocol", "220 mail.example.com ESMTP\r\n", ErrNoTLS},
		{"TLS of before the versions were listed", oldHello, ErrOldTLS},
		{"nothing", "", io.EOF},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := raw(t, test.answer)
			_, err := get(context.Background(), trusting(s, nil), "discovery", s.URL)
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

// What a proxy answers is named by number; none of its words are used.
func TestTransportNamesTheProxy(t *testing.T) {
	const password = "pa55w0rd"
	for _, test := range []struct {
		name, answer, want string
		user               *url.Userinfo
		status             int
		behind             bool
	}{
		{"no credentials", "407 Hello\r\nProxy-Authenticate: Basic realm=\"corp\"\r\n\r\n", "wants credentials", nil, 407, false},
		{"none, and it doesn't say which", "407 Hello\r\n\r\n", "wants credentials", nil, 407, false},
		{"wrong ones", "407 Hello\r\nProxy-Authenticate: NTLM\r\nProxy-Authenticate: basic realm=corp\r\n\r\n", "refuses the credentials that it was given", url.UserPassword("ada", password), 407, false},
		{"wrong ones, all schemes in a line", "407 Hello\r\nProxy-Authenticate: Negotiate, Basic realm=corp\r\n\r\n", "refuses the credentials that it was given", url.UserPassword("ada", password), 407, false},
		{"other schemes", "407 Hello\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\u202e abc\r\n\r\n", "wants credentials by Negotiate, NTLM; only Basic is known here", nil, 407, false},
		{"forbidden", "403 " + password + "\r\n\r\n", "answered 403 Forbidden", url.UserPassword("ada", password), 403, false},
		{"no HTTP", "\x1b[31m\r\n\r\n", `malformed HTTP status code`, nil, 0, true},
		{"a status of its own", "599 x\r\n\r\n", "answered 599", nil, 599, false},
		{"not even that", "", "the connection ended before the answer did", url.UserPassword("ada", password), 0, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer := test.answer
			if answer != "" {
				answer = "HTTP/1.1 " + answer
			}
			s := raw(t, answer)
			at := must(url.Parse(strings.Replace(s.URL, "https:", "http:", 1)))
			at.User = test.user
			_, err := get(context.Background(), trusting(s, at), "discovery", "https://provider.test/x")
			how := "the proxy "
			if test.behind {
				how = "through the proxy "
			}
			if want := "discovery: provider.test: " + how + at.Host + ": " + test.want; err == nil || err.Error() != want {
				t.Errorf("got %q, want %q", err, want)
			}
			var proxy *ProxyError
			if !errors.As(err, &proxy) || proxy.Status != test.status {
				t.Errorf("got %v, want a ProxyError of status %d", err, test.status)
			}
			if strings.Contains(err.Error(), password) {
				t.Error("the error has the password")
			}
		})
	}
}
