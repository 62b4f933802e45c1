package oauth

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
)

// ErrNoRevocation: the provider has no revocation endpoint.
var ErrNoRevocation = errors.New("the provider has no revocation endpoint")

// ErrNoDeviceAuthorization: the provider has no device authorization endpoint.
var ErrNoDeviceAuthorization = errors.New("the provider has no device authorization endpoint")

// ErrPushedAlone: the provider takes no authorization request that was not pushed to it
// before, RFC 9126 §5, and that isn't done here.
var ErrPushedAlone = errors.New("the provider takes pushed authorization requests alone (RFC 9126)")

// ErrExpired: the codes of a device authorization ran out before the person had decided,
// RFC 8628 §3.5.
var ErrExpired = errors.New("the code expired before anybody signed in with it")

// Error is an OAuth error that the provider answered with, RFC 6749 §4.1.2.1
// and §5.2. Its texts are cleaned: printable, short, without a secret of ours.
type Error struct {
	Op          string // what was asked for: "authorization", "token request", …
	Code        string // as in "invalid_grant"
	Description string // may be empty
	URI         string // of a page about it; may be empty
	Status      int    // of the HTTP answer; 0 for an authorization response
}

func (e *Error) Error() string {
	if e.Description == "" {
		return e.Code
	}
	return e.Code + ": " + e.Description
}

// CheckError is an answer that failed a check, so that nothing of it is used.
type CheckError struct {
	What  string // "ID token", "discovery", …
	Why   string // cleaned as Error's texts are
	Clock bool   // it is by our clock, which may be wrong
}

func (e *CheckError) Error() string { return e.What + ": " + e.Why }

// ConfigError is a setting that nothing can be done with.
type ConfigError struct{ What, Why string }

func (e *ConfigError) Error() string { return e.What + ": " + e.Why }

// InsecureError is a URL that is plain http and not on loopback.
type InsecureError struct{ URL string }

func (e *InsecureError) Error() string {
	return fmt.Sprintf("%s is not https: plain http is for loopback only", e.URL)
}

// UnreachableError is a provider that gave no usable answer at all: the network
// failed, time ran out, or it said 5xx, 408 or 429. Asking later may help.
type UnreachableError struct {
	Op, URL string
	Err     error

	host, reason string // cleaned; empty: not yet
}

func (e *UnreachableError) Unwrap() error { return e.Err }

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("%s: %s: %s", e.Op, cmp.Or(e.host, e.where()), cmp.Or(e.reason, Reason(e.Err)))
}

// Status is of the answer that says to try later, RFC 9110 §15; 0: there was none.
func (e *UnreachableError) Status() int {
	said := (*statusError)(nil)
	if !errors.As(e.Err, &said) {
		return 0
	}
	return said.status
}

func (e *UnreachableError) where() string {
	if u, err := url.Parse(e.URL); err == nil {
		return u.Host
	}
	return e.URL
}

// Reason is why a request got no answer, in one short phrase. What the other side sent
// is not quoted.
func Reason(err error) string {
	var dns *net.DNSError
	var asked *ClientCertificateError
	var proxy *ProxyError
	var certificate *tls.CertificateVerificationError
	var errno syscall.Errno
	switch {
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.As(err, &asked):
		return asked.Error()
	case errors.As(err, &proxy):
		return proxy.Error()
	case errors.As(err, &dns) && dns.IsTimeout:
		return "name lookup timed out"
	case errors.As(err, &dns):
		return dns.Err
	case errors.As(err, &certificate):
		return untrusted(certificate, time.Now())
	case isTimeout(err):
		return "timed out"
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection ended before the answer did"
	}
	if said := (*statusError)(nil); errors.As(err, &said) {
		return said.why
	}
	return unquoted(innermost(err))
}

// unquoted is what net/http says of an answer that is none, or of a proxy's address that
// is none, without quoting it.
func unquoted(err error) string {
	text, _, _ := strings.Cut(printable(err.Error()), `"`)
	return strings.TrimRight(text, "=:, ")
}

// statusError is an answer that says to try later, in our words and the provider's.
type statusError struct {
	status int
	why    string
}

func (e *statusError) Error() string { return e.why }

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &timeout) && timeout.Timeout()
}

// innermost drops what net/http and net put around an error: the URL once more.
func innermost(err error) error {
	var fromURL *url.Error
	if errors.As(err, &fromURL) {
		err = fromURL.Err
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return err
}
