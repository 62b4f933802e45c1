package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

// trace shows requests and answers for --verbose. What may be shown is listed by
// name; everything else is a secret until somebody decides otherwise. A nil
// *trace shows nothing.
type trace struct {
	w       io.Writer
	mu      sync.Mutex
	secrets []string // values that were redacted, looked for again in what is shown
}

// The names whose values may be shown, in forms, queries and JSON objects.
var (
	shownParameters = []string{
		"acr_values", "audience", "client_id", "code_challenge_method", "grant_type", "max_age", "prompt",
		"redirect_uri", "resource", "response_mode", "response_type", "scope", "token_type_hint",
	}
	shownFields = []string{
		"authorization_endpoint", "authorization_response_iss_parameter_supported", "code_challenge_methods_supported",
		"device_authorization_endpoint", "end_session_endpoint", "error", "expires_in", "grant_types_supported",
		"id_token_signing_alg_values_supported", "introspection_endpoint", "issuer", "jwks_uri",
		"pushed_authorization_request_endpoint", "response_modes_supported", "response_types_supported",
		"revocation_endpoint", "scope", "scopes_supported", "subject_types_supported", "token_endpoint",
		"token_endpoint_auth_methods_supported", "token_type", "userinfo_endpoint",
	}
	shownHeaders = []string{"Content-Type", "Date", "Location", "Retry-After", "Www-Authenticate"}
)

// bodyShown is how much of a body is looked at, in bytes.
const bodyShown = 1 << 20

func (o *options) newTrace(cmd *cobra.Command) *trace {
	if !o.verbose {
		return nil
	}
	return &trace{w: cmd.ErrOrStderr()}
}

// hide makes sure that secret is not shown, whatever field it turns up in.
func (t *trace) hide(secret string) {
	const tooShortToBeOne = 8
	if t == nil || len(secret) < tooShortToBeOne {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.secrets = append(t.secrets, secret, url.QueryEscape(secret))
}

// around is next with every exchange shown.
func (t *trace) around(next http.RoundTripper) http.RoundTripper {
	if t == nil {
		return next
	}
	return tracedTransport{next, t}
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
		t.trace.line("< %v (%v)", err, took)
		return nil, err
	}
	return res, t.trace.response(res, took)
}

func (t *trace) request(req *http.Request) {
	u := *req.URL
	u.RawQuery, u.User = "", nil
	t.line("> %s %s", req.Method, u.String())
	if req.Header.Get("Authorization") != "" {
		scheme, value, ok := strings.Cut(req.Header.Get("Authorization"), " ")
		if !ok {
			scheme, value = "", scheme
		}
		t.line(">   Authorization: %s %s", scheme, t.redact(value))
	}
	t.form(">", req.URL.Query())
	if req.GetBody == nil {
		return
	}
	if body, err := req.GetBody(); err == nil {
		raw, _ := io.ReadAll(io.LimitReader(body, bodyShown))
		body.Close()
		if values, err := url.ParseQuery(string(raw)); err == nil {
			t.form(">", values)
		}
	}
}

// response shows an answer and puts its body back for who reads it next.
func (t *trace) response(res *http.Response, took time.Duration) error {
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
	isObject := json.Unmarshal(head, &fields) == nil
	if isObject {
		t.learn(fields)
	}
	t.line("< %s (%v)", res.Status, took)
	for _, name := range shownHeaders {
		if v := res.Header.Get(name); v != "" {
			t.line("<   %s: %s", name, withoutQuery(name, v))
		}
	}
	switch media, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); {
	case isObject:
		t.fields(fields)
	case len(head) > 0:
		t.line("<   [%d bytes of %s]", len(head), media)
	}
	return nil
}

// withoutQuery drops a Location's query and fragment, where a code or a token may stand.
func withoutQuery(header, value string) string {
	if header != "Location" {
		return value
	}
	if i := strings.IndexAny(value, "?#"); i >= 0 {
		value = value[:i]
	}
	return value
}

// learn remembers what will be redacted before anything of the answer is shown.
func (t *trace) learn(fields map[string]json.RawMessage) {
	for name, raw := range fields {
		var s string
		if !slices.Contains(shownFields, name) && json.Unmarshal(raw, &s) == nil {
			t.hide(s)
		}
	}
}

func (t *trace) form(mark string, values url.Values) {
	for _, name := range sortedKeys(values) {
		for _, v := range values[name] {
			if !slices.Contains(shownParameters, name) {
				v = t.redact(v)
			}
			t.line("%s   %s=%s", mark, name, v)
		}
	}
}

func (t *trace) fields(fields map[string]json.RawMessage) {
	for _, name := range sortedKeys(fields) {
		var s string
		shown := string(fields[name])
		if json.Unmarshal(fields[name], &s) == nil {
			shown = s
		}
		if !slices.Contains(shownFields, name) || name == "error" && !isErrorCode(shown) {
			shown = redacted(shown)
		}
		t.line("<   %s: %s", name, shown)
	}
}

// isErrorCode reports whether s is one, as in RFC 6749 §5.2, and not an echo of a secret
// in another guise.
func isErrorCode(s string) bool {
	return len(s) <= 40 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// redact hides v here and wherever it turns up later.
func (t *trace) redact(v string) string {
	t.hide(v)
	return redacted(v)
}

func redacted(v string) string { return fmt.Sprintf("[redacted %d bytes]", len(v)) }

// line writes one line, without any secret that was seen so far.
func (t *trace) line(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := fmt.Sprintf(format, args...)
	for _, secret := range t.secrets {
		s = strings.ReplaceAll(s, secret, redacted(secret))
	}
	fmt.Fprintln(t.w, clean(s))
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
