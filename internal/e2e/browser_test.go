package e2e

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/authctl/authctl/internal/idp"
)

// place is a provider where a user signs in with a browser.
type place struct {
	name   string
	flags  func(t testing.TB) []string // of authctl login
	accept func(w *window, url string)
	refuse func(w *window, url string)
}

// account is who signs in, as both providers and authctl's page name them.
const account = "ada@example.com"

// places are the two providers. Each is strict in its own way.
func places() []place {
	return []place{
		{
			name: "panva",
			flags: func(t testing.TB) []string {
				return []string{"--issuer", panvaProvider(t).issuer, "--client-id", "native"}
			},
			accept: (*window).atPanva,
			refuse: func(w *window, url string) { w.do(chromedp.Navigate(url), click(".login-help a")) },
		},
		{
			name: "demo",
			flags: func(t testing.TB) []string {
				return []string{"--issuer", demoProvider(t, idp.Options{}).Issuer(), "--client-id", "demo"}
			},
			accept: (*window).atDemo,
			refuse: func(w *window, url string) { w.do(chromedp.Navigate(url), click("button.no")) },
		},
	}
}

func TestChromiumSignsIn(t *testing.T) {
	for _, at := range places() {
		for _, tc := range []struct {
			name     string
			flags    func(t testing.TB) []string
			redirect string // the one that the provider is sent begins like this
		}{
			{"any port", func(testing.TB) []string { return nil }, "http://127.0.0.1:"},
			{"fixed port", func(t testing.TB) []string {
				return []string{"--redirect-uri", "http://127.0.0.1:" + freePort(t) + "/callback"}
			}, "http://127.0.0.1:"},
			{"localhost", func(testing.TB) []string { return []string{"--redirect-uri", "http://localhost/callback"} }, "http://localhost:"},
			{"file store", func(t testing.TB) []string {
				return []string{"--store", "file", "--store-key-file", filepath.Join(t.TempDir(), "key")}
			}, "http://127.0.0.1:"},
			{"form_post", func(testing.TB) []string { return []string{"--param", "response_mode=form_post"} }, "http://127.0.0.1:"},
		} {
			t.Run(at.name+"/"+tc.name, func(t *testing.T) {
				t.Parallel()
				w, u := newWindow(t), newUser(t)
				flags := append(at.flags(t), tc.flags(t)...)
				login, asked := u.login(flags...)
				if got := redirectURI(t, asked); !strings.HasPrefix(got, tc.redirect) {
					t.Errorf("redirect URI: got %q, want %s…", got, tc.redirect)
				}
				at.accept(w, asked)
				got := w.lastPage()
				if code := login.wait(); code != 0 {
					t.Fatalf("login: exit %d\n%s", code, login.stderr)
				}
				if !strings.Contains(got.title, account) || !strings.Contains(got.text, "close this tab") {
					t.Errorf("the page: got %q, %q, want it to name %s", got.title, got.text, account)
				}
				if u, _ := url.Parse(got.address); u.RawQuery != "" || u.Fragment != "" {
					t.Errorf("the address bar still holds parameters: %q", got.address)
				}
				if stdout := login.stdout.String(); stdout != "" {
					t.Errorf("stdout: got %q, want nothing", stdout)
				}
				if got := u.must("whoami", "--claim", "email"); got != account+"\n" {
					t.Errorf("whoami: got %q, want %q", got, account)
				}
			})
		}
	}
}

func TestChromiumRefuses(t *testing.T) {
	for _, at := range places() {
		t.Run(at.name, func(t *testing.T) {
			t.Parallel()
			w, u := newWindow(t), newUser(t)
			login, asked := u.login(at.flags(t)...)
			at.refuse(w, asked)
			got := w.lastPage()
			if code := login.wait(); code != 4 {
				t.Errorf("exit code: got %d, want 4\n%s", code, login.stderr)
			}
			if got.title != "Sign-in failed" || !strings.Contains(got.text, "access_denied") {
				t.Errorf("the page: got %q, %q, want it to say that access was denied", got.title, got.text)
			}
			if _, _, code := u.run("token"); code != 3 {
				t.Errorf("token afterwards: exit %d, want 3", code)
			}
		})
	}
}

// The exchange behind the page fails: the page must not claim that all is well.
func TestChromiumIsToldOfAFailedExchange(t *testing.T) {
	t.Parallel()
	w, u := newWindow(t), newUser(t)
	p := demoProvider(t, idp.Options{Modes: map[string]bool{"wrong-nonce": true}})
	login, asked := u.login("--issuer", p.Issuer(), "--client-id", "demo")
	w.atDemo(asked)
	got := w.lastPage()
	if code := login.wait(); code != 4 || got.title != "Sign-in failed" || !strings.Contains(got.text, "nonce") {
		t.Errorf("got exit %d and the page %q, %q, want 4 and a page that names the nonce", code, got.title, got.text)
	}
}

// login starts authctl login with a browser that hands its URL to the test, and
// returns that URL.
func (u *user) login(flags ...string) (p *process, asked string) {
	u.t.Helper()
	browser, h := u.handoff()
	p = u.start(nil, append([]string{"login", "--browser", browser}, flags...)...)
	return p, h.url(p)
}

// redirectURI is the one in an authorization request.
func redirectURI(t testing.TB, asked string) string {
	t.Helper()
	u, err := url.Parse(asked)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("redirect_uri")
}
