package leaktest

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

const (
	known = "s3cr3t/with+signs&and=more, then a second half"
	other = "Z9p0/l<7nQ+xT2&vW8=yR5, uJ4 h6Gk1 dF3?sM0-bC8~"
)

// disguises are what may become of a secret on its way into a file, a log or a page,
// besides Guises.
var disguises = map[string]func(string) string{
	"as it is":               func(s string) string { return "token " + s + "." },
	"in a query":             func(s string) string { return "?token=" + url.QueryEscape(s) },
	"in a path":              func(s string) string { return "/t/" + url.PathEscape(s) + "/" },
	"in a path, lower case":  func(s string) string { return strings.ToLower(eachByte(s, "%%%02X")) },
	"percent-encoded twice":  func(s string) string { return eachByte(eachByte(s, "%%%02X"), "%%%02X") },
	"in base64":              func(s string) string { return base64.StdEncoding.EncodeToString([]byte("client:" + s + "!")) },
	"in base64, one before":  func(s string) string { return base64.StdEncoding.EncodeToString([]byte("x" + s)) },
	"in base64, two before":  func(s string) string { return base64.StdEncoding.EncodeToString([]byte("xx" + s + "yy")) },
	"in URL's base64":        func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte("xyz?" + s)) },
	"in base64, alone":       func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	"in base64, escaped":     func(s string) string { return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(s))) },
	"in a Basic header":      func(s string) string { return base64.StdEncoding.EncodeToString([]byte("id:" + url.QueryEscape(s))) },
	"in base64, on lines":    func(s string) string { return onLines(base64.StdEncoding.EncodeToString([]byte(s))) },
	"in hexadecimal":         func(s string) string { return hex.EncodeToString([]byte(s)) },
	"in hexadecimal, spaced": func(s string) string { return fmt.Sprintf("% X", s) },
	"in JSON":                func(s string) string { b, _ := json.Marshal(s); return string(b) },
	"in JSON, all escaped":   func(s string) string { return eachByte(s, `\u%04x`) },
	"in JSON, in JSON":       func(s string) string { return strconv.Quote(eachByte(s, `\u%04x`)) },
	"in a trace of calls":    func(s string) string { return eachByte(s, `\x%02x`) },
	"in a page":              func(s string) string { return html.EscapeString(s) },
	"in a page, all escaped": func(s string) string { return eachByte(s, "&#x%x;") },
	"as Go prints bytes":     func(s string) string { return fmt.Sprint([]byte(s)) },
	"as a list of bytes":     func(s string) string { return strings.ReplaceAll(fmt.Sprint([]byte(s)), " ", ",") },
	"in a goroutine's dump":  func(s string) string { return "main.f(0x" + words(s)[0] + ", 0x2b)" },
	"broken over lines":      onLines,
	"with invisible marks":   func(s string) string { return strings.Join(strings.Split(s, ""), "\u200b") },
	"the first half":         func(s string) string { return s[:2*window-1] + "…" },
	"a part from the middle": func(s string) string { return "…" + s[9:9+2*window-1] + "…" },
}

func onLines(s string) string {
	var lines []string
	for ; len(s) > 20; s = s[20:] {
		lines = append(lines, s[:20])
	}
	return strings.Join(append(lines, s), "\r\n ")
}

// A check that finds nothing proves nothing unless it would have found it. The twin of
// each: another secret, disguised likewise, is not taken for it.
func TestSecretIsFound(t *testing.T) {
	var s Secrets
	s.Add("secret", known)
	all := maps.Clone(disguises)
	maps.Copy(all, Guises)
	for name, disguise := range all {
		t.Run(name, func(t *testing.T) {
			if got := s.In("before " + disguise(known) + " after"); len(got) == 0 || got[0].Kind != "secret" || got[0].Length != len(known) {
				t.Errorf("got %v in %q", got, disguise(known))
			}
			if got := s.In("before " + disguise(other) + " after"); len(got) != 0 {
				t.Errorf("got %v in %q, which is another", got, disguise(other))
			}
		})
	}
}

// Bytes that are no text, as those of a key.
func TestKeyIsFound(t *testing.T) {
	key := make([]byte, 32)
	for i := range key {
		key[i] = byte(7*i + 128)
	}
	var s Secrets
	s.Add("key", string(key))
	for name, text := range map[string]string{
		"as it is":       "\x00\x01" + string(key) + "\xff",
		"in base64":      base64.StdEncoding.EncodeToString(key),
		"in hexadecimal": hex.EncodeToString(key),
		"as Go quotes":   strconv.Quote(string(key)),
		"as Go prints":   fmt.Sprint(key),
	} {
		if got := s.In(text); len(got) == 0 {
			t.Errorf("%s: not found", name)
		}
	}
	if got := s.In(fmt.Sprint([32]byte{1, 2, 3})); len(got) != 0 {
		t.Errorf("got %v in another key", got)
	}
}

func TestSecretsByKind(t *testing.T) {
	var s Secrets
	s.Add("code", known, known, "")
	s.Add("key", other)
	if got := s.Len(); got != 2 {
		t.Errorf("got %d secrets, want 2: one is there twice, and one is empty", got)
	}
	if got := s.In(known + other); len(got) != 2 || got[0].Kind != "code" || got[1].Kind != "key" {
		t.Errorf("got %v, want the code and the key", got)
	}
	if got := s.Without("code").In(known + other); len(got) != 1 || got[0].Kind != "key" {
		t.Errorf("without the code: got %v, want the key", got)
	}
	if got := fmt.Sprint(s.In(known)); strings.Contains(got, known[:4]) {
		t.Errorf("a leak's text gives the secret away: %s", got)
	}
}

// Two JWTs of one provider begin alike: what gives one away is its signature.
func TestSignedTokensAreToldApart(t *testing.T) {
	const head = "eyJhbGciOiJSUzI1NiIsImtpZCI6IlJTMjU2LTAiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwOi8vMTI3LjAuMC4xOjIzNDU2In0."
	one, two := head+"c2lnbmF0dXJlIG9mIHRoZSBvbmUsIG5vIG90aGVy", head+"VGhlIG90aGVyJ3Mgc2lnbmF0dXJlLCBub3QgaXRz"
	var s Secrets
	s.Add("one", one)
	for text, want := range map[string]int{one: 1, two: 0, head: 0, base64.StdEncoding.EncodeToString([]byte("id:" + one)): 1} {
		if got := s.In(text); len(got) != want {
			t.Errorf("got %v in %q, want %d", got, text, want)
		}
	}
}

// Whoever asks for what can't be found is told.
func TestShortSecretIsRefused(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a secret of seven bytes was taken")
		}
	}()
	new(Secrets).Add("secret", known[:shortest-1])
}
