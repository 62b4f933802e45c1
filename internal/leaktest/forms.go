package leaktest

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"html"
	"iter"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// form is a text that a secret is looked for as.
type form struct {
	name, text string
	scale      int // about how many characters stand for one of the secret's bytes
}

// formsOf are a secret's. What views undoes needs none.
func formsOf(secret string) []form {
	digits, bytes := hex.EncodeToString([]byte(secret)), strings.Trim(fmt.Sprint([]byte(secret)), "[]")
	forms := []form{
		{"as it is", secret, 1},
		{"as it is", strings.ReplaceAll(secret, " ", "+"), 1}, // in a form
		{"in hexadecimal", digits, 2},
		{"in hexadecimal", strings.ToUpper(digits), 2},
		{"in decimal", bytes, 3},
		{"in decimal", strings.ReplaceAll(bytes, " ", ","), 3},
	}
	for _, text := range append(inBase64(secret), inBase64(url.QueryEscape(secret))...) { // the latter in a Basic header, RFC 6749 §2.3.1
		forms = append(forms, form{"in base64", text, 1})
	}
	for _, text := range words(secret) {
		forms = append(forms, form{"in words of a stack", text, 1})
	}
	return forms
}

// inBase64 is how secret looks inside base64 of a longer text: three ways, by where it
// begins, without the characters at its ends that its neighbours have a part in.
func inBase64(secret string) (forms []string) {
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for offset, lost := range []int{0, 2, 3} {
			whole := (offset + len(secret)) / 3 * 3 // of the padded text, in whole groups
			text := encoding.EncodeToString([]byte(strings.Repeat("x", offset) + secret)[:whole])
			if len(text)-lost >= shortest {
				forms = append(forms, text[lost:])
			}
		}
	}
	return forms
}

// words are secret as the numbers that a goroutine's dump would show of it on a machine
// that has the low byte first.
func words(secret string) (forms []string) {
	for at := 0; at+8 <= len(secret); at += 8 {
		forms = append(forms, fmt.Sprintf("%016x", binary.LittleEndian.Uint64([]byte(secret[at:at+8]))))
	}
	return forms
}

// depth is how many escapings around each other are undone.
const depth = 3

// views are text as it is and with its escapes undone, each of them also without the
// spaces and line ends that may break a secret up.
func views(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		both := func(view string) bool {
			whole := joined(view)
			return yield(view) && (whole == view || yield(whole))
		}
		if !both(text) {
			return
		}
		for range depth {
			for _, undo := range []func(string) string{percent, backslash, html.UnescapeString} {
				undone := undo(text)
				if undone != text && !both(undone) {
					return
				}
				text = undone
			}
		}
	}
}

func joined(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, text)
}

// percent undoes percent-encoding, and leaves a + as it is: base64 has it too.
func percent(text string) string {
	return unescape(text, '%', func(rest string) (string, int) { return number(rest, "%", 2) })
}

// backslash undoes the escapes of JSON, Go and C.
func backslash(text string) string {
	return unescape(text, '\\', func(rest string) (string, int) {
		if text, length := number(rest, `\u`, 4); length > 0 {
			return text, length
		}
		if text, length := number(rest, `\x`, 2); length > 0 || len(rest) < 2 {
			return text, length
		}
		switch rest[1] {
		case 'n', 'r', 't':
			return "\n", 2
		}
		return rest[1:2], 2
	})
}

// unescape replaces what begins with a mark by what undo makes of it: a text, and the
// length of what it stands for; 0: it is no escape.
func unescape(text string, mark byte, undo func(rest string) (string, int)) string {
	var b strings.Builder
	for {
		at := strings.IndexByte(text, mark)
		if at < 0 {
			return b.String() + text
		}
		b.WriteString(text[:at])
		undone, length := undo(text[at:])
		if length == 0 {
			undone, length = text[at:at+1], 1
		}
		b.WriteString(undone)
		text = text[at+length:]
	}
}

// number is what a mark and so many hexadecimal digits stand for: a byte, or with four
// digits a character.
func number(text, mark string, digits int) (string, int) {
	rest, ok := strings.CutPrefix(text, mark)
	if !ok || len(rest) < digits {
		return "", 0
	}
	n, err := strconv.ParseUint(rest[:digits], 16, 32)
	switch {
	case err != nil:
		return "", 0
	case digits > 2:
		return string(rune(n)), len(mark) + digits
	}
	return string([]byte{byte(n)}), len(mark) + digits
}
