package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/leaktest"
)

const (
	hidden  = "s3cr3t/with+signs&and=more"
	escaped = "s3cr3t%2Fwith%2Bsigns%26and%3Dmore"
)

// What --verbose shows is on a list; everything else is a secret, wherever it turns up.
func TestTraceRedacts(t *testing.T) {
	for name, c := range map[string]struct {
		form, authorization string
		status              int
		header, value, body string
		shown               []string
	}{
		"a form's parameter":     {form: "grant_type=refresh_token&refresh_token=" + escaped, shown: []string{">   grant_type=refresh_token", ">   refresh_token=[redacted 26 bytes]"}},
		"an unknown parameter":   {form: "who_knows=" + escaped, shown: []string{">   who_knows=[redacted 26 bytes]"}},
		"a basic header":         {authorization: "Basic " + hidden, shown: []string{">   Authorization: Basic [redacted 26 bytes]"}},
		"a bearer header":        {authorization: "Bearer " + hidden, shown: []string{">   Authorization: Bearer [redacted 26 bytes]"}},
		"an odd header":          {authorization: hidden},
		"a field of the answer":  {body: `{"access_token":"` + hidden + `","expires_in":3600}`, shown: []string{"<   access_token: [redacted 26 bytes]", "<   expires_in: 3600"}},
		"an unknown field":       {body: `{"session":{"key":"` + hidden + `"}}`, shown: []string{"<   session: [redacted"}},
		"a Location's query":     {status: 302, header: "Location", value: "https://a.example/cb?code=" + escaped, shown: []string{"<   Location: https://a.example/cb?[redacted 39 bytes]"}},
		"a Location's fragment":  {status: 302, header: "Location", value: "https://a.example/cb#access_token=" + escaped, shown: []string{"<   Location: https://a.example/cb"}},
		"a Location's user":      {status: 302, header: "Location", value: "https://a:" + escaped + "@a.example/cb", shown: []string{"<   Location: https://a.example/cb"}},
		"an unlisted header":     {header: "X-Token", value: hidden},
		"a page":                 {header: "Content-Type", value: "text/html", body: "<p>" + hidden, shown: []string{"bytes of text/html]"}},
		"broken JSON":            {header: "Content-Type", value: "application/json", body: `{"access_token":"` + hidden, shown: []string{"bytes of application/json]"}},
		"a list":                 {header: "Content-Type", value: "application/json", body: `["` + hidden + `"]`, shown: []string{"bytes of application/json]"}},
		"terminal escapes":       {body: `{"scope":"\u001b[31mred"}`, shown: []string{"<   scope: [redacted 8 bytes]"}},
		"escapes in a name":      {body: `{"\u001b[31mred":"x"}`, shown: []string{"<   [31mred: [redacted 1 bytes]"}},
		"an error code":          {body: `{"error":"invalid_grant"}`, shown: []string{"<   error: invalid_grant"}},
		"an error that is none":  {body: `{"error":"c2VjcmV0LXRva2VuLW9mLTI2"}`, shown: []string{"<   error: [redacted 24 bytes]"}},
		"a number that is none":  {body: `{"expires_in":123456789012345678901234567890}`, shown: []string{"<   expires_in: [redacted 30 bytes]"}},
		"an object for a URL":    {body: `{"issuer":{"a":"` + hidden + `"}}`, shown: []string{"<   issuer: [redacted"}},
		"an object for a scope":  {body: `{"scope":{"a":"` + hidden + `"}}`, shown: []string{"<   scope: [redacted"}},
		"an object for a number": {body: `{"expires_in":{"a":"` + hidden + `"}}`, shown: []string{"<   expires_in: [redacted"}},
		"a word nobody knows":    {body: `{"grant_types_supported":["refresh_token","` + hidden + `"]}`, shown: []string{"<   grant_types_supported: refresh_token [redacted 26 bytes]"}},
		"a type nobody knows":    {header: "Content-Type", value: "text/" + hex.EncodeToString([]byte(hidden)), body: "x", shown: []string{"<   Content-Type: [redacted"}},
		"a date that is none":    {header: "Date", value: hidden, shown: []string{"<   Date: [redacted 26 bytes]"}},
		"a realm":                {status: 401, header: "WWW-Authenticate", value: `Bearer realm="` + hidden + `", error="invalid_token"`, shown: []string{"<   Www-Authenticate: Bearer error=invalid_token"}},
		"a scheme nobody knows":  {status: 401, header: "WWW-Authenticate", value: hidden, shown: []string{"<   Www-Authenticate: [redacted 26 bytes]"}},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if c.header != "" {
					w.Header().Set(c.header, c.value)
				}
				w.WriteHeader(max(c.status, 200))
				io.WriteString(w, c.body)
			}))
			defer server.Close()
			out := traced(t, server.URL+"/token", c.form, c.authorization, c.body)
			for _, want := range append(c.shown, "> POST "+server.URL+"/token") {
				if !strings.Contains(out, want) {
					t.Errorf("got no %q in:\n%s", want, out)
				}
			}
		})
	}
}

// places are where a provider may put back what it was sent, each with its honest twin
// and what of that is shown.
var places = []struct{ name, answer, honest, shows string }{
	{"a scope", "HTTP/1.1 200 OK\r\n\r\n" + `{"scope":"email %s"}`, "profile", "scope: email profile"},
	{"a scope in a list", "HTTP/1.1 200 OK\r\n\r\n" + `{"scopes_supported":["email","%s"]}`, "profile", "scopes_supported: email profile"},
	{"an error code", "HTTP/1.1 400 Bad Request\r\n\r\n" + `{"error":"%s"}`, "invalid_grant", "error: invalid_grant"},
	{"a type", "HTTP/1.1 200 OK\r\n\r\n" + `{"token_type":"%s"}`, "Bearer", "token_type: Bearer"},
	{"an endpoint's path", "HTTP/1.1 200 OK\r\n\r\n" + `{"jwks_uri":"https://a.example/%s"}`, "keys", "jwks_uri: https://a.example/keys"},
	{"an endpoint's host", "HTTP/1.1 200 OK\r\n\r\n" + `{"issuer":"https://%s.example/"}`, "a", "issuer: https://a.example/"},
	{"a member's name", "HTTP/1.1 200 OK\r\n\r\n" + `{"%s":"x"}`, "anything", "anything: [redacted 1 bytes]"},
	{"a Location", "HTTP/1.1 302 Found\r\nLocation: /%s\r\n\r\n{\"a\":1}", "elsewhere", "Location: /elsewhere"},
	{"a challenge", "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer error=\"%s\"\r\n\r\n{\"a\":1}", "invalid_token", "Bearer error=invalid_token"},
	{"a media type", "HTTP/1.1 200 OK\r\nContent-Type: %s\r\n\r\n{\"a\":1}", "text/plain", "Content-Type: text/plain"},
	{"the date", "HTTP/1.1 200 OK\r\nDate: %s\r\n\r\n{\"a\":1}", "Tue, 24 Nov 2026 15:08:15 GMT", "Date: Tue, 24 Nov 2026 15:08:15 GMT"},
	{"the reason phrase", "HTTP/1.1 400 %s\r\n\r\n{\"a\":1}", "Bad Request", "400 Bad Request"},
	{"a line that is no HTTP", "%s\r\n\r\n{\"a\":1}", "HTTP/1.1 200 OK", "200 OK"},
	{"a header that is none", "HTTP/1.1 200 OK\r\n%s\r\n\r\n{\"a\":1}", "A: b", "200 OK"},
	{"a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n{\"a\":1}", "7", "200 OK"},
	{"an encoding that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: %s\r\n\r\n0\r\n\r\n{\"a\":1}", "chunked", "200 OK"},
}

// An answer holds what the request had, or what it has itself as a token further down,
// wherever something is shown, in whatever guise.
func TestTraceRedactsEchoes(t *testing.T) {
	const form = "refresh_token=" + escaped
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			for guise, of := range leaktest.Guises {
				answer := fmt.Sprintf(p.answer, of(hidden))
				sent := traced(t, answering(t, answer), form, "", "")
				issued := traced(t, answering(t, strings.Replace(answer, "{", `{"access_token":"`+hidden+`",`, 1)), "", "", "")
				if !strings.Contains(sent, "\n< ") || !strings.Contains(issued, "\n< ") {
					t.Errorf("%s: got no answer, neither good nor bad", guise)
				}
			}
			if out := traced(t, answering(t, fmt.Sprintf(p.answer, p.honest)), form, "", ""); !strings.Contains(out, p.shows) {
				t.Errorf("the twin: got no %q in:\n%s", p.shows, out)
			}
		})
	}
}

// answering is the address of a server that says exactly this to whoever asks.
func answering(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				io.Copy(io.Discard, req.Body)
			}
			io.WriteString(conn, answer)
			conn.Close()
		}
	}()
	return "http://" + l.Addr().String() + "/token"
}

// traced is what --verbose shows of one request, which holds nothing hidden; the body
// of its answer comes on as it is.
func traced(t *testing.T, address, form, authorization, body string) string {
	t.Helper()
	var out bytes.Buffer
	req, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	res, err := (&trace{w: &out}).around(transport).RoundTrip(req)
	if err == nil {
		defer res.Body.Close()
		if got, err := io.ReadAll(res.Body); err != nil || body != "" && string(got) != body {
			t.Errorf("the body came on as %d bytes, %v, want %d", len(got), err, len(body))
		}
	}
	var secrets leaktest.Secrets
	secrets.Add("secret", hidden)
	if leaks := secrets.In(out.String()); len(leaks) > 0 {
		t.Errorf("the trace holds %v:\n%s", leaks, out.String())
	}
	return out.String()
}

// What was learned elsewhere isn't shown either: a stored token, our own state.
func TestTraceHidesWhatItIsTold(t *testing.T) {
	var out bytes.Buffer
	tr := &trace{w: &out}
	tr.hide(hidden)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"scopes_supported":["email","%s"]}`, base64.StdEncoding.EncodeToString([]byte(hidden)))
	}))
	defer server.Close()
	res, err := tr.around(http.DefaultTransport).RoundTrip(httptest.NewRequest(http.MethodGet, server.URL, nil))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if want := "<   scopes_supported: [redacted 42 bytes]"; !strings.Contains(out.String(), want) {
		t.Errorf("got no %q in:\n%s", want, out.String())
	}
}

// Without --verbose there is no trace, and nothing in the way.
func TestNoTrace(t *testing.T) {
	var none *trace
	none.hide("a secret that nobody hides")
	if got := none.around(http.DefaultTransport); got != http.DefaultTransport {
		t.Errorf("got %T, want the transport itself", got)
	}
}
