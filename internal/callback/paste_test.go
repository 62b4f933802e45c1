package callback

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	const local = "https://localhost:9000/callback"
	const url = local + "?code=s3cr3t-code&state=" + state
	for _, c := range []struct {
		name, pasted, redirect string
		want                   error
	}{
		{"as it is", url, local, nil},
		{"with a line end", url + "\r\n", local, nil},
		{"with spaces around", "  \t" + url + " ", local, nil},
		{"in double quotes", `"` + url + `"`, local, nil},
		{"in single quotes, spaces around", ` '` + url + `' `, local, nil},
		{"in typographic quotes", "“" + url + "”", local, nil},
		{"in angle brackets", "<" + url + ">", local, nil},
		{"in backquotes", "`" + url + "`", local, nil},
		{"in bracketed-paste marks", "\x1b[200~" + url + "\x1b[201~", local, nil},
		{"in quotes in marks", "\x1b[200~'" + url + "'\n\x1b[201~\r", local, nil},
		{"wrapped", url[:40] + "\n" + url[40:70] + "\r\n   " + url[70:], local, nil},
		{"with invisible characters", "\ufeff" + url[:40] + "\u200b" + url[40:] + "\u202c", local, nil},
		{"with a fragment", url + "#_=_", local, nil},
		{"with iss", url + "&iss=https%3A%2F%2Fissuer", local, nil},
		{"the host in capitals", strings.Replace(url, "localhost", "LOCALHOST", 1), local, nil},
		{"the scheme in capitals", strings.Replace(url, "https", "HTTPS", 1), local, nil},
		{"an error", local + "?error=access_denied&state=" + state, local, nil},
		{"a default port left out", "https://localhost/cb?code=a&state=" + state, "https://localhost:443/cb", nil},
		{"a default port added", "http://localhost:80/cb?code=a&state=" + state, "http://localhost/cb", nil},
		{"no path", "http://127.0.0.1:7000/?code=a&state=" + state, "http://127.0.0.1:7000", nil},
		{"a query in the redirect URI", "https://app.example.com/cb?t=1&code=a&state=" + state, "https://app.example.com/cb?t=1", nil},
		{"a custom scheme", "com.example:/cb?code=a&state=" + state, "com.example:/cb", nil},
		{"a custom scheme with a host", "com.example://cb?code=a&state=" + state, "com.example://cb", nil},
		{"an opaque custom scheme", "com.example:cb?code=a&state=" + state, "com.example:cb", nil},
		{"IPv6", "http://[::1]:7000/cb?code=a&state=" + state, "http://[::1]:7000/cb", nil},

		{"another state", local + "?code=s3cr3t-code&state=" + otherState, local, ErrWrongState},
		{"no state", local + "?code=s3cr3t-code", local, ErrWrongState},
		{"the state twice", url + "&state=" + state, local, ErrWrongState},
		{"the state in the fragment", local + "#state=" + state, local, ErrWrongState},
		{"an error without state", local + "?error=access_denied", local, ErrWrongState},
		{"only the redirect URI", local, local, ErrWrongState},
		{"cut short", url[:len(url)-1], local, ErrWrongState},

		{"a code", "s3cr3t-code", local, ErrBareCode},
		{"a code with a slash and padding", " 4/0AX4XfWh==\n", local, ErrBareCode},
		{"a JWT", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", local, ErrBareCode},
		{"a code over two lines", "s3cr3t-\ncode", local, ErrBareCode},
		{"a code in quotes", "'s3cr3t-code'", local, ErrBareCode},
		{"code=", "code=s3cr3t-code", local, ErrBareCode},

		{"nothing", "", local, ErrNotRedirect},
		{"a line end", "\n", local, ErrNotRedirect},
		{"quotes", `""`, local, ErrNotRedirect},
		{"words", "what do I do", local, ErrNotRedirect},
		{"a query", "?code=s3cr3t-code&state=" + state, local, ErrNotRedirect},
		{"the authorization URL", "https://auth.example.com/authorize?state=" + state, local, ErrNotRedirect},
		{"another scheme", strings.Replace(url, "https", "http", 1), local, ErrNotRedirect},
		{"another host", strings.Replace(url, "localhost", "localhost.evil.example", 1), local, ErrNotRedirect},
		{"another port", strings.Replace(url, "9000", "9001", 1), local, ErrNotRedirect},
		{"another path", strings.Replace(url, "/callback", "/Callback", 1), local, ErrNotRedirect},
		{"a path below", strings.Replace(url, "/callback", "/callback/", 1), local, ErrNotRedirect},
		{"a user", strings.Replace(url, "localhost", "me@localhost", 1), local, ErrNotRedirect},
		{"no URL", "https://local%zzhost/s3cr3t-code?", local, ErrNotRedirect},
		{"another custom scheme", "com.other:/cb?code=a&state=" + state, "com.example:/cb", ErrNotRedirect},
		{"another opaque part", "com.example:cc?code=a&state=" + state, "com.example:cb", ErrNotRedirect},
		{"two URLs", url + " " + url, local, ErrWrongState},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Parse(c.pasted, c.redirect, state)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "s3cr3t") {
				t.Errorf("the error holds the code: %v", err)
			}
			if err == nil && r.Params.Get("state") != state {
				t.Errorf("got %v", r.Params)
			}
		})
	}
}

func TestParseKeepsTheCode(t *testing.T) {
	r, err := Parse("http://localhost/cb?code=4%2F0A%2Bx&state="+state+"#", "http://localhost/cb", state)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.Params.Get("code"), "4/0A+x"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParseWithoutAState(t *testing.T) {
	if _, err := Parse("http://localhost/cb?state=", "http://localhost/cb", ""); !errors.Is(err, ErrWrongState) {
		t.Errorf("got %v, want %v", err, ErrWrongState)
	}
}

// FuzzParse: whatever is pasted, a response has our state, once, and no error
// repeats the paste.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"https://localhost:9000/callback?code=a&state=" + state, "'https://localhost:9000/callback'", "com.example:/cb?state=" + state,
		"\x1b[200~x\x1b[201~", "code", "https://localhost:9000/call\nback?state=%39" + state[1:], "//localhost:9000/callback", "https://[::1", "“ ”",
	} {
		f.Add(s, "https://localhost:9000/callback")
		f.Add(s, "com.example:/cb")
	}
	f.Fuzz(func(t *testing.T, pasted, redirect string) {
		r, err := Parse(pasted, redirect, state)
		switch {
		case err == nil:
			if got := r.Params["state"]; len(got) != 1 || got[0] != state {
				t.Fatalf("%q passed with state %q", pasted, got)
			}
		case err != ErrWrongState && err != ErrBareCode && err != ErrNotRedirect:
			t.Fatalf("%q: %v", pasted, err)
		}
	})
}
