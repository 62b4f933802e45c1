package e2e

import (
	"context"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/authctl/authctl/internal/need"
)

// chromium is a running browser. The tests share one; each has a window, and cookies,
// of its own.
type chromium struct {
	once   sync.Once
	ctx    context.Context
	cancel context.CancelFunc
	err    error
}

var sharedChromium chromium

// chromiumProgram leaves the test out where there is no Chromium.
func chromiumProgram(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	need.Missing(t, "chromium")
	return ""
}

// start starts the browser. It has no sandbox, which root can't have and which some
// containers forbid: it sees no page but ours, and the resolver holds it to that.
func (c *chromium) start(program string, more ...chromedp.ExecAllocatorOption) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program),
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.WindowSize(900, 700),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE [::1]"),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), append(options, more...)...)
	ctx, _ := chromedp.NewContext(allocator) // cancelled by chromedp.Cancel, below
	c.ctx, c.cancel = ctx, stop
	late := time.AfterFunc(patience, stop) // the first Do gives the browser its life, so it has no deadline
	defer late.Stop()
	c.err = chromedp.Do(ctx)
}

// stop ends the browser, politely first.
func (c *chromium) stop() {
	if c.ctx == nil {
		return
	}
	ctx, cancel := context.WithTimeout(c.ctx, 10*time.Second)
	defer cancel()
	chromedp.Cancel(ctx) // an error leaves it to the next line
	c.cancel()
}

// window is what a user looks at.
type window struct {
	t   testing.TB
	ctx context.Context
}

// newWindow opens one in the shared Chromium, with no cookies yet.
func newWindow(t testing.TB) *window {
	t.Helper()
	program := chromiumProgram(t)
	sharedChromium.once.Do(func() { sharedChromium.start(program) })
	return sharedChromium.window(t)
}

// ownChromium starts a browser with settings of its own. It ends with the test.
func ownChromium(t testing.TB, more ...chromedp.ExecAllocatorOption) *window {
	t.Helper()
	c := &chromium{}
	c.start(chromiumProgram(t), more...)
	t.Cleanup(c.stop)
	return c.window(t)
}

func (c *chromium) window(t testing.TB) *window {
	t.Helper()
	if c.err != nil {
		t.Fatalf("starting Chromium: %v", c.err)
	}
	ctx, cancel := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	late := time.AfterFunc(patience, cancel)
	defer late.Stop()
	if err := chromedp.Do(ctx); err != nil { // opens it, for longer than any one action
		t.Fatalf("opening a window in Chromium: %v", err)
	}
	return &window{t, ctx}
}

// do carries out what a user would, step by step.
func (w *window) do(steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		w.t.Fatalf("in Chromium: %v; the page says:\n%s", err, w.glance())
	}
}

// read carries out one step that has a result.
func read[T any](w *window, step chromedp.Action[T]) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	got, err := chromedp.Run(ctx, step)
	if err != nil {
		w.t.Fatalf("in Chromium: %v; the page says:\n%s", err, w.glance())
	}
	return got
}

// glance is what the page says, for the report of a failure.
func (w *window) glance() string {
	ctx, cancel := context.WithTimeout(w.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.title + '\\n' + document.body.innerText"))
	if err != nil {
		return err.Error()
	}
	return text
}

// page is what a user reads.
type page struct{ title, text, address string }

// lastPage waits for authctl's own page and reads it.
func (w *window) lastPage() page {
	w.t.Helper()
	w.do(chromedp.WaitVisible(chromedp.CSS("body.ok main, body.no main")))
	return page{
		title:   read(w, chromedp.Title()),
		text:    strings.TrimSpace(read(w, chromedp.Text(chromedp.CSS("body")))),
		address: read(w, chromedp.Location()),
	}
}

func click(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.Click(chromedp.CSS(selector))
}

func fill(selector, text string) chromedp.Action[chromedp.Void] {
	return chromedp.SendKeys(chromedp.CSS(selector), text)
}

// atDemo signs in at the demonstration provider, whose page is filled in.
func (w *window) atDemo(url string) {
	w.t.Helper()
	w.do(chromedp.Navigate(url), click("button.go"))
}

// atPanva signs in and consents at panva's provider.
func (w *window) atPanva(url string) {
	w.t.Helper()
	w.do(chromedp.Navigate(url))
	w.acceptAtPanva()
}

// acceptAtPanva is the same once the sign-in page is there.
func (w *window) acceptAtPanva() {
	w.t.Helper()
	w.do(fill("input[name=login]", "ada"), fill("input[name=password]", "any"), click("button[type=submit]"),
		chromedp.WaitReady(chromedp.CSS("input[name=prompt][value=consent]")), click("button[type=submit]"))
}
