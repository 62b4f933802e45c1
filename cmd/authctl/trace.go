package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/authctl/authctl/internal/oauth"
)

// trace shows requests and answers for --verbose: what is on the lists of harmless.go,
// and of everything else how long it is. A nil *trace shows nothing.
type trace struct {
	w       io.Writer
	mu      sync.Mutex
	secrets oauth.Secrets // looked for again in what may be shown
	notes   []string      // said once
}

// bodyShown is how much of a body is looked at, in bytes.
const bodyShown = 1 << 20

func (o *options) newTrace(cmd *cobra.Command) *trace {
	if !o.verbose {
		return nil
	}
	return &trace{w: cmd.ErrOrStderr()}
}

// hide makes sure that none of the secrets is shown, whatever field it turns up in.
func (t *trace) hide(secrets ...string) {
	if t == nil {
		return
	}
	const tooShortToBeOne = 8
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, secret := range secrets {
		if len(secret) >= tooShortToBeOne {
			t.secrets = append(t.secrets, secret)
		}
	}
}

// around is next with every exchange shown.
func (t *trace) around(next http.RoundTripper) http.RoundTripper {
	if t == nil {
		return next
	}
	return tracedTransport{next, t}
}

// note says once what is neither a request nor an answer.
func (t *trace) note(format string, args ...any) {
	if t == nil {
		return
	}
	text := fmt.Sprintf(format, args...)
	t.mu.Lock()
	known := slices.Contains(t.notes, text)
	t.notes = append(t.notes, text)
	t.mu.Unlock()
	if !known {
		t.line("* %s", text)
	}
}

type tracedTransport struct {
	next  http.RoundTripper
	trace *trace
}

func (t tracedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.trace.request(req)
	start := time.Now()
	res, err := t.next.RoundTrip(req)
	took := time.Since(start).Round(time.Millisecond)
	if err != nil {
		t.trace.line("< %s (%v)", t.trace.unlessSecret(oauth.Reason(err)), took)
		return nil, err
	}
	return res, t.trace.response(req, res, took)
}

func (t *trace) request(req *http.Request) {
	form := url.Values{}
	if req.GetBody != nil {
		if body, err := req.GetBody(); err == nil {
			raw, _ := io.ReadAll(io.LimitReader(body, bodyShown))
			body.Close()
			form, _ = url.ParseQuery(string(raw)) // what can't be read isn't shown
		}
	}
	scheme, credentials, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	query := req.URL.Query()
	t.learn(query)
	t.learn(form)
	t.hide(credentials)
	t.line("> %s %s", req.Method, t.unlessSecret(address(req.URL.String())))
	if credentials != "" {
		t.line(">   Authorization: %s %s", scheme, redacted(credentials))
	}
	t.parameters(query)
	t.parameters(form)
}

// learn hides what isn't on the list before anything is shown.
func (t *trace) learn(parameters url.Values) {
	for name, values := range parameters {
		if harmlessParameter(name) == nil {
			t.hide(values...)
		}
	}
}

func (t *trace) parameters(values url.Values) {
	for _, name := range sortedKeys(values) {
		for _, value := range values[name] {
			t.line(">   %s=%s", t.unlessSecret(name), t.shown(harmlessParameter(name), value))
		}
	}
}

// response shows an answer and puts its body back for who reads it next. What everybody
// can GET, such as metadata, is no secret; what came for a secret is.
func (t *trace) response(req *http.Request, res *http.Response, took time.Duration) error {
	head, err := io.ReadAll(io.LimitReader(res.Body, bodyShown))
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), res.Body), res.Body}
	if err != nil {
		res.Body.Close()
		return err
	}
	var fields map[string]json.RawMessage
	isObject := json.Unmarshal(head, &fields) == nil && fields != nil
	if req.Method != http.MethodGet || req.Header.Get("Authorization") != "" {
		t.hide(secretsOf(head)...)
	}
	t.line("< %s (%v)", strings.TrimSpace(fmt.Sprint(res.StatusCode, " ", http.StatusText(res.StatusCode))), took)
	for _, name := range []string{"Content-Type", "Date", "Location", "Retry-After", "Www-Authenticate"} {
		if value := res.Header.Get(name); value != "" {
			t.line("<   %s: %s", name, t.shown(harmlessHeader(name), value))
		}
	}
	switch {
	case isObject:
		t.fields(fields)
	case len(head) > 0:
		t.line("<   [%d bytes of %s]", len(head), t.shown(mediaType, res.Header.Get("Content-Type")))
	}
	return nil
}

func (t *trace) fields(fields map[string]json.RawMessage) {
	for _, name := range sortedKeys(fields) {
		t.line("<   %s: %s", t.unlessSecret(name), t.shown(harmlessField(name), listOf(fields[name])...))
	}
}

// shown are values as their name lets them be seen: nil, not at all.
func (t *trace) shown(harmless view, values ...string) string {
	if harmless == nil {
		return redacted(strings.Join(values, " "))
	}
	var all []string
	for _, value := range values {
		all = append(all, harmless(value))
	}
	return t.unlessSecret(strings.Join(all, " "))
}

// unlessSecret is text, if no secret that was seen so far is in it in any guise.
func (t *trace) unlessSecret(text string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.secrets.In(text) {
		return redacted(text)
	}
	return text
}

func (t *trace) line(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintln(t.w, clean(fmt.Sprintf(format, args...)))
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
