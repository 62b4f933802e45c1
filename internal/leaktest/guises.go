package leaktest

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
)

// Guises are how a provider may put back a secret that it was sent, by name. What hides
// secrets has to see through each of them.
var Guises = map[string]func(secret string) string{
	"as it is":                      func(s string) string { return s },
	"in a longer text":              func(s string) string { return "xx" + s + "yy" },
	"percent-encoded":               url.QueryEscape,
	"percent-encoded in lower case": func(s string) string { return strings.ToLower(eachByte(s, "%%%02x")) },
	"percent-encoded twice":         func(s string) string { return url.QueryEscape(eachByte(s, "%%%02X")) },
	"in base64":                     func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"in base64 after a byte":        func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(":" + s + "!")) },
	"in base64 after two bytes":     func(s string) string { return base64.StdEncoding.EncodeToString([]byte("x:" + s)) },
	"in base64, percent-encoded":    func(s string) string { return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(s))) },
	"in hexadecimal":                func(s string) string { return hex.EncodeToString([]byte(s)) },
	"in hexadecimal, upper case":    func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
	"in escapes of JSON":            func(s string) string { return eachByte(s, `\u%04x`) },
	"with marks that nobody sees":   func(s string) string { return strings.Join(strings.Split(s, ""), "\u200b") },
	"in two words":                  func(s string) string { return s[:len(s)/2] + " " + s[len(s)/2:] },
}

func eachByte(s, format string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, format, c)
	}
	return b.String()
}
