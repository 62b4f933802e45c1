package callback

import (
	"context"
	"crypto/rand"
	"net/http"
	"sync"
	"time"
)

const (
	exchangeTime = 2 * time.Minute // how long a browser is kept waiting for its page
	askTime      = 2 * time.Second // how long Finish waits for a browser that doesn't ask
	showTime     = 5 * time.Second // how long Finish waits in all
)

// result is the page that the browser is sent to, at a path that nobody can guess.
// Whoever asks for it waits until there is something true to say.
type result struct {
	path  string
	once  sync.Once
	ready chan struct{} // closed when page is set
	page  Page

	mu     sync.Mutex
	asking int           // requests under way
	shown  bool          // it was written to a browser that was still there
	change chan struct{} // a hint that the above changed
}

func newResult() *result {
	return &result{
		path:   "/" + rand.Text(), // 128 bits or more
		ready:  make(chan struct{}),
		change: make(chan struct{}, 1),
	}
}

// finish hands over the page, and waits for every request for it that is under way.
func (r *result) finish(ctx context.Context, p Page) {
	r.once.Do(func() {
		r.page = p
		close(r.ready)
	})
	ctx, cancel := context.WithTimeout(ctx, showTime)
	defer cancel()
	nobody := time.After(askTime)
	for late := false; !r.done(late); {
		select {
		case <-r.change:
		case <-nobody:
			late = true
		case <-ctx.Done():
			return
		}
	}
}

// done reports whether the page was shown, or, when it is late, nobody asks for it.
func (r *result) done(late bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asking == 0 && (r.shown || late)
}

// count notes that n more requests are under way, and whether one got its page.
func (r *result) count(n int, shown bool) {
	r.mu.Lock()
	r.asking += n
	r.shown = r.shown || shown
	r.mu.Unlock()
	select {
	case r.change <- struct{}{}:
	default:
	}
}

// serve keeps a browser waiting for the page, and shows it.
func (r *result) serve(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodGet {
		w.Header().Set("Allow", "GET")
		refuse(w, http.StatusMethodNotAllowed)
		return
	}
	r.count(1, false)
	shown := false
	defer func() { r.count(-1, shown) }()
	if g, ok := req.Context().Value(guestKey{}).(*guest); ok {
		g.crowd.leave(g) // it knows the path, so it may stay
	}
	control := http.NewResponseController(w)
	control.SetReadDeadline(time.Now().Add(exchangeTime)) // past it, net/http takes the browser for gone
	control.SetWriteDeadline(time.Now().Add(exchangeTime + requestTime))
	select {
	case <-r.ready:
		gone := req.Context().Err() != nil // asked before: whoever has read it all may leave
		r.page.write(w)
		shown = control.Flush() == nil && !gone
	case <-time.After(exchangeTime):
		say(w, http.StatusServiceUnavailable, "the sign-in takes long; your terminal says how it ends.")
	case <-req.Context().Done():
	}
}
