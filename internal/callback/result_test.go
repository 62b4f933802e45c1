package callback

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var signedIn = Page{OK: true, Title: "Signed in", Message: "Back to the terminal."}

// TestPageSurvivesAnImmediateClose is how login ends: Finish, Close, gone.
func TestPageSurvivesAnImmediateClose(t *testing.T) {
	cert, roots := certificate(t)
	for _, c := range []struct {
		name, uri string
		cert      *tls.Certificate
	}{
		{"http", "http://127.0.0.1/callback", nil},
		{"https", "https://localhost/callback", cert},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 50 {
				g := begin(t, c.uri, c.cert)
				browser := client(roots)
				browser.CheckRedirect = nil
				shown := make(chan answer, 1)
				go func() {
					if resp, err := browser.Get(g.RedirectURI() + "?code=abc&state=" + state); err != nil {
						t.Error(err)
						close(shown)
					} else {
						shown <- read(t, resp)
					}
				}()
				g.response(t).Finish(t.Context(), signedIn)
				if !g.result.done(false) {
					t.Error("Finish didn't notice that the page was shown")
				}
				g.Close()
				a := <-shown
				if !strings.Contains(a.body, signedIn.Message) || !strings.HasSuffix(a.body, "</html>\n") {
					t.Fatalf("the browser got %q", a.body)
				}
				if q := a.Request.URL.RawQuery; q != "" {
					t.Fatalf("the address bar holds %q", q)
				}
			}
		})
	}
}

// TestPageWaitsForTheTruth: nothing is said before Finish, and then it is said to
// everyone who came with the response: reloads, twins, one who left and came back.
func TestPageWaitsForTheTruth(t *testing.T) {
	g := begin(t, "http://127.0.0.1/callback", nil)
	browser := client(nil)
	first := get(t, browser, g.RedirectURI()+"?code=abc&state="+state)
	twin := get(t, browser, g.RedirectURI()+"?code=abc&state="+state)
	path := first.Header.Get("Location")
	if got := twin.Header.Get("Location"); got != path {
		t.Errorf("the twin was sent to %q, want %q", got, path)
	}
	r := g.response(t)
	page := "http://" + g.u.Host + path

	leaving, leave := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer leave()
	req, _ := http.NewRequestWithContext(leaving, "GET", page, nil)
	if resp, err := browser.Do(req); err == nil {
		t.Fatalf("before Finish the page said %s", resp.Status)
	}

	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			if a := get(t, browser, page); !strings.Contains(a.body, signedIn.Title) {
				t.Errorf("got %s %q", a.Status, a.body)
			}
		})
	}
	eventually(t, func() bool { return asking(g.result) >= 5 })
	g.nothing(t)
	r.Finish(t.Context(), signedIn)
	all.Wait()
	r.Finish(t.Context(), Page{Title: "another"})
	if a := get(t, browser, page); !strings.Contains(a.body, signedIn.Title) {
		t.Errorf("a reload says %q", a.body)
	}
	if a := get(t, browser, g.RedirectURI()+"?code=evil&state=x"); a.StatusCode != http.StatusBadRequest {
		t.Errorf("a forged response afterwards got %s", a.Status)
	}
	g.nothing(t)
}

func TestResultPageAnswersGetOnly(t *testing.T) {
	g := begin(t, "http://127.0.0.1/callback", nil)
	r := g.honest(t)
	for _, method := range []string{"HEAD", "POST", "OPTIONS"} {
		if a := g.send(t, method+" "+g.result.path+" HTTP/1.1\nHost: HOST\nContent-Length: 0\n\n"); a.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s got %s, want 405", method, a.Status)
		}
	}
	if a := g.send(t, "GET "+g.result.path+" HTTP/1.1\nHost: evil.example:PORT\n\n"); a.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("another host got %s, want 421", a.Status)
	}
	r.result.count(0, true) // as if it had been shown
	r.Finish(t.Context(), signedIn)
}

func TestPastedResponseHasNoPage(t *testing.T) {
	r, err := Parse("http://127.0.0.1/cb?code=a&state="+state, "http://127.0.0.1/cb", state)
	if err != nil {
		t.Fatal(err)
	}
	r.Finish(t.Context(), signedIn)
}

// TestFinishIsBounded measures with the clock of a synctest bubble, exactly.
func TestFinishIsBounded(t *testing.T) {
	for _, c := range []struct {
		name   string
		during func(r *result) // runs beside Finish
		want   time.Duration
	}{
		{"nobody asks", func(*result) {}, 2 * time.Second},
		{"shown before", func(r *result) { r.count(1, false); r.count(-1, true) }, 0},
		{"somebody asks and gets it", func(r *result) {
			time.Sleep(time.Second)
			r.count(1, false)
			time.Sleep(2 * time.Second)
			r.count(-1, true)
		}, 3 * time.Second},
		{"somebody asks and leaves", func(r *result) { r.count(1, false); time.Sleep(time.Second); r.count(-1, false) }, 2 * time.Second},
		{"somebody asks, leaves late", func(r *result) { r.count(1, false); time.Sleep(3 * time.Second); r.count(-1, false) }, 3 * time.Second},
		{"one got it, another is slow", func(r *result) {
			r.count(2, false)
			r.count(-1, true)
			time.Sleep(4 * time.Second)
			r.count(-1, true)
		}, 4 * time.Second},
		{"somebody never reads", func(r *result) { r.count(1, false) }, 5 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &Response{result: newResult()}
				start := time.Now()
				go c.during(r.result)
				synctest.Wait()
				r.Finish(t.Context(), signedIn)
				if got := time.Since(start); got != c.want {
					t.Errorf("took %v, want %v", got, c.want)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		(&Response{result: newResult()}).Finish(ctx, signedIn)
		if got := time.Since(start); got != time.Second {
			t.Errorf("with a context of a second it took %v", got)
		}
	})
}

// TestCloseEndsEverything: the port is free at once, whoever still hangs on it.
func TestCloseEndsEverything(t *testing.T) {
	cert, _ := certificate(t)
	for _, c := range []struct {
		name, uri string
		cert      *tls.Certificate
		half      string // of what a browser sends first
	}{
		{"http", "http://localhost/callback", nil, "GET /callback?co"},
		{"https", "https://localhost/callback", cert, "\x16\x03\x01\x02\x00\x01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := begin(t, c.uri, c.cert)
			silent, half, waiting := g.dial(t), g.dial(t), g.dial(t)
			io.WriteString(half, c.half)
			if c.cert != nil {
				waiting = tls.Client(waiting, &tls.Config{InsecureSkipVerify: true})
			}
			io.WriteString(waiting, "GET "+g.result.path+" HTTP/1.1\r\nHost: "+g.u.Host+"\r\n\r\n")
			eventually(t, func() bool { return asking(g.result) == 1 })

			start := time.Now()
			if err := g.Close(); err != nil {
				t.Fatal(err)
			}
			squat(t, "127.0.0.1:"+g.u.Port())
			if len(g.crowd.listeners) == 2 {
				squat(t, "[::1]:"+g.u.Port())
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("closing took %v", took)
			}
			silent.SetReadDeadline(time.Now().Add(patiently))
			half.SetReadDeadline(time.Now().Add(patiently))
			waiting.SetReadDeadline(time.Now().Add(patiently))
			for name, conn := range map[string]io.Reader{"silent": silent, "half": half, "waiting": waiting} {
				if n, err := bufio.NewReader(conn).ReadByte(); err == nil || isTimeout(err) {
					t.Errorf("the %s connection got %q, %v", name, n, err)
				}
			}
		})
	}
}

func isTimeout(err error) bool {
	t, ok := err.(interface{ Timeout() bool })
	return ok && t.Timeout()
}

func asking(r *result) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asking
}

// eventually polls for what another goroutine is about to do.
func eventually(t testing.TB, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patiently); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it never came to pass")
		}
	}
}
