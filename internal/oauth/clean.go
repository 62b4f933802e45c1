package oauth

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

const (
	textLimit   = 200 // runes of the provider's text that are shown
	shortSecret = 4   // bytes; hiding what is shorter would blacken innocent words
	longSecret  = 16  // bytes; who refuses an answer for an echo must not do so by chance
	escapeLimit = 3   // how often escapes are undone
	redacted    = "[redacted]"
)

// Secrets are what a provider knows and may echo, where nothing of it must be shown.
type Secrets []string

// cleanError is err with every text of the provider's fit to be shown. Each way out of
// this package goes through it: what is known only there, no error can hold.
func (s Secrets) cleanError(err error) error {
	switch e := err.(type) {
	case *Error:
		return &Error{e.Op, s.clean(e.Code), s.clean(e.Description), s.clean(e.URI), e.Status}
	case *CheckError:
		return &CheckError{What: e.What, Why: s.clean(e.Why), Clock: e.Clock}
	case *ConfigError:
		return &ConfigError{e.What, s.clean(e.Why)}
	case *InsecureError:
		return &InsecureError{s.clean(e.URL)}
	case *UnreachableError:
		return &UnreachableError{e.Op, e.URL, e.Err, s.clean(e.where()), s.clean(Reason(e.Err))}
	}
	return err
}

// clean makes the provider's text fit to be shown: printable, no secret, not long. A
// secret as it was sent is cut out; where one shows in another form, nothing of the
// text is kept.
func (s Secrets) clean(text string) string {
	text = printable(text)
	for _, secret := range s {
		if len(secret) >= shortSecret {
			text = strings.ReplaceAll(text, secret, redacted)
		}
	}
	if s.In(text) {
		return redacted
	}
	if runes := []rune(text); len(runes) > textLimit {
		text = string(runes[:textLimit]) + "…"
	}
	return text
}

// printable is text on one line, with nothing that moves a cursor or turns the reading
// direction. Invisible characters go too, since they could hide a secret from us. It is
// not cut: half a secret would not be found.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.Join(strings.Fields(text), " "))
}

// In reports whether a secret is in text, as it is or in another form: percent-encoded,
// escaped as JSON does, in hexadecimal digits, in base64 alone or among other bytes, or
// broken up. Compressed, encrypted or in part it would not be found.
func (s Secrets) In(text string) bool {
	var forms []string
	for _, secret := range s {
		if len(secret) < shortSecret {
			continue
		}
		if strings.Contains(text, secret) {
			return true
		}
		forms = append(forms, formsOf(secret, len(text))...)
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

// formsOf are what gives a secret away in a text of so many bytes, of which only letters
// and digits are left. That makes the base64 alphabets one, with padding and line breaks
// or without. No form is shorter than the first.
func formsOf(secret string, length int) []string {
	plain := alphanumeric(secret)
	if len(plain) > length {
		return nil
	}
	digits := hex.EncodeToString([]byte(secret))
	forms := []string{digits, strings.ToUpper(digits)}
	if len(plain) >= shortSecret {
		forms = append(forms, plain)
	}
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

// unescape undoes percent-encoding and JSON's escapes where there are any, and leaves
// what is none.
func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if code, length := escape(text[i:]); length > 0 {
			b.WriteString(code)
			i += length - 1
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// escape is what stands for another character at the beginning of text, and how long it
// is: %41 or \u0041.
func escape(text string) (character string, length int) {
	for _, form := range []struct {
		mark   string
		digits int
	}{{"%", 2}, {`\u`, 4}} {
		digits, ok := strings.CutPrefix(text, form.mark)
		if !ok || len(digits) < form.digits {
			continue
		}
		code, err := strconv.ParseUint(digits[:form.digits], 16, 16)
		switch {
		case err != nil:
		case form.digits == 2:
			return string([]byte{byte(code)}), 3
		default:
			return string(rune(code)), 6
		}
	}
	return "", 0
}
