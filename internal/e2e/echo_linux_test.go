package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/keychaintest"
	"github.com/authctl/authctl/internal/leaktest"
)

// echoPlaces are where an answer may hold what the provider knows: in its head, or as a
// member of its object, which may have been none.
var echoPlaces = map[string]func(a *echoed, text string){
	"the reason phrase":  func(a *echoed, text string) { a.reason = text },
	"Location":           func(a *echoed, text string) { a.header.Set("Location", "/"+text) },
	"WWW-Authenticate":   func(a *echoed, text string) { a.header.Set("WWW-Authenticate", `Bearer realm="`+text+`"`) },
	"Content-Type":       func(a *echoed, text string) { a.header.Set("Content-Type", "text/"+text) },
	"Date":               func(a *echoed, text string) { a.header.Set("Date", text) },
	"scope":              func(a *echoed, text string) { a.object["scope"] = text },
	"scopes_supported":   func(a *echoed, text string) { a.object["scopes_supported"] = strings.Fields(text) },
	"token_type":         func(a *echoed, text string) { a.object["token_type"] = text },
	"expires_in":         func(a *echoed, text string) { a.object["expires_in"] = text },
	"issuer":             func(a *echoed, text string) { a.object["issuer"] = "https://" + text },
	"jwks_uri":           func(a *echoed, text string) { a.object["jwks_uri"] = "http://127.0.0.1/" + text },
	"a member's name":    func(a *echoed, text string) { a.object[text] = text },
	"an error":           func(a *echoed, text string) { a.status, a.object["error"] = 400, text },
	"its description":    func(a *echoed, text string) { a.refuse("invalid_grant", text) },
	"that of another":    func(a *echoed, text string) { a.refuse("invalid_request", text) },
	"one to try later":   func(a *echoed, text string) { a.refuse("temporarily_unavailable", text); a.status = 503 },
	"a page":             func(a *echoed, text string) { a.status, a.body = 400, "<html><title>"+text+"</title><p>"+text },
	"no HTTP":            func(a *echoed, text string) { a.version = text },
	"a header that's no": func(a *echoed, text string) { a.version = "HTTP/1.1 200 OK\r\n" + text + "\r\nX:" },
	"the name":           func(a *echoed, text string) { a.object["sub"], a.object["name"], a.object["email"] = "x", text, text },
}

// echoed is an answer that holds more than it should.
type echoed struct {
	version, reason string
	status          int
	header          http.Header
	object          map[string]any
	body            string // instead of the object
}

func (a *echoed) refuse(code, description string) {
	a.status, a.object["error"], a.object["error_description"] = 400, code, description
}

// echoing is a provider that puts what it knows into one place of each of its answers to
// authctl, while it is told to.
type echoing struct {
	*idp.Server
	place func(a *echoed, text string)
	guise func(secret string) string
	on    atomic.Bool
}

func (e *echoing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if path := strings.TrimPrefix(r.URL.Path, "/"); !e.on.Load() || path == "authorize" || path == "signin" {
		e.Server.ServeHTTP(w, r)
		return
	}
	recorder := httptest.NewRecorder()
	e.Server.ServeHTTP(recorder, r)
	a := &echoed{version: "HTTP/1.1", reason: http.StatusText(recorder.Code), status: recorder.Code, header: recorder.Header(), object: map[string]any{}}
	json.Unmarshal(recorder.Body.Bytes(), &a.object) // what is no object stays none
	var known []string
	for _, secret := range e.Secrets() {
		known = append(known, e.guise(secret))
	}
	slices.Reverse(known) // the latest first: texts are cut
	e.place(a, strings.Join(known, " "))
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	io.WriteString(conn, a.text())
}

func (a *echoed) text() string {
	body := a.body
	if body == "" {
		text, err := json.Marshal(a.object)
		if err != nil {
			panic(err)
		}
		body = string(text)
	}
	var header bytes.Buffer
	a.header.Write(&header) // into memory
	return fmt.Sprintf("%s %d %s\r\n%s\r\n%s", a.version, a.status, a.reason, header.String(), body)
}

// A provider that knows every secret of a session can't make authctl say one that still
// counts, with and without --verbose, nor write one into a file. The twin: once it stops,
// all is well.
func TestProviderEchoesWhatItKnows(t *testing.T) {
	for name, place := range echoPlaces {
		for _, guise := range []string{"as it is", "in base64 after a byte"} {
			t.Run(name+", "+guise, func(t *testing.T) {
				t.Parallel()
				e := &echoing{Server: idp.New(idp.Options{}), place: place, guise: leaktest.Guises[guise]}
				server := httptest.NewServer(e)
				t.Cleanup(server.Close)
				l := newLife(newUserWith(t, keychaintest.Open(t, keychaintest.NoBus)), e.Server)
				l.must(append([]string{"profile", "set", "--issuer", server.URL, "--client-id", "demo"}, l.storeFlags("file")...)...)
				for _, args := range [][]string{
					{"token", "--refresh"}, {"-v", "token", "--refresh"},
					{"login", "--browser", robotBrowser()}, {"-v", "login", "--browser", robotBrowser()},
					{"logout"}, {"-v", "logout"},
				} {
					l.secrets = leaktest.Secrets{}
					before := l.p.Kinds()
					l.must("login", "--browser", robotBrowser()) // the twin, and a session whose tokens count
					l.learnSince(before, tokenKinds...)
					e.on.Store(true)
					l.says(args...)
					e.on.Store(false)
					l.says("status", "--json")
				}
				for _, finding := range l.findings {
					t.Error(finding)
				}
			})
		}
	}
}

// says runs a command, whatever its end, and looks at what it says and leaves.
func (l *life) says(args ...string) {
	l.t.Helper()
	before := l.p.Kinds()
	stdout, stderr, _ := l.run(args...)
	l.learnSince(before)
	command := strings.Join(args, " ")
	l.look("stdout of "+command, stdout)
	l.look("stderr of "+command, stderr)
	l.lookAround()
}
