package e2e

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/robot"
)

// stage is where a hostile provider and authctl meet: a user of their own, and another
// origin, where nothing may ever arrive.
type stage struct {
	t         *testing.T
	provider  *idp.Server
	profile   []string // login's flags for it
	user      *user
	elsewhere atomic.Int64 // requests
}

func newStage(t *testing.T, o idp.Options, tls bool) *stage {
	t.Helper()
	s := &stage{t: t, user: newFileUser(t)}
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { s.elsewhere.Add(1) }))
	t.Cleanup(func() {
		other.Close()
		if n := s.elsewhere.Load(); n > 0 {
			t.Errorf("%d requests went to another origin", n)
		}
	})
	o.Elsewhere, o.OpaqueAccess = other.URL, true // no JWT: a signature less to wait for
	if tls {
		s.behindTLS(o)
		return s
	}
	s.provider = demoProvider(t, o)
	s.profile = []string{"--issuer", s.provider.Issuer(), "--client-id", "demo"}
	return s
}

// behindTLS has the provider where only the user knows its certificate.
func (s *stage) behindTLS(o idp.Options) {
	s.t.Helper()
	s.provider = idp.New(o)
	server := httptest.NewUnstartedServer(s.provider)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	s.t.Cleanup(func() { server.Close(); s.provider.Close() })
	root := filepath.Join(s.user.home, "root.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(root, text, 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.profile = []string{"--issuer", server.URL, "--client-id", "demo", "--ca-file", root}
}

// turn makes the provider wrong in the given ways, separated by spaces, or honest.
func (s *stage) turn(modes string) {
	s.provider.Set(func(o *idp.Options) {
		o.Modes = map[string]bool{}
		for _, mode := range strings.Fields(modes) {
			o.Modes[mode] = true
		}
	})
}

// scene is how a command ended, and the page that the browser ended on, nil if it opened none.
type scene struct {
	stdout, stderr string
	code           int
	page           *robot.Page
	asked          url.Values // the authorization request
}

func (s *stage) run(args ...string) scene {
	s.t.Helper()
	var end scene
	end.stdout, end.stderr, end.code = s.user.run(args...)
	return end
}

// startLogin starts a login and waits for its address, "" when it ends before that.
func (s *stage) startLogin(args ...string) (p *process, address string) {
	s.t.Helper()
	p = s.user.start(nil, append([]string{"login", "--no-browser"}, args...)...)
	if found := p.stderr.search(`(?m)^(http\S+[?&]response_type=code\S*)$`, p.done); found != nil {
		address = found[1]
	}
	return p, address
}

// login signs in, as far as that goes.
func (s *stage) login(args ...string) scene {
	s.t.Helper()
	var end scene
	p, address := s.startLogin(args...)
	if address != "" {
		end.page = s.browse(address)
		end.asked = queryOf(s.t, address)
		if end.page.Status >= http.StatusBadRequest {
			s.t.Fatalf("the browser got %d, %q, and authctl still waits", end.page.Status, end.page.Text)
		}
	}
	end.code = p.wait()
	end.stdout, end.stderr = p.stdout.String(), p.stderr.String()
	return end
}

func (s *stage) browse(address string) *robot.Page {
	s.t.Helper()
	page, err := robot.Visit(context.Background(), address, robot.Options{Timeout: patience, Insecure: true})
	if err != nil {
		s.t.Fatal(err)
	}
	return page
}

func queryOf(t testing.TB, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

// signIn is a login that has to succeed.
func (s *stage) signIn(args ...string) scene {
	s.t.Helper()
	end := s.login(args...)
	s.hidesSecrets(end)
	if end.code != 0 || end.page == nil || end.page.Status != http.StatusOK {
		s.t.Fatalf("an honest provider is refused: exit %d, page %+v\n%s", end.code, end.page, end.stderr)
	}
	return end
}

// token is what `authctl token` prints, which has to be a token.
func (s *stage) token(args ...string) string {
	s.t.Helper()
	end := s.run(append([]string{"token"}, args...)...)
	if end.code != 0 || len(end.stdout) < 20 || strings.Count(end.stdout, "\n") != 1 {
		s.t.Fatalf("token: exit %d and %d bytes, want 0 and a token\n%s", end.code, len(end.stdout), end.stderr)
	}
	return end.stdout
}

// keeps are the user's files that matter, with what is in them: all but the locks and
// what was there beforehand.
func (s *stage) keeps() map[string]string {
	s.t.Helper()
	files := map[string]string{}
	s.user.files(func(path string, content []byte) {
		if filepath.Base(filepath.Dir(path)) != "locks" && filepath.Dir(path) != s.user.home {
			files[path] = string(content)
		}
	})
	return files
}

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
			if shows(text, secret) {
				s.t.Fatalf("a secret of %d characters is shown", len(secret))
			}
		}
	}
	for _, name := range []string{"state", "nonce"} {
		said := strings.Join(append(talk.FindAllString(end.stderr, -1), texts[1:]...), "\n")
		if value := end.asked.Get(name); value != "" && shows(said, value) {
			s.t.Fatalf("the %s is shown", name)
		}
	}
}

// shows reports whether a secret is in text, as it is, percent-encoded or in base64.
// What is shorter than any secret may be anywhere.
func shows(text, secret string) bool {
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

// tells fails the test unless the browser ended on the page of a sign-in that failed.
func (s *stage) tells(page *robot.Page) {
	s.t.Helper()
	if page.Status != http.StatusOK || page.Title != "Sign-in failed" {
		s.t.Errorf("the page: got %d, %q, %q, want that the sign-in failed", page.Status, page.Title, page.Text)
	}
	s.isFit("the page", page.Text)
}

// A check that finds nothing proves nothing unless it would have found it.
func TestShows(t *testing.T) {
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
		if got := shows(text, secret); got != (text != "") {
			t.Errorf("%s: got %t", name, got)
		}
	}
	if shows("[redacted 40 bytes] aGk_4-zz", secret) {
		t.Error("a part is taken for the whole")
	}
}

// lateness is how long a login waits for a provider that never ends.
const lateness = 1500 * time.Millisecond
