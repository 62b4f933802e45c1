package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"unicode"

	"github.com/authctl/authctl/internal/leaktest"
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

// hidesSecrets comes first: what holds a secret can't be in a message. State and nonce
// are in the address that login prints, and the nonce among the claims.
func (s *stage) hidesSecrets(end scene) {
	s.t.Helper()
	var secrets leaktest.Secrets
	for value, kind := range s.provider.Kinds() {
		if len(value) >= 16 { // or it is no secret, but a nasty token
			secrets.Add(kind, value)
		}
	}
	said := strings.Join(talk.FindAllString(end.stderr, -1), "\n")
	if end.page != nil {
		said += end.page.Title + "\n" + end.page.Text
	}
	if leaks := append(secrets.In(said), secrets.Without("state", "nonce").In(end.stderr+end.stdout)...); len(leaks) > 0 {
		s.t.Fatalf("shown is %v", leaks)
	}
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
