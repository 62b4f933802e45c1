package oauth

import (
	"net/url"
	"strings"
	"unicode"
)

const (
	textLimit   = 200 // runes of the provider's text that are shown
	shortSecret = 4   // bytes; hiding what is shorter would blacken innocent words
)

// secrets are what we sent in a request: a provider may echo them, and an error
// must not.
type secrets []string

// clean makes the provider's text fit to be shown: one line, nothing that moves
// a cursor or turns the reading direction, no secret, not long. Invisible
// characters go first, since they could hide a secret from us.
func (s secrets) clean(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
	for _, secret := range s {
		text = hide(text, secret)
	}
	if runes := []rune(text); len(runes) > textLimit {
		text = string(runes[:textLimit]) + "…"
	}
	return text
}

func hide(text, secret string) string {
	if len(secret) < shortSecret {
		return text
	}
	for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret)} {
		text = strings.ReplaceAll(text, form, "[redacted]")
		text = strings.ReplaceAll(text, lowerHex(form), "[redacted]")
	}
	return text
}

// lowerHex turns %2F into %2f, which is the same to who decodes it.
func lowerHex(escaped string) string {
	parts := strings.Split(escaped, "%")
	for i, part := range parts[1:] {
		if len(part) >= 2 {
			parts[i+1] = strings.ToLower(part[:2]) + part[2:]
		}
	}
	return strings.Join(parts, "%")
}
