package oauth

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

func TestClean(t *testing.T) {
	secret := "s3cr3t+with/odd=chars"
	for _, test := range []struct{ name, text, want string }{
		{"plain", "session expired", "session expired"},
		{"other languages", "Sitzung abgelaufen: übermäßig 期限切れ", "Sitzung abgelaufen: übermäßig 期限切れ"},
		{"newlines", "one\r\ntwo\tthree\u2028four", "one two three four"},
		{"escapes", "\x1b[31mred\x1b[0m\x9b2J\x00\a", "[31mred[0m\ufffd2J"},
		{"bidi marks", "abc\u202edef\u2066\u200f", "abcdef"},
		{"zero width", "a\u200bb\ufeffc", "abc"},
		{"long", strings.Repeat("é", 201), strings.Repeat("é", 200) + "…"},
		{"secret", "bad " + secret + "!", "bad [redacted]!"},
		{"secret in a query", "bad " + url.QueryEscape(secret), "[redacted]"},
		{"secret in a query, lower case", "bad s3cr3t%2bwith%2fodd%3dchars", "[redacted]"},
		{"secret in a path", "bad " + url.PathEscape(secret), "[redacted]"},
		{"secret with a mark in it", "bad s3cr3t+with\u200b/odd=chars", "bad [redacted]"},
		{"secret across the cut", strings.Repeat("x", 190) + secret, strings.Repeat("x", 190) + "[redacted]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := (Secrets{"", "ab", secret}).clean(test.text); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// Each form of a secret drops the whole text; the same form of something else, its
// honest twin, leaves it as it is.
func TestCleanDisguised(t *testing.T) {
	percent := func(s string) string {
		var b strings.Builder
		for _, c := range []byte(s) {
			fmt.Fprintf(&b, "%%%02X", c)
		}
		return b.String()
	}
	std, raw := base64.StdEncoding.EncodeToString, base64.RawURLEncoding.EncodeToString
	for _, test := range []struct {
		name string
		form func(string) string
	}{
		{"every character percent-encoded", percent},
		{"in lower case", func(s string) string { return strings.ToLower(percent(s)) }},
		{"twice", func(s string) string { return percent(percent(s)) }},
		{"base64", func(s string) string { return std([]byte(s)) }},
		{"base64 without padding", func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) }},
		{"base64url", func(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) }},
		{"base64url without padding", func(s string) string { return raw([]byte(s)) }},
		{"base64 after one byte", func(s string) string { return std([]byte(":" + s)) }},
		{"base64 after two bytes, before another", func(s string) string { return raw([]byte("x:" + s + "!")) }},
		{"base64 amid much, on several lines", func(s string) string {
			text := std([]byte(`{"refresh_token":"` + s + `"}`))
			return text[:30] + "\r\n" + text[30:]
		}},
		{"base64, percent-encoded", func(s string) string { return url.QueryEscape(std([]byte(s))) }},
		{"in a Basic header", func(s string) string { return "Basic " + std([]byte("client:"+url.QueryEscape(s))) }},
		{"broken up", func(s string) string { return s[:5] + " " + s[5:10] + `"` + s[10:] }},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, secret := range []string{"held-refresh-token", "s3cr3t+with/odd?chars~é", "aGk_4-zz>>>??"} {
				bad := "not accepted: " + test.form(secret) + ", says the provider"
				if got := (Secrets{"", secret}).clean(bad); got != redacted {
					t.Errorf("got %q, want nothing of %q", got, bad)
				}
				other := "not accepted: " + test.form(secret[:3]+"*another*"+secret[3:]) + ", says the provider"
				want := strings.Join(strings.Fields(other), " ")
				if got := (Secrets{"", secret}).clean(other); !strings.HasPrefix(want, strings.TrimSuffix(got, "…")) {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
	endless := "%" + strings.Repeat("25", 1000) + "41"
	if got := (Secrets{"held-refresh-token"}).clean(endless); got != redacted {
		t.Errorf("got %q, want nothing of a text without an end", got)
	}
	if got := (Secrets{}).clean("100% of %41"); got != "100% of %41" {
		t.Errorf("got %q, want the text as it is", got)
	}
}
