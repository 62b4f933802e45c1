package callback

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// protected are the headers of every answer.
var protected = map[string]string{
	"Cache-Control":              "no-store",
	"Cross-Origin-Opener-Policy": "same-origin",
	"Referrer-Policy":            "no-referrer",
	"X-Content-Type-Options":     "nosniff",
	"X-Frame-Options":            "DENY",
}

func checkProtected(t *testing.T, what string, h http.Header) {
	t.Helper()
	for name, want := range protected {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %s is %q, want %q", what, name, got, want)
		}
	}
	for _, want := range []string{"default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} {
		if got := h.Get("Content-Security-Policy"); !strings.Contains(got, want) {
			t.Errorf("%s: the policy %q lacks %s", what, got, want)
		}
	}
	for _, name := range []string{"Access-Control-Allow-Origin", "Set-Cookie", "Server"} {
		if got := h.Get(name); got != "" {
			t.Errorf("%s: %s is %q", what, name, got)
		}
	}
}

func TestEveryAnswerIsProtected(t *testing.T) {
	g := begin(t, "http://127.0.0.1/callback", nil)
	for what, request := range map[string]string{
		"400": "GET /callback?state=x HTTP/1.1\nHost: HOST\n\n",
		"404": "GET /favicon.ico HTTP/1.1\nHost: HOST\n\n",
		"405": "PUT /callback HTTP/1.1\nHost: HOST\n\n",
		"413": post("x=" + strings.Repeat("x", bodyLimit)),
		"415": "POST /callback HTTP/1.1\nHost: HOST\n\n",
		"421": "GET /callback HTTP/1.1\nHost: x\n\n",
		"303": "GET /callback?code=a&state=STATE HTTP/1.1\nHost: HOST\n\n",
	} {
		a := g.send(t, request)
		if got := a.Status[:3]; got != what {
			t.Errorf("got %s, want %s", got, what)
		}
		checkProtected(t, what, a.Header)
		if kind := a.Header.Get("Content-Type"); what != "303" && kind != "text/plain; charset=utf-8" {
			t.Errorf("%s: type %q", what, kind)
		}
	}
	g.result.count(0, true) // as if it had been shown
	g.response(t).Finish(t.Context(), signedIn)
	a := g.send(t, "GET "+g.result.path+" HTTP/1.1\nHost: HOST\n\n")
	checkProtected(t, "the page", a.Header)
	if got := a.Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("the page: type %q", got)
	}
	checkStyle(t, a)
}

// checkStyle holds the one inline style against the policy as a browser does.
func checkStyle(t *testing.T, a answer) {
	t.Helper()
	_, rest, _ := strings.Cut(a.body, "<style>")
	text, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(text))
	want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	if got := a.Header.Get("Content-Security-Policy"); text == "" || !strings.Contains(got, want) {
		t.Errorf("the policy %q lacks %s", got, want)
	}
}

func TestPageEscapes(t *testing.T) {
	evil := `</title></style><script>alert("1")</script><img src=x onerror='x'>&amp;`
	escaped := `&lt;/title&gt;&lt;/style&gt;&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;&lt;img src=x onerror=&#39;x&#39;&gt;&amp;amp;`
	text := Page{Title: evil, Message: evil, Detail: evil}.html()
	if got := strings.Count(text, escaped); got != 4 { // the title twice
		t.Errorf("%d texts are escaped, want 4:\n%s", got, text)
	}
	if strings.Contains(text, "<script") || strings.Contains(text, "<img") {
		t.Errorf("markup came through:\n%s", text)
	}
}

func TestPageHasNothingRemote(t *testing.T) {
	for _, p := range []Page{signedIn, {Title: "No", Message: "m", Detail: "d"}} {
		text := p.html()
		if m := regexp.MustCompile(`(?i)<(script|link|img|iframe|form|a|base|object)\b|https?:|url\(|@import|\b(on\w+|src|href|style)=`).FindString(text); m != "" {
			t.Errorf("the page holds %q", m)
		}
		if strings.Contains(text, "\r") {
			t.Error("a browser drops a carriage return before it hashes the style")
		}
	}
}

func TestPageSaysWhatItWasTold(t *testing.T) {
	ok := signedIn.html()
	no := Page{Title: "Not signed in", Message: "See the terminal.", Detail: "access_denied"}.html()
	for _, c := range []struct {
		name, text, want string
		there            bool
	}{
		{"the title", ok, "<title>Signed in</title>", true},
		{"the heading", ok, ">Signed in</h1>", true},
		{"the message", ok, ">Back to the terminal.</p>", true},
		{"a check", ok, check, true},
		{"no cross", ok, cross, false},
		{"no small print", ok, `class="detail"`, false},
		{"a cross", no, cross, true},
		{"no check", no, check, false},
		{"small print", no, `<p class="detail" dir="auto">access_denied</p>`, true},
	} {
		if got := strings.Contains(c.text, c.want); got != c.there {
			t.Errorf("%s: got %t, want %t", c.name, got, c.there)
		}
	}
}
