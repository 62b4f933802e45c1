package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/authctl/authctl/internal/session"
)

// A token is one word to a shell and one value to curl, and comes out as it went in.
func FuzzQuote(f *testing.F) {
	for _, seed := range []string{"abc", "it's", `$(id)`, "`id`", `a"b\c`, `\`, `'`, `''`, "#=", ";rm", "output=x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := givenToken(token); err != nil {
			return // no token has that
		}
		if got, ok := shellWordOf(shellQuote(token)); !ok || got != token {
			t.Errorf("a shell reads %q, want %q", got, token)
		}
		if got, ok := curlValueOf(curlQuote(token)); !ok || got != token {
			t.Errorf("curl reads %q, want %q", got, token)
		}
	})
}

// shellWordOf reads one word as a POSIX shell does (Shell Command Language 2.2), as long
// as nothing outside of quotes means anything but a backslash.
func shellWordOf(s string) (word string, ok bool) {
	var b strings.Builder
	for s != "" {
		switch s[0] {
		case '\'':
			inside, rest, closed := strings.Cut(s[1:], "'")
			if !closed {
				return "", false
			}
			b.WriteString(inside)
			s = rest
		case '\\':
			if len(s) < 2 {
				return "", false
			}
			b.WriteByte(s[1])
			s = s[2:]
		default:
			return "", false
		}
	}
	return b.String(), true
}

// curlValueOf reads a quoted value of a config file as curl's manual has it.
func curlValueOf(s string) (value string, ok bool) {
	s, ok = strings.CutPrefix(s, `"`)
	var b strings.Builder
	for i := 0; ok && i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), i == len(s)-1
		case s[i] == '\\' && i+1 < len(s):
			i++
			if strings.IndexByte("tnrv", s[i]) >= 0 {
				return "", false // curl makes white space of it
			}
		}
		b.WriteByte(s[i])
	}
	return "", false
}

// Claims are the provider's: nothing of them moves a cursor, and each has one line.
func FuzzClaims(f *testing.F) {
	for _, seed := range []string{
		`{"sub":"1","email":"ada@example.com","exp":1772370000}`, `{"sub":"\u001b[2J","name":"a\nauthctl: signed out"}`,
		`{"email":5,"preferred_username":"\u202egpj","login":""}`, `{"exp":1e300,"iat":-1e300,"nbf":"soon"}`, `{"a\tb":{"c":["\u0000"]}}`, `[]`, `null`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, claims []byte) {
		if !json.Valid(claims) {
			return // only what was parsed when it came is stored
		}
		tokens := &session.Tokens{AccessToken: "x", IDToken: "x.y.z", Claims: claims, SignatureChecked: true}
		var out bytes.Buffer
		cmd := &cobra.Command{}
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		if err := describe(cmd, &profile{now: time.Now}, tokens); err != nil {
			t.Fatal(err)
		}
		out.WriteString(successPage(&profile{}, nil, tokens).Title)
		if text := strings.ReplaceAll(out.String(), "\n", ""); strings.ContainsFunc(text, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }) {
			t.Errorf("got %q", out.String())
		}
		if got, most := strings.Count(out.String(), "\n"), len(claimsOf(tokens)); most > 0 && got != most {
			t.Errorf("got %d lines for %d claims", got, most)
		}
	})
}
