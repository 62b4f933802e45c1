package oauth

import (
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
		{"secret in a query", "bad " + url.QueryEscape(secret), "bad [redacted]"},
		{"secret in a query, lower case", "bad s3cr3t%2bwith%2fodd%3dchars", "bad [redacted]"},
		{"secret in a path", "bad " + url.PathEscape(secret), "bad [redacted]"},
		{"secret with a mark in it", "bad s3cr3t+with\u200b/odd=chars", "bad [redacted]"},
		{"secret across the cut", strings.Repeat("x", 190) + secret, strings.Repeat("x", 190) + "[redacted]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := (secrets{"", "ab", secret}).clean(test.text); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
