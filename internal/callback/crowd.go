package callback

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"sync"
	"time"
)

const (
	crowdLimit = 512             // connections at a time: with headerLimit, 32 MiB at the worst
	patience   = 2 * time.Second // what each gets, at least, when more are waiting
)

// crowd accepts connections for all families and bounds how many are open. When
// full it shows the oldest out, but none before it had time to send its request:
// so a burst is served in the order it came, and a neighbour who holds a thousand
// silent connections delays the right one by seconds, not for ever.
type crowd struct {
	listeners []net.Listener

	mu     sync.Mutex
	open   []*guest      // oldest first
	closed bool          // nobody enters any more
	left   chan struct{} // a hint that there may be room
}

func newCrowd(bound []net.Listener) *crowd {
	return &crowd{listeners: bound, left: make(chan struct{}, 1)}
}

// guest is one accepted connection.
type guest struct {
	*net.TCPConn // whose CloseWrite lets net/http end an answer gently
	crowd        *crowd
	since        time.Time
}

// close frees the port and ends every connection.
func (c *crowd) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	for _, g := range c.open {
		g.TCPConn.Close()
	}
	return closeAll(c.listeners)
}

// doors are the listeners, each of which brings its connections into the crowd.
func (c *crowd) doors() []net.Listener {
	var doors []net.Listener
	for _, ln := range c.listeners {
		doors = append(doors, &door{Listener: ln, crowd: c})
	}
	return doors
}

type door struct {
	net.Listener
	crowd *crowd
}

func (d *door) Accept() (net.Conn, error) {
	conn, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	g := &guest{TCPConn: conn.(*net.TCPConn), crowd: d.crowd}
	if !d.crowd.admit(g) {
		conn.Close()
		return nil, net.ErrClosed
	}
	return g, nil
}

// admit waits until there is room; false when the crowd was closed meanwhile.
func (c *crowd) admit(g *guest) bool {
	for {
		oldest, ok := c.enter(g)
		if oldest == nil {
			return ok
		}
		wait := time.Until(oldest.since.Add(patience))
		if wait <= 0 {
			oldest.Close()
			continue
		}
		select {
		case <-c.left:
		case <-time.After(wait):
		}
	}
}

// enter lets g in, or names the guest whose turn it is to go.
func (c *crowd) enter(g *guest) (oldest *guest, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, false
	}
	if len(c.open) >= crowdLimit {
		return c.open[0], false
	}
	g.since = time.Now()
	c.open = append(c.open, g)
	return nil, true
}

// leave takes g off the list; a second time changes nothing.
func (c *crowd) leave(g *guest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.open, g); i >= 0 {
		c.open = slices.Delete(c.open, i, i+1)
	}
	select {
	case c.left <- struct{}{}:
	default:
	}
}

func (g *guest) Close() error {
	g.crowd.leave(g)
	return g.TCPConn.Close()
}

type guestKey struct{}

// introduce lets a handler find its guest.
func introduce(ctx context.Context, conn net.Conn) context.Context {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	return context.WithValue(ctx, guestKey{}, conn)
}
