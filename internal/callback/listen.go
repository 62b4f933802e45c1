package callback

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Listener is bound to the loopback interface and receives one response.
type Listener struct {
	redirect  *url.URL // with the port that it got
	uri       string   // the same, spelled as it was configured
	crowd     *crowd
	server    *http.Server
	state     string         // set by Wait before anything is served
	responses chan *Response // the right one
	result    *result
}

// HostError is a redirect URI that no listener on this machine's loopback
// interface can serve: another host, or another scheme than http and https.
type HostError struct{ RedirectURI string }

func (e *HostError) Error() string {
	return fmt.Sprintf("redirect URI %s: neither http nor https on 127.0.0.1, [::1] or localhost", e.RedirectURI)
}

// PortError is an address that can't be had, mostly because another program has it.
type PortError struct {
	Addr string // host:port
	Err  error
}

func (e *PortError) Error() string { return fmt.Sprintf("listening on %s: %v", e.Addr, e.Err) }
func (e *PortError) Unwrap() error { return e.Err }

// Listen binds the host of redirectURI: 127.0.0.1, [::1], or both of them on one
// port for localhost. No port, or port 0, means any free one (RFC 8252 §7.3). An
// https redirect URI needs cert. Connections wait until Wait is called.
//
// Errors: *HostError, *PortError, and a plain one for what is no redirect URI.
func Listen(redirectURI string, cert *tls.Certificate) (*Listener, error) {
	u, err := loopbackURI(redirectURI)
	if err != nil {
		return nil, err
	}
	if u.Scheme == "http" {
		cert = nil
	} else if cert == nil {
		return nil, fmt.Errorf("redirect URI %s: https needs a certificate", redirectURI)
	}
	bound, err := bind(addresses(u.Hostname()), u.Port())
	if err != nil {
		return nil, err
	}
	uri := redirectURI
	if p := u.Port(); p == "" || strings.Trim(p, "0") == "" {
		uri = withPort(redirectURI, u, boundPort(bound[0]))
	}
	if u, err = url.Parse(uri); err != nil {
		closeAll(bound)
		return nil, err
	}
	l := &Listener{redirect: u, uri: uri, crowd: newCrowd(bound), responses: make(chan *Response, 1), result: newResult()}
	l.server = newServer(l.handle, cert)
	return l, nil
}

// RedirectURI is the redirect URI to send: letter for letter the one that was
// configured, with the port that was found when it had none.
func (l *Listener) RedirectURI() string { return l.uri }

// loopbackURI parses a redirect URI that a listener here can serve.
func loopbackURI(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("redirect URI: %w", err)
	}
	if strings.Contains(s, "#") { // RFC 6749 §3.1.2
		return nil, fmt.Errorf("redirect URI %s: it must not have a fragment", s)
	}
	if u.User != nil || u.Scheme != "http" && u.Scheme != "https" || addresses(u.Hostname()) == nil {
		return nil, &HostError{RedirectURI: u.Redacted()}
	}
	return u, nil
}

// addresses are the loopback addresses that host names, nil for any other host:
// nothing ever listens beyond loopback. Browsers try both for localhost, so a
// neighbour on the other one would receive the code.
func addresses(host string) []string {
	switch strings.ToLower(host) {
	case "127.0.0.1", "::1":
		return []string{host}
	case "localhost":
		return []string{"127.0.0.1", "::1"}
	}
	return nil
}

// ephemeralTries bounds the search for a port that is free in both families.
const ephemeralTries = 32

// bind listens on every address at the same port; "" or "0" is any.
func bind(addrs []string, port string) ([]net.Listener, error) {
	addrs = existing(addrs)
	for try := 1; ; try++ {
		bound, err := bindOnce(addrs, port)
		ephemeral := strings.Trim(port, "0") == ""
		if err == nil || !ephemeral || try == ephemeralTries {
			return bound, err
		}
	}
}

func bindOnce(addrs []string, port string) ([]net.Listener, error) {
	var bound []net.Listener
	for _, host := range addrs {
		addr := net.JoinHostPort(host, port)
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			closeAll(bound)
			return nil, portError(addr, err)
		}
		bound = append(bound, ln)
		port = boundPort(ln)
	}
	return bound, nil
}

// existing leaves out the second family where the machine hasn't got it at all: not even
// a free port can be had, and no interface has the address. Where one has, a neighbour may
// hold every port of it, and then half of localhost is none.
func existing(addrs []string) []string {
	if len(addrs) == 1 {
		return addrs
	}
	ln, err := net.Listen("tcp", net.JoinHostPort(addrs[1], "0"))
	if err == nil {
		ln.Close()
		return addrs
	}
	if missing(net.ParseIP(addrs[1])) {
		return addrs[:1]
	}
	return addrs
}

// missing reports whether it is known that no interface has the address.
func missing(ip net.IP) bool {
	addrs, err := net.InterfaceAddrs()
	return err == nil && !slices.ContainsFunc(addrs, func(a net.Addr) bool {
		on, ok := a.(*net.IPNet)
		return ok && on.IP.Equal(ip)
	})
}

func portError(addr string, err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err // without the address, which the PortError says
	}
	return &PortError{Addr: addr, Err: err}
}

func boundPort(ln net.Listener) string {
	return strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
}

// withPort puts port into the authority of uri and leaves every other letter
// alone: the provider compares redirect URIs as strings (RFC 9700 §4.1.3).
func withPort(uri string, u *url.URL, port string) string {
	return strings.Replace(uri, "//"+u.Host, "//"+strings.TrimSuffix(u.Host, ":"+u.Port())+":"+port, 1)
}

func closeAll(bound []net.Listener) error {
	var errs []error
	for _, ln := range bound {
		errs = append(errs, ln.Close())
	}
	return errors.Join(errs...)
}
