package oauth

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

const (
	textLimit   = 200 // runes of the provider's text that are shown
	shortSecret = 4   // bytes; hiding what is shorter would blacken innocent words
	escapeLimit = 3   // how often percent-encoding is undone
	redacted    = "[redacted]"
)

// secrets are what we sent in a request: a provider may echo them, and an error
// must not.
type secrets []string

// clean makes the provider's text fit to be shown: one line, nothing that moves
// a cursor or turns the reading direction, no secret, not long. Invisible
// characters go first, since they could hide a secret from us. A secret as it was
// sent is cut out; where one shows in another form, nothing of the text is kept.
func (s secrets) clean(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
	for _, secret := range s {
		if len(secret) >= shortSecret {
			text = strings.ReplaceAll(text, secret, redacted)
		}
	}
	if s.disguised(text) {
		return redacted
	}
	if runes := []rune(text); len(runes) > textLimit {
		text = string(runes[:textLimit]) + "…"
	}
	return text
}

// disguised reports whether a secret is in text in another form than it was sent in:
// percent-encoded, in base64 alone or among other bytes, or broken up. Compressed,
// encrypted or in part it would not be found.
func (s secrets) disguised(text string) bool {
	var forms []string
	for _, secret := range s {
		if len(secret) >= shortSecret {
			forms = append(forms, formsOf(secret)...)
		}
	}
	for range escapeLimit {
		shown := alphanumeric(text)
		for _, form := range forms {
			if strings.Contains(shown, form) {
				return true
			}
		}
		decoded := unescape(text)
		if decoded == text {
			return false
		}
		text = decoded
	}
	return len(forms) > 0 // nobody encodes so often who means to be read
}

// formsOf are what gives a secret away in a text of which only letters and digits are
// left. That makes the base64 alphabets one, with padding and line breaks or without.
func formsOf(secret string) []string {
	forms := []string{alphanumeric(secret)}
	for _, sent := range []string{secret, url.QueryEscape(secret)} { // RFC 6749 §2.3.1 has the latter in base64
		for before := range 3 {
			forms = append(forms, alphanumeric(inBase64(sent, before)))
		}
	}
	return forms
}

// inBase64 are the characters of base64 that sent alone decides when so many bytes
// stand before it, of each group of three.
func inBase64(sent string, before int) string {
	bytes := append(make([]byte, before), sent...)
	text := base64.RawStdEncoding.EncodeToString(bytes)
	return text[(before*8+5)/6 : len(bytes)*8/6]
}

func alphanumeric(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, text)
}

// unescape undoes percent-encoding where there is any, and leaves what is none.
func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '%' && i+2 < len(text) {
			if code, err := strconv.ParseUint(text[i+1:i+3], 16, 8); err == nil {
				c, i = byte(code), i+2
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}
