package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What --verbose shows is on a list; everything else is a secret, wherever it turns up.
func TestTraceRedacts(t *testing.T) {
	const secret = "s3cr3t/with+signs&and=more"
	const escaped = "s3cr3t%2Fwith%2Bsigns%26and%3Dmore"
	for name, c := range map[string]struct {
		form, authorization string
		status              int
		header, value, body string
		shown               []string
	}{
		"a form's parameter":      {form: "grant_type=refresh_token&refresh_token=" + escaped, shown: []string{">   grant_type=refresh_token", ">   refresh_token=[redacted 26 bytes]"}},
		"an unknown parameter":    {form: "who_knows=" + escaped, shown: []string{">   who_knows=[redacted 26 bytes]"}},
		"a basic header":          {authorization: "Basic " + secret, shown: []string{">   Authorization: Basic [redacted"}},
		"a bearer header":         {authorization: "Bearer " + secret, shown: []string{">   Authorization: Bearer [redacted"}},
		"an odd header":           {authorization: secret},
		"a field of the answer":   {body: `{"access_token":"` + secret + `","expires_in":3600}`, shown: []string{"<   access_token: [redacted 26 bytes]", "<   expires_in: 3600"}},
		"an unknown field":        {body: `{"session":{"key":"` + secret + `"}}`, shown: []string{"<   session: [redacted"}},
		"echoed in another field": {form: "code=" + escaped, body: `{"scope":"not ` + secret + `"}`, shown: []string{"<   scope: not [redacted 26 bytes]"}},
		"echoed URL-encoded":      {form: "code=" + escaped, body: `{"scope":"not ` + escaped + `"}`, shown: []string{"<   scope: not [redacted"}},
		"a Location's query":      {status: 302, header: "Location", value: "https://a.example/cb?code=" + escaped, shown: []string{"<   Location: https://a.example/cb"}},
		"a Location's fragment":   {status: 302, header: "Location", value: "https://a.example/cb#access_token=" + escaped},
		"an unlisted header":      {header: "X-Token", value: secret},
		"a page":                  {header: "Content-Type", value: "text/html", body: "<p>" + secret, shown: []string{"bytes of text/html]"}},
		"broken JSON":             {header: "Content-Type", value: "application/json", body: `{"access_token":"` + secret, shown: []string{"bytes of application/json]"}},
		"a list":                  {header: "Content-Type", value: "application/json", body: `["` + secret + `"]`, shown: []string{"bytes of application/json]"}},
		"terminal escapes":        {body: `{"scope":"\u001b[31mred"}`, shown: []string{"<   scope: [31mred"}},
		"an error code":           {body: `{"error":"invalid_grant"}`, shown: []string{"<   error: invalid_grant"}},
		"an error that is none":   {body: `{"error":"c2VjcmV0LXRva2VuLW9mLTI2"}`, shown: []string{"<   error: [redacted 24 bytes]"}},
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
			var out bytes.Buffer
			req, err := http.NewRequest(http.MethodPost, server.URL+"/token", strings.NewReader(c.form))
			if err != nil {
				t.Fatal(err)
			}
			if c.authorization != "" {
				req.Header.Set("Authorization", c.authorization)
			}
			res, err := (&trace{w: &out}).around(http.DefaultTransport).RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if body, err := io.ReadAll(res.Body); err != nil || string(body) != c.body {
				t.Errorf("the body came on as %q, %v, want %q", body, err, c.body)
			}
			if i, form := leak(out.String(), []string{secret}); i >= 0 {
				t.Errorf("the secret is shown, %s:\n%s", form, out.String())
			}
			for _, want := range append(c.shown, "> POST "+server.URL+"/token") {
				if !strings.Contains(out.String(), want) {
					t.Errorf("got no %q in:\n%s", want, out.String())
				}
			}
		})
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
