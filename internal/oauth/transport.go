package oauth

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
)

// What a server that can't be spoken to does instead of TLS 1.2 or later.
var (
	ErrPlainHTTP = errors.New("answered in plain http")
	ErrNoTLS     = errors.New("answered in something else than TLS")
	ErrOldTLS    = errors.New("speaks only an old TLS; 1.2 is the oldest that is safe")
)

// Transport is t with errors that say more: which proxy failed, that the server doesn't
// speak TLS as it should, or that it asked for a client certificate. t has a
// TLSClientConfig; two of its hooks are taken.
func Transport(t *http.Transport) http.RoundTripper {
	t.TLSClientConfig.GetClientCertificate = noClientCertificate
	t.OnProxyConnectResponse = checkProxyAnswer
	return &transport{t}
}

type transport struct{ *http.Transport }

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	var asked atomic.Bool
	resp, err := t.Transport.RoundTrip(r.WithContext(context.WithValue(r.Context(), askedKey{}, &asked)))
	if err == nil {
		return resp, nil
	}
	err = t.byProxy(r, err)
	if asked.Load() {
		err = &ClientCertificateError{err}
	}
	return nil, err
}

// notTLS is err, or the one of ours that it stands for.
func notTLS(err error) error {
	var record tls.RecordHeaderError
	isRecord := errors.As(err, &record)
	switch {
	case isRecord && string(record.RecordHeader[:]) == "HTTP/":
		return ErrPlainHTTP
	case isRecord:
		return ErrNoTLS
	case isOldTLS(err.Error()):
		return ErrOldTLS
	}
	return err
}

// isOldTLS: a server that knows the versions which we offer refuses them by an alert; an
// older one answers with its own. crypto/tls has words alone for both.
func isOldTLS(text string) bool {
	const protocolVersion = tls.AlertError(70) // RFC 8446 §6
	return strings.Contains(text, protocolVersion.Error()) || strings.Contains(text, "tls: server selected unsupported protocol version")
}

// ClientCertificateError is a failure after the server asked for a client certificate,
// which we never have. TLS 1.2 has no alert of its own for that.
type ClientCertificateError struct{ Err error }

func (e *ClientCertificateError) Unwrap() error { return e.Err }

func (e *ClientCertificateError) Error() string {
	return Reason(e.Err) + ", after it asked for a client certificate"
}

// askedKey is a request's *atomic.Bool: the server asked for a client certificate.
type askedKey struct{}

// noClientCertificate answers as without this hook, so that a server which can do
// without one goes on.
func noClientCertificate(i *tls.CertificateRequestInfo) (*tls.Certificate, error) {
	if asked, ok := i.Context().Value(askedKey{}).(*atomic.Bool); ok {
		asked.Store(true)
	}
	return new(tls.Certificate), nil
}
