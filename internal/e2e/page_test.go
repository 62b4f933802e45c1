package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/authctl/authctl/internal/idp"
)

// The page is worth a look: AUTHCTL_TEST_PICTURES names a directory to keep it in.
func TestPageIsDrawn(t *testing.T) {
	for name, button := range map[string]string{"signed-in": "button.go", "failed": "button.no"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, u := newWindow(t), newUser(t)
			login, asked := u.login("--issuer", demoProvider(t, idp.Options{}).Issuer(), "--client-id", "demo")
			w.do(chromedp.Navigate(asked), click(button))
			w.lastPage()
			read(w, chromedp.Evaluate[bool]("Promise.all(document.getAnimations().map(a => a.finished)).then(() => true)", chromedp.EvalAwaitPromise))
			picture := read(w, chromedp.CaptureScreenshot())
			login.wait()
			dir := os.Getenv("AUTHCTL_TEST_PICTURES")
			if dir == "" {
				dir = t.TempDir()
			}
			if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600); err != nil {
				t.Fatal(err)
			}
			if len(picture) < 5000 {
				t.Errorf("the picture has %d bytes, so nothing is on it", len(picture))
			}
			if got := read(w, chromedp.Evaluate[string]("getComputedStyle(document.querySelector('main')).textAlign")); got != "center" {
				t.Errorf("the page's style was not applied: text-align is %q", got)
			}
		})
	}
}

// The code passes through the browser and leaves no trace in the address bar, in what it
// goes back to, or in what the page could tell others.
func TestChromiumForgetsTheCode(t *testing.T) {
	for _, at := range places() {
		for _, mode := range []string{"query", "form_post"} {
			t.Run(at.name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				w, u := newWindow(t), newUser(t)
				login, asked := u.login(append(at.flags(t), "--param", "response_mode="+mode)...)
				at.accept(w, asked)
				got := w.lastPage()
				if code := login.wait(); code != 0 {
					t.Fatalf("login: exit %d\n%s", code, login.stderr)
				}
				if path, _ := strings.CutPrefix(got.address, strings.TrimSuffix(redirectURI(t, asked), "callback")); len(path) != 26 || strings.ContainsAny(path, "/?#&=") {
					t.Errorf("the address bar has %q, want the redirect URI's host and a random path", got.address)
				}
				history := read(w, chromedp.NavigationEntries())
				for _, entry := range history.Entries {
					if strings.Contains(entry.URL, "code=") || strings.HasPrefix(entry.URL, redirectURI(t, asked)) {
						t.Errorf("the history has the response, at %s", entry.Title)
					}
				}
				if referrer := read(w, chromedp.Evaluate[string]("document.referrer")); strings.Contains(referrer, "code=") {
					t.Error("the response is in document.referrer")
				}
				read(w, chromedp.Evaluate[int]("history.back(), 0"))
				back := got.address
				eventually(t, "the page before", func() bool { back = read(w, chromedp.Location()); return back != got.address })
				if strings.Contains(back, "code=") {
					t.Error("going back leads to the response")
				}
			})
		}
	}
}

// An account whose name is markup is shown as it is written. Were it not, there would
// still be the policy: what is put into the page does not run, and nothing is loaded.
func TestPageRunsNothing(t *testing.T) {
	t.Parallel()
	const (
		name   = `<script>document.title='taken'</script><img src="/x" onerror="document.title='taken'">`
		inject = `for (const html of ["<img src=/x onerror=\"document.title='taken'\">", "<a href=\"javascript:void(document.title='taken')\">"])
				document.body.insertAdjacentHTML('beforeend', html)
			document.querySelector('a').click()
			document.body.append(Object.assign(document.createElement('script'), {textContent: "document.title='taken'"}))
			new Promise(done => setTimeout(() => done(document.title), 500))`
	)
	w, u := newWindow(t), newUser(t)
	ada := idp.User{Subject: "1", Login: "ada", Password: "x", Name: name, Email: name}
	login, asked := u.login("--issuer", demoProvider(t, idp.Options{Users: []idp.User{ada}}).Issuer(), "--client-id", "demo")
	w.atDemo(asked)
	got := w.lastPage()
	if code := login.wait(); code != 0 || got.title != "Signed in as "+name || !strings.Contains(got.text, name) {
		t.Errorf("got exit %d and the page %q, %q, want the account as it is written", code, got.title, got.text)
	}
	if loaded := read(w, chromedp.Evaluate[[]string]("performance.getEntriesByType('resource').map(e => e.name)")); len(loaded) > 0 {
		t.Errorf("the page loaded %q", loaded)
	}
	if n := read(w, chromedp.Evaluate[int]("document.querySelectorAll('script, img, link, iframe, form, a, object').length")); n > 0 {
		t.Errorf("the page has %d elements that it has no use for", n)
	}
	if title := read(w, chromedp.Evaluate[string](inject, chromedp.EvalAwaitPromise)); title != got.title {
		t.Errorf("injected script ran: the title is now %q", title)
	}

	w.do(chromedp.Navigate("about:blank")) // where there is no policy
	if title := read(w, chromedp.Evaluate[string](inject, chromedp.EvalAwaitPromise)); title != "taken" {
		t.Errorf("the injection doesn't work even without a policy: the title is %q", title)
	}
}

// Some providers end on a page with a link back, which browsers may follow ahead. The
// login waits for its user all the same.
func TestChromiumLooksAhead(t *testing.T) {
	t.Parallel()
	w, u := newWindow(t), newUser(t)
	p := demoProvider(t, idp.Options{})
	login, asked := u.login("--issuer", p.Issuer(), "--client-id", "demo")
	back := upToRedirect(t, asked)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<title>Almost there</title><link rel="prefetch" href="%[1]s" onload="document.title='looked'" onerror="document.title='looked'"><a href="%[1]s">Go on</a>`, strings.ReplaceAll(back, "&", "&amp;"))
	}))
	t.Cleanup(site.Close)
	w.do(chromedp.Navigate(site.URL))
	read(w, chromedp.Poll[bool]("document.title == 'looked'"))
	if got := p.Count("token"); got != 0 {
		t.Errorf("the code was redeemed before anybody went there")
	}
	w.do(click("a"))
	if got := w.lastPage(); !strings.Contains(got.title, account) {
		t.Errorf("the page: got %q, want it to name %s", got.title, account)
	}
	if code := login.wait(); code != 0 || p.Count("token/authorization_code") != 1 {
		t.Errorf("login: exit %d after %d codes, want 0 after 1", code, p.Count("token/authorization_code"))
	}
}
