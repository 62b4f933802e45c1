package callback

import (
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestNeighbourCannotStarve: a thousand connections that say nothing, or never finish,
// are there before the right response comes.
func TestNeighbourCannotStarve(t *testing.T) {
	t.Parallel()
	g := begin(t, "http://localhost/callback", nil)
	for i := range 1000 {
		conn := g.dial(t)
		switch i % 4 {
		case 0:
			io.WriteString(conn, "GET /callback?state=")
		case 1:
			io.WriteString(conn, "POST /callback HTTP/1.1\r\nHost: "+g.u.Host+"\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nstate=")
		}
	}
	g.honest(t)
	g.crowd.mu.Lock()
	defer g.crowd.mu.Unlock()
	if n := len(g.crowd.open); n > crowdLimit {
		t.Errorf("%d connections are open, want %d at most", n, crowdLimit)
	}
}

// TestThousandRequestsAtOnce: none of the others gets more than a refusal, and the
// right one among them gets through.
func TestThousandRequestsAtOnce(t *testing.T) {
	g := begin(t, "http://127.0.0.1/callback", nil)
	io.WriteString(g.dial(t), "GET /callback?state=") // and never the rest
	browser := client(nil)
	browser.Timeout = 2 * time.Minute
	var refused atomic.Int32
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() {
			if i == 500 {
				reload(t, browser, g.RedirectURI()+"?code=honest&state="+state)
				return
			}
			resp, err := browser.Get(g.RedirectURI() + "?code=evil&state=x")
			if err != nil {
				return // shown out: this machine is too busy to send a request within patience
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusBadRequest {
				t.Errorf("a forged response got %s", resp.Status)
			}
			refused.Add(1)
		})
	}
	if got := g.response(t).Params.Get("code"); got != "honest" {
		t.Errorf("delivered code %q, want %q", got, "honest")
	}
	all.Wait()
	t.Logf("%d of 999 were answered", refused.Load())
}

// reload asks for url until there is an answer, which must be a 303.
func reload(t *testing.T, browser *http.Client, url string) {
	for range 10 {
		resp, err := browser.Get(url)
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusSeeOther {
			t.Errorf("the right response got %s", resp.Status)
		}
		return
	}
	t.Error("the right response was never answered")
}

// TestWaitingBrowserIsNotShownOut: a crowd that comes after the right response does
// not cost the browser its page.
func TestWaitingBrowserIsNotShownOut(t *testing.T) {
	t.Parallel()
	g := begin(t, "http://127.0.0.1/callback", nil)
	browser := client(nil)
	browser.CheckRedirect = nil
	page := make(chan answer, 1)
	go func() { page <- get(t, browser, g.RedirectURI()+"?code=abc&state="+state) }()
	r := g.response(t)
	eventually(t, func() bool { return asking(g.result) == 1 })
	for range 2 * crowdLimit {
		g.dial(t)
	}
	get(t, client(nil), "http://"+g.u.Host+"/after-all-of-them")
	r.Finish(t.Context(), signedIn)
	if a := <-page; a.StatusCode != http.StatusOK {
		t.Errorf("got %s", a.Status)
	}
}

// TestSlowRequestsEnd: nobody holds a connection for longer than a request takes,
// even with nobody waiting for the place.
func TestSlowRequestsEnd(t *testing.T) {
	t.Parallel()
	g := begin(t, "http://127.0.0.1/callback", nil)
	var all sync.WaitGroup
	for name, text := range map[string]string{
		"says nothing":         "",
		"half the headers":     "GET /callback HTTP/1.1\r\nHost: x\r\n",
		"half the body":        "POST /callback HTTP/1.1\r\nHost: " + g.u.Host + "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\nst",
		"stays after its due":  "GET /callback HTTP/1.1\r\nHost: " + g.u.Host + "\r\nConnection: keep-alive\r\n\r\n",
		"another, half begun":  "GET / HTTP/1.1\r\nHost: " + g.u.Host + "\r\n\r\nGET /",
		"a body for a refusal": "POST /x HTTP/1.1\r\nHost: " + g.u.Host + "\r\nContent-Length: 1000000\r\n\r\n",
	} {
		conn := g.dial(t)
		all.Go(func() {
			io.WriteString(conn, text)
			conn.SetReadDeadline(time.Now().Add(requestTime + patiently))
			if _, err := io.Copy(io.Discard, conn); isTimeout(err) {
				t.Errorf("%s: still open", name)
			}
		})
	}
	all.Wait()
	eventually(t, func() bool {
		g.crowd.mu.Lock()
		defer g.crowd.mu.Unlock()
		return len(g.crowd.open) == 0
	})
	g.honest(t)
}

// TestCrowdIsClosedToLatecomers: a connection that was accepted but not yet admitted
// when the listener closed is not served.
func TestCrowdIsClosedToLatecomers(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := newCrowd([]net.Listener{ln})
	guests := make([]*guest, crowdLimit)
	for i := range guests {
		guests[i] = &guest{crowd: c}
		if !c.admit(guests[i]) {
			t.Fatalf("guest %d was not admitted", i)
		}
	}
	c.leave(guests[7])
	c.leave(guests[7])
	if !c.admit(guests[7]) {
		t.Error("no room after one left")
	}
	c.open = nil // they have no sockets to close
	c.close()
	if c.admit(guests[0]) {
		t.Error("admitted after closing")
	}
}
