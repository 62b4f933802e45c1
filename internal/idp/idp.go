// Package idp is a small, complete identity provider for the demonstration and
// the tests: OpenID Connect and OAuth 2.0 with PKCE, rotation and revocation,
// strict by default and wrong in named ways when told so (modes.go). It keeps
// everything in memory, knows one client and a few people, and belongs on a
// loopback address only.
package idp

import (
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Server is the provider. It is an http.Handler; Start makes it listen by itself.
type Server struct {
	options atomic.Pointer[Options]
	keys    keyring
	offset  atomic.Int64 // added to the system's clock, nanoseconds
	done    chan struct{}
	close   func() error

	mu      sync.Mutex
	base    string // http://127.0.0.1:PORT, once it listens
	counts  map[string]int
	secrets []string
	kinds   map[string]string // of each of the secrets, and of states and nonces
	pending map[string]*request
	codes   map[string]*code
	devices map[string]*device // by device code
	tokens  map[string]*token
}

// New makes a provider that doesn't listen yet. It panics when o names a mode
// that doesn't exist: a misspelt wrong behaviour would be an honest provider.
func New(o Options) *Server {
	s := &Server{
		done:    make(chan struct{}),
		counts:  map[string]int{},
		kinds:   map[string]string{},
		pending: map[string]*request{},
		codes:   map[string]*code{},
		devices: map[string]*device{},
		tokens:  map[string]*token{},
	}
	s.close = sync.OnceValue(func() error { close(s.done); return nil })
	s.store(o)
	return s
}

// Start listens on a free port of 127.0.0.1 and returns the issuer URL.
func (s *Server) Start() (issuer string, err error) {
	return s.StartOn("127.0.0.1:0")
}

// StartOn listens on the given address, host:port, and returns the issuer URL.
func (s *Server) StartOn(addr string) (issuer string, err error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", err
	}
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	s.mu.Lock()
	s.base = "http://" + l.Addr().String()
	s.mu.Unlock()
	s.close = sync.OnceValue(func() error {
		close(s.done)
		return server.Close()
	})
	go server.Serve(l)
	return s.Issuer(), nil
}

// Close frees the port and ends the requests that are in flight.
func (s *Server) Close() error { return s.close() }

// Issuer is the issuer URL: Options.Issuer, or the address that Start got.
func (s *Server) Issuer() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options.Load().issuerAt(s.base)
}

// Set changes the options of a running server. Requests in flight keep the old ones.
func (s *Server) Set(edit func(*Options)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := *s.options.Load()
	o.Modes = maps.Clone(o.Modes)
	edit(&o)
	s.store(o)
}

// Options are those that hold now, defaults filled in.
func (s *Server) Options() Options { return *s.options.Load() }

func (s *Server) store(o Options) {
	o.fill()
	s.options.Store(&o)
}

// Advance moves the provider's clock, so that a test expires tokens without waiting.
func (s *Server) Advance(d time.Duration) { s.offset.Add(int64(d)) }

func (s *Server) now() time.Time {
	return time.Now().Add(time.Duration(s.offset.Load()))
}

// Count says how many requests an endpoint has had, by its path: "token",
// "jwks", ".well-known/openid-configuration", "api/hello"; "token/refresh_token"
// counts one grant type alone, and "" counts everything.
func (s *Server) Count(endpoint string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[endpoint]
}

func (s *Server) count(endpoint string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[endpoint]++
}

// Secrets lists every secret issued or received so far: codes, tokens,
// verifiers and client secrets. For a test that looks for leaks.
func (s *Server) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.secrets)
}

// Kinds says of every secret what it is: "code", "access token", … Unlike Secrets it has
// the states and nonces that were sent too, which whoever reads the address bar sees.
func (s *Server) Kinds() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.kinds)
}

func (s *Server) remember(kind, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if secret == "" || s.kinds[secret] != "" {
		return
	}
	s.kinds[secret] = kind
	if kind != "state" && kind != "nonce" {
		s.secrets = append(s.secrets, secret)
	}
}

// exchange is one request with the options that hold for it.
type exchange struct {
	*Server
	Options
	issuer string
	w      http.ResponseWriter
	r      *http.Request
}

// ServeHTTP answers every endpoint under the issuer's path.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{Server: s, Options: *s.options.Load(), w: w, r: r}
	x.issuer = x.issuerAt(s.baseFor(r))
	endpoint := x.endpoint()
	s.count("")
	s.count(endpoint)
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	x.serve(endpoint)
}

// baseFor is the address that the server listens on; behind another listener
// (httptest's), the one that the request names.
func (s *Server) baseFor(r *http.Request) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.base != "" {
		return s.base
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// endpoint is the request's path below the issuer, without the first slash.
func (x *exchange) endpoint() string {
	prefix := issuerPath(x.issuer)
	if x.r.URL.Path == "/"+oauthMetadata+prefix { // RFC 8414 §3: before the issuer's path
		return oauthMetadata
	}
	path := strings.TrimPrefix(x.r.URL.Path, prefix)
	if x.NoDiscovery {
		path = strings.TrimPrefix(path, "/oauth2")
	}
	return strings.TrimPrefix(path, "/")
}

func (x *exchange) serve(endpoint string) {
	switch endpoint {
	case openidMetadata, oauthMetadata:
		x.metadata(endpoint)
	case "jwks":
		x.jwks()
	case "authorize":
		x.authorize()
	case "signin":
		x.signIn()
	case "token":
		x.token()
	case "device_authorization":
		x.deviceAuthorization()
	case "device":
		x.verify()
	case "revoke":
		x.revoke()
	case "introspect":
		x.introspect()
	case "userinfo":
		x.userinfo()
	case "api/hello":
		x.hello()
	case "test/options", "test/count", "test/advance", "test/secrets":
		x.control(endpoint)
	default:
		http.NotFound(x.w, x.r)
	}
}
