// Package callback receives one authorization response (RFC 6749 §4.1.2): on the
// loopback interface (RFC 8252 §7.3), or pasted by the user. It proves that the
// response belongs to this login, by its state, and leaves everything else about it
// to whoever redeems it.
package callback

import (
	"context"
	"crypto/subtle"
	"net/url"
	"strings"
)

// Response is an authorization response with the right state. It may be an error
// response: that is the reader's to decide.
type Response struct {
	Params url.Values // as received, still untrusted but for the state

	result *result // where the browser waits; nil when pasted
}

// Finish tells the browser how it ended, and returns once the page was written, so
// that the listener may be closed. When the browser never asks for the page it
// returns after two seconds; with a request for it under way, after five at most.
// Only the first call counts. A pasted response has no page.
func (r *Response) Finish(ctx context.Context, p Page) {
	if r.result != nil {
		r.result.finish(ctx, p)
	}
}

// parameters reads a query or a form as browsers write them: "&" alone separates
// (net/url refuses ";", which RFC 3986 §3.4 allows). What can't be decoded is left
// out: a stray "%" in an error_description must not lose the response.
func parameters(encoded string) url.Values {
	values, _ := url.ParseQuery(strings.ReplaceAll(encoded, ";", "%3B"))
	return values
}

// hasState reports whether params hold state, and hold it once (RFC 6749 §3.1), in
// a time that says nothing of how much of it was right.
func hasState(params url.Values, state string) bool {
	got := params["state"]
	return state != "" && len(got) == 1 && subtle.ConstantTimeCompare([]byte(got[0]), []byte(state)) == 1
}

// canonicalPath is the path as a browser asks for it: never empty.
func canonicalPath(u *url.URL) string {
	if u.Path == "" {
		return "/"
	}
	return u.Path
}

// port of u, as written or the scheme's own. Browsers leave the latter out.
func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "http":
		return "80"
	case u.Scheme == "https":
		return "443"
	}
	return ""
}
