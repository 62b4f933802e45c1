package idp

import (
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// bad are answers that no endpoint should give; with the endpoint before it,
// "token-huge" is one's mode.
var bad = map[string]func(*exchange){
	"500":                status(http.StatusInternalServerError),
	"503":                status(http.StatusServiceUnavailable),
	"429":                status(http.StatusTooManyRequests),
	"408":                status(http.StatusRequestTimeout),
	"403":                status(http.StatusForbidden),
	"204":                status(http.StatusNoContent),
	"html":               says("text/html; charset=utf-8", "<!doctype html><title>Welcome</title><p>This is a web site."),
	"empty":              says("application/json", ""),
	"null":               says("application/json", "null"),
	"array":              says("application/json", `[{"issuer":"x","access_token":"x"}]`),
	"word":               says("application/json", `"soon"`),
	"half":               says("application/json", `{"issuer":`),
	"deep":               says("application/json", strings.Repeat(`{"a":`, 50_000)),
	"huge":               (*exchange).flood,
	"endless":            (*exchange).pour,
	"bomb":               (*exchange).bomb,
	"down":               func(*exchange) { panic(http.ErrAbortHandler) },
	"cut":                raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"),
	"chunk":              raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfive\r\n{"),
	"noise":              raw("hello, this is no HTTP\r\n\r\n"),
	"redirect-loop":      func(x *exchange) { http.Redirect(x.w, x.r, x.r.URL.String(), http.StatusFound) },
	"redirect-elsewhere": func(x *exchange) { http.Redirect(x.w, x.r, x.Elsewhere+"/", http.StatusTemporaryRedirect) },
	"redirect-nowhere":   func(x *exchange) { x.w.Header().Set("Location", "http://[nowhere"); x.w.WriteHeader(http.StatusFound) },
}

// late are answers that never end. Nothing but a client's patience ends them.
var late = map[string]func(*exchange){
	"hang": (*exchange).hang,
	"slow": (*exchange).drip,
}

func badModes() map[string]mode {
	table := map[string]mode{}
	for _, endpoint := range []string{atDiscovery, atKeys, atToken, atUserinfo, atRevoke} {
		for name, answer := range bad {
			table[endpoint+"-"+name] = at(endpoint, answer)
		}
		for name, answer := range late {
			table[endpoint+"-"+name] = at(endpoint, answer)
		}
	}
	return table
}

func status(code int) func(*exchange) {
	return func(x *exchange) {
		x.w.WriteHeader(code)
		if code != http.StatusNoContent {
			fmt.Fprintln(x.w, http.StatusText(code))
		}
	}
}

func says(kind, body string) func(*exchange) {
	return func(x *exchange) {
		x.w.Header().Set("Content-Type", kind)
		x.w.Write([]byte(body))
	}
}

// raw answers with bytes as they are, and hangs up.
func raw(answer string) func(*exchange) {
	return func(x *exchange) { x.hijacked(answer) }
}

func (x *exchange) hijacked(answer string) {
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		panic(err) // only HTTP/2 can't
	}
	defer conn.Close()
	conn.Write([]byte(answer))
}

// flood answers 10 MiB of JSON.
func (x *exchange) flood() {
	x.w.Header().Set("Content-Type", "application/json")
	x.w.Write([]byte(`{"access_token":"`))
	line := []byte(strings.Repeat("A", 1<<20))
	for range 10 {
		x.w.Write(line)
	}
	x.w.Write([]byte(`","token_type":"Bearer"}`))
}

// pour answers without an end, as fast as it can.
func (x *exchange) pour() {
	x.w.Header().Set("Content-Type", "application/json")
	x.w.Write([]byte(`{"access_token":"`))
	line := []byte(strings.Repeat("A", 1<<15))
	for !x.over() {
		if _, err := x.w.Write(line); err != nil {
			return
		}
	}
}

// bomb answers 100 KiB that unpack to 100 MiB.
func (x *exchange) bomb() {
	x.w.Header().Set("Content-Type", "application/json")
	x.w.Header().Set("Content-Encoding", "gzip")
	packed := gzip.NewWriter(x.w)
	spaces := []byte(strings.Repeat(" ", 1<<20))
	for range 100 {
		if _, err := packed.Write(spaces); err != nil {
			return
		}
	}
	packed.Close()
}

// hang answers nothing until the client gives up or the server ends.
func (x *exchange) hang() {
	select {
	case <-x.r.Context().Done():
	case <-x.done:
	}
	panic(http.ErrAbortHandler)
}

// drip answers a space at a time.
func (x *exchange) drip() {
	x.w.Header().Set("Content-Type", "application/json")
	for !x.over() {
		x.w.Write([]byte(" "))
		http.NewResponseController(x.w).Flush()
		time.Sleep(20 * time.Millisecond)
	}
	panic(http.ErrAbortHandler)
}

// over reports whether the client or the server has gone.
func (x *exchange) over() bool {
	select {
	case <-x.r.Context().Done():
		return true
	case <-x.done:
		return true
	default:
		return false
	}
}
