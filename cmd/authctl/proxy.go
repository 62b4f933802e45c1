package main

import (
	"cmp"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
)

// proxyFor is the proxy that HTTPS_PROXY and NO_PROXY name for a request, as net/http
// reads them, but nothing for loopback however it is spelled. Plain http is spoken to
// loopback alone, so HTTP_PROXY never counts. net/http goes straight to the host when
// HTTPS_PROXY can't be read, past the proxy that somebody wanted: here that is an error.
func (p *profile) proxyFor(r *http.Request) (*url.URL, error) {
	if oauth.IsLoopback(strings.TrimSuffix(r.URL.Hostname(), ".")) {
		return nil, nil
	}
	if setting := cmp.Or(os.Getenv("HTTPS_PROXY"), os.Getenv("https_proxy")); setting != "" && !isProxy(setting) {
		return nil, &usageError{
			err:  errorf("HTTPS_PROXY is not a proxy's address (%d characters, not shown since they may hold a password)", len(setting)),
			hint: "such as http://proxy.example.com:3128, or http://USER:PASSWORD@proxy.example.com:3128 with %23 for #, %2F for / and so on",
		}
	}
	proxy, err := http.ProxyFromEnvironment(r)
	if proxy != nil {
		p.trace.note("through the proxy %s", proxy.Host)
	}
	return proxy, err
}

// isProxy reports whether net/http takes setting for what was meant. A # or / in a
// password ends the host too early, and what stands before it would be looked up.
func isProxy(setting string) bool {
	if !strings.Contains(setting, "://") {
		setting = "http://" + setting
	}
	u, err := url.Parse(setting)
	return err == nil && slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) &&
		u.Hostname() != "" && strings.Trim(u.Path, "/") == "" && u.RawQuery == "" && u.Fragment == ""
}
