package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/idp"
)

// gated is a provider behind a gate.
type gated struct {
	*idp.Server
	issuer string
}

// gate stands before one endpoint: requests that have come wait until it opens.
type gate struct {
	t       testing.TB
	arrived chan struct{} // closed by the first request
	opened  chan struct{}
	open    func()
}

// gatedProvider is the demonstration provider with a gate before an endpoint. Its
// tokens live for a second.
func gatedProvider(t testing.TB, endpoint string) (*gated, *gate) {
	t.Helper()
	p := idp.New(idp.Options{AccessTTL: time.Second})
	g := &gate{t: t, arrived: make(chan struct{}), opened: make(chan struct{})}
	g.open = sync.OnceFunc(func() { close(g.opened) })
	arrive := sync.OnceFunc(func() { close(g.arrived) })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.TrimPrefix(r.URL.Path, "/") == endpoint {
			arrive()
			<-g.opened
		}
		p.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { p.Close() })
	t.Cleanup(g.open)
	return &gated{p, server.URL}, g
}

// await returns once a request has come to the gate.
func (g *gate) await() {
	g.t.Helper()
	select {
	case <-g.arrived:
	case <-time.After(patience):
		g.t.Fatal("no request has come to the gate")
	}
}
