package config

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// issuerOf lets a bare host, with a port or path or without, stand for an issuer. The address
// of its metadata may stand for it too: OpenID Connect Discovery §4 and RFC 8414 §3.1.
func issuerOf(typed string) string {
	issuer := strings.TrimSuffix(strings.TrimSuffix(typed, "/.well-known/openid-configuration"), "/.well-known/openid-configuration/")
	root, path, found := strings.Cut(issuer, "/.well-known/oauth-authorization-server")
	if found && (path == "" || path[0] == '/') {
		issuer = root + path
	}
	if strings.Contains(issuer, "://") {
		return issuer
	}
	return "https://" + issuer
}

// The checks below say what is wrong, or nothing.

// checkIssuer: OpenID Connect Discovery §4.1 and RFC 8414 §2.
func checkIssuer(s string) string {
	if strings.Contains(s, "?") {
		return "an issuer has no query"
	}
	return checkEndpoint(s)
}

// checkEndpoint lets a query stand: RFC 6749 §3.1, and some providers need one.
// Plain http would show codes and tokens to the network.
func checkEndpoint(s string) string {
	u, err := parseURL(s)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || !hasHost(u):
		return "it is not an https URL"
	case u.User != nil:
		return "a user or password has no place in it"
	case strings.Contains(s, "#"):
		return "it has a fragment (#)"
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return "plain http is allowed only on this machine (localhost, 127.0.0.1, ::1)"
	}
	return ""
}

// checkRedirectURI takes any scheme: what can't be listened on can still be pasted.
func checkRedirectURI(s string) string {
	if why := checkAbsolute(s); why != "" {
		return why
	}
	u, _ := url.Parse(s)
	if (u.Scheme == "http" || u.Scheme == "https") && !hasHost(u) {
		return "it names no host"
	}
	if _, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && err != nil {
		return "it has no port from 0 to 65535"
	}
	return ""
}

// checkAbsolute: an absolute URI without a fragment, RFC 3986 §4.3, RFC 6749 §3.1.2.
func checkAbsolute(s string) string {
	u, err := parseURL(s)
	switch {
	case err != nil || !u.IsAbs() || u.Host == "" && u.Path == "" && u.Opaque == "":
		return "it is not an absolute URI"
	case strings.Contains(s, "#"):
		return "it has a fragment (#)"
	}
	return ""
}

// parseURL is the library's but for spaces in a path, which that lets through.
func parseURL(s string) (*url.URL, error) {
	if strings.Contains(s, " ") {
		return nil, errors.New("it has a space in it")
	}
	return url.Parse(s)
}

func hasHost(u *url.URL) bool { return u.Hostname() != "" && !strings.HasSuffix(u.Host, ":") }

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// Shown is a URL without what may be secret in it: user, query and fragment.
func Shown(s string) string {
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		s = s[:i+1] + "…"
	}
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		s = "…" + s[i:]
	}
	return s
}
