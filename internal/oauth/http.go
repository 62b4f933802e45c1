package oauth

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	timeLimit     = 30 * time.Second // from connecting to the last byte
	bodyLimit     = 1 << 20          // bytes of an answer, decompressed
	redirectLimit = 5
)

// HTTPClient is base with the limits that a provider's answers need: 30 s in
// all, 1 MiB a body, plain http for loopback only. A POST, which carries
// secrets, follows no redirect; a GET follows five within its own origin.
// Time-outs of connecting and the TLS version are base's.
func HTTPClient(base http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     &guard{base},
		CheckRedirect: checkRedirect,
		Timeout:       timeLimit,
	}
}

type guard struct{ base http.RoundTripper }

func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := checkScheme(r.URL); err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	resp, err := g.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, bodyLimit)
	return resp, nil
}

func checkRedirect(r *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case first.Method != http.MethodGet:
		return http.ErrUseLastResponse
	case origin(r.URL) != origin(first.URL):
		return &CheckError{What: "redirect", Why: fmt.Sprintf("%s leads to %s, another host", origin(first.URL), printable(origin(r.URL)))}
	case len(via) > redirectLimit:
		return &CheckError{What: "redirect", Why: fmt.Sprintf("%s leads on more than %d times", origin(first.URL), redirectLimit)}
	}
	return nil
}

// origin is u's scheme, host and port, RFC 6454 §4.
func origin(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host
}

// checkURL: what is a URL that secrets may be sent to, as RFC 6749 §3.1 and
// §3.2 have it: absolute, https or loopback, no fragment.
func checkURL(what, raw string) error {
	if err := checkPage(what, raw); err != nil {
		return err
	}
	if strings.Contains(raw, "#") {
		return &ConfigError{what, fmt.Sprintf("%q has a fragment", printable(raw))}
	}
	return nil
}

// checkPage: what is a URL that a browser may be sent to, as checkURL has it, but it
// may have a fragment.
func checkPage(what, raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil, u.Host == "", u.Scheme != "https" && u.Scheme != "http":
		return &ConfigError{what, fmt.Sprintf("%q is no https URL", printable(raw))}
	case !isVisible(raw): // RFC 3986 §2: a terminal may act on others
		return &ConfigError{what, fmt.Sprintf("%q has a character that no URL has", printable(raw))}
	case u.User != nil:
		return &ConfigError{what, "a URL with a user name or a password in it is refused"}
	case strings.Contains(u.Hostname(), "%"): // RFC 6874 §1
		return &ConfigError{what, fmt.Sprintf("%q has a zone, which means something on one machine only", printable(raw))}
	}
	return checkScheme(u)
}

func checkScheme(u *url.URL) error {
	if u.Scheme == "https" || u.Scheme == "http" && IsLoopback(u.Hostname()) {
		return nil
	}
	return &InsecureError{printable(u.Redacted())}
}

// IsLoopback is about names, so that nothing is looked up: localhost, 127.0.0.0/8, ::1.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// answer is one HTTP answer, read whole.
type answer struct {
	op, url   string
	status    int
	mediaType string
	body      []byte
}

// accepted: what is fetched may be of a media type of its own. To whoever is posted to, JSON
// alone: Ruby on Rails, at GitHub too, takes "*/*" in a list for a browser, and answers a form.
func accepted(r *http.Request) string {
	if r.Method == http.MethodPost {
		return "application/json"
	}
	return "application/json, */*;q=0.1"
}

const byteOrderMark = "\ufeff" // which RFC 8259 §8.1 allows to ignore

// send does one request. An error is a *CheckError, an *InsecureError or an
// *UnreachableError; any status is an answer.
func send(hc *http.Client, op string, r *http.Request) (*answer, error) {
	r.Header.Set("Accept", accepted(r))
	r.Header.Set("User-Agent", "authctl")
	resp, err := hc.Do(r)
	if err != nil {
		return nil, sendError(op, r.URL, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, sendError(op, r.URL, err)
	}
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	body = bytes.TrimPrefix(body, []byte(byteOrderMark))
	return &answer{op, r.URL.String(), resp.StatusCode, mediaType, body}, nil
}

func sendError(op string, u *url.URL, err error) error {
	var check *CheckError
	var insecure *InsecureError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &check):
		return &CheckError{What: op, Why: check.Error()}
	case errors.As(err, &insecure):
		return insecure
	case errors.As(err, &large):
		return &CheckError{What: op, Why: "the answer is larger than 1 MiB"}
	}
	return &UnreachableError{Op: op, URL: u.String(), Err: err}
}

// isTemporary: the provider had no answer now, RFC 9110 §15.6.
func (a *answer) isTemporary() bool { return a.status >= 500 || a.isLater() }

// isLater: the same request may be sent again, whatever else the answer says, RFC 9110
// §15.5.9 and RFC 6585 §4.
func (a *answer) isLater() bool {
	return a.status == http.StatusRequestTimeout || a.status == http.StatusTooManyRequests
}

func (a *answer) isSuccess() bool { return a.status >= 200 && a.status < 300 }

func (a *answer) unreachable(why string) error {
	return &UnreachableError{Op: a.op, URL: a.url, Err: &statusError{a.status, why}}
}

// place is where it came from, without the query, which may hold a secret.
func (a *answer) place() string {
	place, _, _ := strings.Cut(a.url, "?")
	return place
}

// statusLine is in our words, not the provider's: "answered 503 Service Unavailable".
func (a *answer) statusLine() string {
	return strings.TrimSpace(fmt.Sprintf("answered %d %s", a.status, http.StatusText(a.status)))
}
