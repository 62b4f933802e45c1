package callback

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	requestTime = 5 * time.Second // for a TLS handshake, for the headers, for all of a request, for an answer
	bodyLimit   = 64 << 10        // bytes of a form_post response
	// Codes of 8 KiB exist, and browsers send localhost every cookie that any
	// other program on any of its ports ever set.
	headerLimit = 64 << 10
)

// newServer answers one request a connection, so that nothing idles. The TLS
// complaints of browsers that don't know the certificate yet go nowhere.
func newServer(handle http.HandlerFunc, cert *tls.Certificate) *http.Server {
	s := &http.Server{
		Handler:                      handle,
		DisableGeneralOptionsHandler: true, // "OPTIONS *" is as foreign as any other
		ReadHeaderTimeout:            requestTime,
		ReadTimeout:                  requestTime,
		WriteTimeout:                 requestTime,
		MaxHeaderBytes:               headerLimit,
		ErrorLog:                     log.New(io.Discard, "", 0),
		ConnContext:                  introduce,
		Protocols:                    new(http.Protocols),
	}
	s.Protocols.SetHTTP1(true)
	s.SetKeepAlivesEnabled(false)
	if cert != nil {
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12}
	}
	return s
}

// Wait answers requests until one has state, and returns that response; all others
// get a 4xx and change nothing. Answering goes on until Close, so that the browser
// gets its page. Call it once. It ends with ctx's error when ctx ends.
func (l *Listener) Wait(ctx context.Context, state string) (*Response, error) {
	l.state = state
	failed := make(chan error, len(l.crowd.listeners))
	for _, door := range l.crowd.doors() {
		go func() { failed <- l.serve(door) }()
	}
	select {
	case r := <-l.responses:
		return r, nil
	case err := <-failed:
		return nil, fmt.Errorf("waiting at %s: %w", l.uri, err)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *Listener) serve(ln net.Listener) error {
	if l.server.TLSConfig != nil {
		return l.server.ServeTLS(ln, "", "")
	}
	return l.server.Serve(ln)
}

// Close frees the port and ends every connection at once, whatever it is doing.
func (l *Listener) Close() error {
	defer l.server.Close() // its error would be that all is closed already
	return l.crowd.close()
}

// handle lets through one path, asked for by its own name (a page elsewhere can make
// any name resolve to 127.0.0.1), and a response with our state. A response without
// our state is not ours, even if it says error=: any web page can make the browser
// send one. RFC 6749 §10.12.
func (l *Listener) handle(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	switch {
	case !l.named(r.Host):
		refuse(w, http.StatusMisdirectedRequest)
	case r.URL.Path == l.result.path:
		l.result.serve(w, r)
	case r.URL.Path != canonicalPath(l.redirect):
		refuse(w, http.StatusNotFound)
	default:
		l.receive(w, r)
	}
}

// named reports whether a Host header is the redirect URI's.
func (l *Listener) named(host string) bool {
	if !strings.Contains(strings.TrimPrefix(host, "[::1]"), ":") {
		host += ":" + port(&url.URL{Scheme: l.redirect.Scheme})
	}
	name, number, err := net.SplitHostPort(host)
	return err == nil && strings.EqualFold(name, l.redirect.Hostname()) && number == port(l.redirect)
}

// receive takes a response and sends the browser on to the result page: a 303 takes
// the code out of the address bar, and turns a POST into a GET. Whoever brings the
// same response again gets the same page.
func (l *Listener) receive(w http.ResponseWriter, r *http.Request) {
	params, status := responseParams(w, r)
	if status == 0 && !hasState(params, l.state) {
		status = http.StatusBadRequest
	}
	// A browser that looks ahead (Sec-Purpose: prefetch, which no page can set) may throw
	// away what it gets. Refused, it asks again when its user goes there; taken, there
	// would be no page left for that.
	if status == 0 && r.Header.Get("Sec-Purpose") != "" {
		status = http.StatusForbidden
	}
	if status != 0 {
		refuse(w, status)
		return
	}
	select {
	case l.responses <- &Response{Params: params, result: l.result}:
	default:
	}
	w.Header().Set("Location", l.result.path)
	w.WriteHeader(http.StatusSeeOther)
}

// responseParams are in the query or, with response_mode=form_post (OAuth 2.0 Form
// Post Response Mode), in the body, and never in both. status is 0 if all is well.
func responseParams(w http.ResponseWriter, r *http.Request) (params url.Values, status int) {
	switch r.Method {
	case http.MethodGet:
		return parameters(r.URL.RawQuery), 0
	case http.MethodPost:
		return formParams(w, r)
	}
	w.Header().Set("Allow", "GET, POST")
	return nil, http.StatusMethodNotAllowed
}

func formParams(w http.ResponseWriter, r *http.Request) (params url.Values, status int) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, http.StatusUnsupportedMediaType
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, http.StatusRequestEntityTooLarge
	} else if err != nil {
		return nil, http.StatusBadRequest
	}
	return parameters(string(body)), 0
}

// refuse answers what is not the response.
func refuse(w http.ResponseWriter, status int) {
	say(w, status, "this is not the answer that the sign-in in your terminal waits for.")
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, "%d %s: %s\n", status, http.StatusText(status), text)
}

// protect keeps an answer out of caches, frames, other origins and Referer headers.
func protect(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy(""))
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
}
