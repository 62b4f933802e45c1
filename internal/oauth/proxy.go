package oauth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// ProxyError is a request that a proxy kept from its host, or that failed behind one.
type ProxyError struct {
	Proxy  string // host and port; nothing else of its URL, where a password may be
	Status int    // of its answer to CONNECT, when that was a refusal
	Behind bool   // the proxy was reached, so that what failed may lie behind it
	Err    error
}

func (e *ProxyError) Unwrap() error { return e.Err }

func (e *ProxyError) Error() string {
	how := "the proxy "
	if e.Behind {
		how = "through the proxy "
	}
	return how + e.Proxy + ": " + Reason(e.Err)
}

// byProxy names the proxy that r went to, if it did, and says whether that was what failed.
func (t *transport) byProxy(r *http.Request, err error) error {
	var known *ProxyError
	if errors.As(err, &known) || t.Proxy == nil {
		return notTLS(err)
	}
	proxy, unusable := t.Proxy(r)
	if proxy == nil || unusable != nil {
		return notTLS(err)
	}
	var op *net.OpError
	own := errors.As(err, &op) && op.Op == "proxyconnect"
	return &ProxyError{Proxy: proxy.Host, Behind: !own, Err: notTLS(err)}
}

// checkProxyAnswer: net/http makes an error of the proxy's own words, of which we
// want none.
func checkProxyAnswer(_ context.Context, proxy *url.URL, _ *http.Request, r *http.Response) error {
	if r.StatusCode == http.StatusOK {
		return nil
	}
	return &ProxyError{Proxy: proxy.Host, Status: r.StatusCode, Err: errors.New(refusalByProxy(proxy, r))}
}

func refusalByProxy(proxy *url.URL, r *http.Response) string {
	if r.StatusCode != http.StatusProxyAuthRequired {
		return strings.TrimSpace(fmt.Sprintf("answered %d %s", r.StatusCode, http.StatusText(r.StatusCode)))
	}
	challenges := r.Header.Values("Proxy-Authenticate")
	switch schemes := schemesOf(challenges); {
	case schemes != "" && !strings.Contains(strings.ToLower(strings.Join(challenges, " ")), "basic"):
		return "wants credentials by " + schemes + "; only Basic is known here"
	case proxy.User != nil:
		return "refuses the credentials that it was given"
	}
	return "wants credentials"
}

// schemesOf are the challenges' names, RFC 9110 §11.6.1, one a header line as proxies send
// them.
func schemesOf(challenges []string) string {
	var names []string
	for _, c := range challenges {
		name, _, _ := strings.Cut(c, " ")
		names = append(names, name)
	}
	return Secrets{}.clean(strings.Join(names, ", "))
}
