package callback

import (
	"errors"
	"net/url"
	"strings"
	"unicode"
)

// What is wrong with a pasted text. No error repeats it: it may hold a code.
var (
	ErrWrongState  = errors.New("the pasted URL has no state, or another sign-in's")
	ErrBareCode    = errors.New("a code without its URL can't be checked")
	ErrNotRedirect = errors.New("the pasted text is not the redirect URL")
)

// Parse reads the URL that the provider redirected to, as a user pastes it: in
// quotes, wrapped over lines, with a terminal's bracketed-paste marks. redirectURI
// is the one that was sent, with its port.
//
// Errors: ErrNotRedirect, ErrWrongState, ErrBareCode (without the URL around it
// there is no state, so it could be anybody's; RFC 6749 §10.12).
func Parse(pasted, redirectURI, state string) (*Response, error) {
	text := unwrap(pasted)
	want, err := url.Parse(redirectURI)
	if err != nil {
		return nil, ErrNotRedirect // not err, which may quote it
	}
	got, err := url.Parse(text)
	switch {
	case err == nil && sameRedirect(got, want):
		return pastedResponse(got, state)
	case bareCode(pasted, text):
		return nil, ErrBareCode
	}
	return nil, ErrNotRedirect
}

func pastedResponse(u *url.URL, state string) (*Response, error) {
	params := parameters(u.RawQuery)
	if !hasState(params, state) {
		return nil, ErrWrongState
	}
	return &Response{Params: params}, nil
}

// unwrap takes off what came with the paste. A URL holds neither white space nor
// control or format characters, so all of those go, wherever they are.
func unwrap(pasted string) string {
	text := strings.NewReplacer("\x1b[200~", "", "\x1b[201~", "").Replace(pasted)
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, text)
	return strings.Trim(text, "\"'`<>“”‘’")
}

// sameRedirect compares all but the query, to which the response was added, and the
// fragment, which is the browser's.
func sameRedirect(got, want *url.URL) bool {
	return got.Scheme == want.Scheme && got.User == nil && got.Opaque == want.Opaque &&
		strings.EqualFold(got.Hostname(), want.Hostname()) && port(got) == port(want) &&
		canonicalPath(got) == canonicalPath(want)
}

// bareCode reports whether a paste could be a code by itself: one word, over however
// many lines, that is neither a URL nor parameters.
func bareCode(pasted, text string) bool {
	words := strings.ContainsAny(strings.TrimSpace(pasted), " \t")
	return text != "" && !words && !strings.Contains(text, "://") && !strings.ContainsAny(text, "?&")
}
