package e2e

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/authctl/authctl/internal/robot"
)

var (
	talk   = regexp.MustCompile(`(?m)^authctl: (warning: )?.*$`)
	advice = regexp.MustCompile(`(?m)^hint: .*$`)
	forged = regexp.MustCompile(`(?m)^(hint: rm|hint: [xy]|authctl: all is well|Signed in as root)`)
)

// says fails the test unless what a command said is fit to be shown: as many lines about
// what went wrong as there should be, each of one command's making.
func (s *stage) says(end scene, lines int, pattern string) {
	s.t.Helper()
	s.hidesSecrets(end)
	s.isFit("stderr", end.stderr)
	said := talk.FindAllString(end.stderr, -1)
	if len(said) != lines || len(advice.FindAllString(end.stderr, -1)) > 1 || forged.MatchString(end.stderr) {
		s.t.Errorf("got %d lines about it, want %d and at most one hint:\n%s", len(said), lines, end.stderr)
	}
	if got := strings.Join(said, "\n"); !regexp.MustCompile(pattern).MatchString(got) {
		s.t.Errorf("got %q, want %q", got, pattern)
	}
}

// hidesSecrets comes first: what holds a secret can't be in a message. The state is in
// the address that login prints, and nowhere else.
func (s *stage) hidesSecrets(end scene) {
	s.t.Helper()
	texts := []string{end.stderr, end.stdout}
	if end.page != nil {
		texts = append(texts, end.page.Title, end.page.Text)
	}
	for _, secret := range s.provider.Secrets() {
		for _, text := range texts {
			if holds(text, secret) {
				s.t.Fatalf("a secret of %d characters is shown", len(secret))
			}
		}
	}
	for _, name := range []string{"state", "nonce"} {
		said := strings.Join(append(talk.FindAllString(end.stderr, -1), texts[1:]...), "\n")
		if value := end.asked.Get(name); value != "" && holds(said, value) {
			s.t.Fatalf("the %s is shown", name)
		}
	}
}

// holds reports whether a secret is in text, as it is, percent-encoded or in base64.
// What is shorter than any secret may be anywhere.
func holds(text, secret string) bool {
	if len(secret) < 16 {
		return false
	}
	forms := []string{secret, url.QueryEscape(secret), percentEncoded(secret)}
	for before := range 3 { // bytes that share the first group of three with it
		padded := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), secret...))
		forms = append(forms, padded[4:len(padded)-4])
	}
	text = strings.NewReplacer("-", "+", "_", "/").Replace(text) + "\n" + text
	return slices.ContainsFunc(forms, func(form string) bool { return strings.Contains(text, form) })
}

func percentEncoded(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(s) {
		b.Write([]byte{'%', digits[c>>4], digits[c&15]})
	}
	return b.String()
}

// isFit fails the test if text has what a terminal acts on, or lines that nobody reads.
func (s *stage) isFit(what, text string) {
	s.t.Helper()
	s.isTame(what, text)
	for line := range strings.Lines(text) {
		if len(line) > 2000 {
			s.t.Errorf("%s has a line of %d bytes", what, len(line))
		}
	}
}

// isTame is the first half of that, for what has to be shown in full.
func (s *stage) isTame(what, text string) {
	s.t.Helper()
	for line := range strings.Lines(text) {
		if line = strings.TrimSuffix(line, "\n"); strings.ContainsFunc(line, actsOnTerminals) {
			s.t.Errorf("%s has a character that a terminal acts on: %.1000q", what, line)
		}
	}
}

// actsOnTerminals: controls, and the marks that reorder or hide what is read.
func actsOnTerminals(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// shows fails the test unless the browser ended on a page with this title that says the
// same as the terminal, to the letter: what is HTML in it is to be read, not obeyed.
func (s *stage) shows(page *robot.Page, title, message string) {
	s.t.Helper()
	if page.Status != http.StatusOK || squeezed(page.Title) != squeezed(title) || !strings.Contains(squeezed(page.Text), squeezed(message)) {
		s.t.Errorf("the page: got %d, %q, %q, want %q and %q", page.Status, page.Title, page.Text, title, message)
	}
	s.isFit("the page", page.Title+"\n"+page.Text)
}

// welcomes fails the test unless the page names whom the terminal names.
func (s *stage) welcomes(end scene) {
	s.t.Helper()
	title := "You are signed in"
	_, who, _ := strings.Cut(end.stderr, "Signed in to "+s.profile[1]+" as ")
	if who, _, _ = strings.Cut(who, ".\n"); !strings.HasPrefix(who, "an account that the provider doesn't name") {
		title = "Signed in as " + who
	}
	s.shows(end.page, title, title)
}

// squeezed is text as pages have it, where a space is as good as many.
func squeezed(text string) string { return strings.Join(strings.Fields(text), " ") }

// A check that finds nothing proves nothing unless it would have found it.
func TestHolds(t *testing.T) {
	const secret = "aGk_4-zz.secret~with-40-characters_in_it"
	for name, text := range map[string]string{
		"as it is":           "token " + secret + ".",
		"in a query":         "?token=" + url.QueryEscape(secret),
		"percent-encoded":    percentEncoded("token=" + secret),
		"in base64":          base64.StdEncoding.EncodeToString([]byte("client:" + secret + "!")),
		"in base64, one":     base64.StdEncoding.EncodeToString([]byte("x" + secret)),
		"in base64, two":     base64.StdEncoding.EncodeToString([]byte("xx" + secret + "yy")),
		"in URL's base64":    base64.RawURLEncoding.EncodeToString([]byte("xyz?" + secret)),
		"in base64 alone":    base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"not another secret": "",
	} {
		if got := holds(text, secret); got != (text != "") {
			t.Errorf("%s: got %t", name, got)
		}
	}
	if holds("[redacted 40 bytes] aGk_4-zz", secret) {
		t.Error("a part is taken for the whole")
	}
}
