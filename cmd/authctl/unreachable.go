package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"

	"github.com/authctl/authctl/internal/oauth"
)

// unreachableHint is the way out where the network did its part, or a proxy didn't;
// empty: nothing is known but to try again.
func unreachableHint(err error) string {
	var (
		said      interface{ Status() int } // the provider, to this process or to another that renewed
		proxy     *oauth.ProxyError
		asked     *oauth.ClientCertificateError
		untrusted *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &said) && said.Status() >= 500:
		return "that is the provider's own trouble: try again later"
	case errors.As(err, &said) && said.Status() == http.StatusTooManyRequests:
		return "the provider has had too many requests: wait, then try again"
	case errors.As(err, &untrusted):
		return untrustedHint(untrusted)
	case errors.As(err, &asked):
		return "authctl has no client certificate to show: ask the provider's operators for an address that wants none"
	case errors.Is(err, oauth.ErrOldTLS):
		return "whoever runs that server has to switch on TLS 1.2 or later"
	case errors.As(err, &proxy) && !proxy.Behind:
		return proxyHint(proxy)
	case errors.Is(err, oauth.ErrPlainHTTP), errors.Is(err, oauth.ErrNoTLS):
		return "check the address and its port"
	}
	return ""
}

func untrustedHint(err error) string {
	var (
		unknown x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
		name    x509.HostnameError
	)
	switch {
	case errors.As(err, &unknown) && noSystemRoots():
		return "this machine trusts no authority at all: install its ca-certificates, or --ca-file FILE"
	case errors.As(err, &unknown):
		return "if your company's own authority signs for this host: --ca-file FILE"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "set this machine's clock; if it is right, whoever runs that server has to renew the certificate"
	case errors.As(err, &name):
		return "check the address: the certificate is another host's"
	}
	return "whoever runs that server has to mend its certificate"
}

// noSystemRoots is how a container without ca-certificates looks. On macOS and Windows
// the system checks, and there are always some.
func noSystemRoots() bool {
	roots, err := x509.SystemCertPool()
	return err == nil && roots.Equal(x509.NewCertPool())
}

func proxyHint(e *oauth.ProxyError) string {
	switch {
	case e.Status == http.StatusProxyAuthRequired:
		return "HTTPS_PROXY=http://USER:PASSWORD@" + e.Proxy + ", where %40 stands for @, %3A for : and so on"
	case e.Status >= 500:
		return "" // it could not reach the host itself
	case e.Status != 0:
		return "ask who runs the proxy to let this host through, or name the host in NO_PROXY"
	case errors.Is(e, oauth.ErrPlainHTTP):
		return "HTTPS_PROXY=http://" + e.Proxy + ": the scheme is the proxy's own, not the provider's"
	}
	return "check HTTPS_PROXY; hosts that NO_PROXY names are reached without it"
}
