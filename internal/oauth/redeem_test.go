package oauth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestResponse(t *testing.T) {
	set := func(name string, values ...string) func(*provider, url.Values) {
		return func(_ *provider, params url.Values) { params[name] = values }
	}
	for _, test := range []struct {
		name string
		bend func(*provider, url.Values)
		why  string // empty: accepted
	}{
		{"honest", func(*provider, url.Values) {}, ""},
		{"unknown parameters", set("session_state", "a", "b"), ""},
		{"right iss", func(p *provider, params url.Values) { params.Set("iss", p.URL) }, ""},
		{"wrong state", set("state", "x"), "state is not ours"},
		{"no state", set("state"), "state is not ours"},
		{"wrong state with an error", func(_ *provider, params url.Values) { params.Set("state", "x"); params.Set("error", "access_denied") }, "state is not ours"},
		{"two states", func(_ *provider, params url.Values) { params.Add("state", params.Get("state")) }, "state is not ours"},
		{"two codes", set("code", "a", "b"), "code more than once"},
		{"two errors", set("error", "a", "b"), "error more than once"},
		{"no code", set("code"), "no code"},
		{"empty code", set("code", ""), "no code"},
		{"wrong iss", set("iss", "https://evil.example.com"), "not \"http"},
		{"iss with a slash more", func(p *provider, params url.Values) { params.Set("iss", p.URL+"/") }, "not \"http"},
		{"wrong iss with an error", func(_ *provider, params url.Values) {
			params.Set("iss", "https://evil.example.com")
			params.Set("error", "access_denied")
		}, "not \"http"},
		{"empty iss", set("iss", ""), "not \"http"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProvider(t)
			a, _ := authorize(t, p.client(t), p.request())
			params := p.visit(a)
			test.bend(p, params)
			_, err := a.Redeem(context.Background(), params)
			if test.why == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantCheck(t, err, test.why)
			if p.counted("/token") != 0 {
				t.Error("the code was sent all the same")
			}
		})
	}
}

func TestIssuerPromised(t *testing.T) {
	p := newProvider(t)
	p.metadata["authorization_response_iss_parameter_supported"] = true
	a, _ := authorize(t, p.client(t), p.request())
	params := p.visit(a)
	_, err := a.Redeem(context.Background(), params)
	wantCheck(t, err, "lacks iss")
	params.Set("error", "access_denied")
	_, err = a.Redeem(context.Background(), params)
	wantCheck(t, err, "lacks iss")
	params.Del("error")
	params.Set("iss", p.URL)
	if _, err = a.Redeem(context.Background(), params); err != nil {
		t.Error(err)
	}
}

// Without a document iss is what an earlier login met, else what was typed.
func TestIssuerWithoutMetadata(t *testing.T) {
	for _, test := range []struct{ name, typed, pinned, iss, why string }{
		{"as typed", "https://a.example.com", "", "https://a.example.com", ""},
		{"a slash more", "https://a.example.com", "", "https://a.example.com/", ""},
		{"another", "https://a.example.com", "", "https://b.example.com", "not \"https://a.example.com\""},
		{"as pinned", "https://a.example.com", "https://b.example.com", "https://b.example.com", ""},
		{"not as pinned", "https://a.example.com", "https://b.example.com", "https://a.example.com", "not \"https://b.example.com\""},
		{"nothing to compare with", "", "", "https://b.example.com", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := minimalClient()
			c.Metadata.Issuer, c.Metadata.Source, c.PinnedIssuer = test.typed, SourceDefaultPaths, test.pinned
			a, _ := authorize(t, c, Request{})
			_, err := a.code(url.Values{"state": {a.State}, "code": {"x"}, "iss": {test.iss}})
			if test.why != "" {
				wantCheck(t, err, test.why)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRefusedByThePerson(t *testing.T) {
	p := newProvider(t)
	a, _ := authorize(t, p.client(t), p.request())
	_, err := a.Redeem(context.Background(), url.Values{
		"state": {a.State}, "error": {"access_denied"},
		"error_description": {"no,\x1b[2J thanks " + a.State}, "error_uri": {"https://auth.example.com/why"},
	})
	var refused *Error
	if !errors.As(err, &refused) || refused.Op != "authorization" || refused.URI != "https://auth.example.com/why" {
		t.Fatalf("got %#v", err)
	}
	if got, want := err.Error(), "access_denied: no,[2J thanks [redacted]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestExchangeRequest(t *testing.T) {
	for _, test := range []struct {
		name, secret string
		methods      any
		basic        bool
	}{
		{"public", "", nil, false},
		{"secret, nothing listed", "s3cr3t/+", nil, true},
		{"secret, basic listed", "s3cr3t/+", []string{"client_secret_post", "client_secret_basic"}, true},
		{"secret, only post listed", "s3cr3t/+", []string{"client_secret_post"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProvider(t)
			p.metadata["token_endpoint_auth_methods_supported"] = test.methods
			c := p.client(t)
			c.Secret = test.secret
			r := p.request()
			r.Resources = []string{"https://a.example.com", "https://b.example.com"}
			a, asked := authorize(t, c, r)
			if _, err := a.Redeem(context.Background(), p.visit(a)); err != nil {
				t.Fatal(err)
			}
			want := url.Values{
				"grant_type": {"authorization_code"}, "code": {p.code}, "redirect_uri": {r.RedirectURI},
				"code_verifier": {a.verifier}, "resource": r.Resources,
			}
			user, password, basic := (&http.Request{Header: p.head}).BasicAuth()
			if basic != test.basic || basic && (user != clientID || password != url.QueryEscape(test.secret)) {
				t.Errorf("got Basic %v %q %q", basic, user, password)
			}
			if !test.basic {
				want.Set("client_id", clientID)
			}
			if !test.basic && test.secret != "" {
				want.Set("client_secret", test.secret)
			}
			if got := p.form.Encode(); got != want.Encode() {
				t.Errorf("got %s, want %s", got, want.Encode())
			}
			if asked.Get("code_challenge") == a.verifier {
				t.Error("the verifier is in the URL")
			}
		})
	}
}

// A code is sent once, whatever the answer is: no second style of authentication is tried.
func TestTokenAnswerRefused(t *testing.T) {
	const js = "application/json"
	for _, test := range []struct {
		name  string
		token http.HandlerFunc
		want  string
	}{
		{"invalid_grant", reply(400, js, `{"error":"invalid_grant","error_description":"session expired"}`), "error invalid_grant: session expired"},
		{"error under 200", reply(200, js, `{"error":"invalid_grant","access_token":"x","token_type":"Bearer"}`), "error invalid_grant"},
		{"error that is an object", reply(200, js, `{"error":{"code":"denied"},"access_token":"x","token_type":"Bearer"}`), "check token request: the answer holds no access token"},
		{"error with 401", reply(401, js, `{"error":"invalid_client"}`), "error invalid_client"},
		{"error without a media type", reply(400, "", `{"error":"invalid_client"}`), "error invalid_client"},
		{"error as a form", reply(400, "application/x-www-form-urlencoded", `error=invalid_grant&error_description=too+old`), "error invalid_grant: too old"},
		{"final error with 500", reply(500, js, `{"error":"invalid_grant"}`), "error invalid_grant"},
		{"temporary error with 503", reply(503, js, `{"error":"temporarily_unavailable","error_description":"soon"}`), "unreachable answered 503 Service Unavailable, temporarily_unavailable: soon"},
		{"a framework's 500", reply(500, js, `{"status":500,"error":"Internal Server Error"}`), "unreachable answered 500"},
		{"HTML 500", reply(500, "text/html", `<h1>Oops</h1>`), "unreachable answered 500"},
		{"429", reply(429, "text/plain", `slow down`), "unreachable answered 429"},
		{"429 with an OAuth error", reply(429, js, `{"error":"slow_down","error_description":"not so fast"}`), "unreachable answered 429 Too Many Requests, slow_down: not so fast"},
		{"429 with a final one", reply(429, js, `{"error":"invalid_grant"}`), "unreachable answered 429 Too Many Requests, invalid_grant"},
		{"slow_down without it", reply(400, js, `{"error":"slow_down"}`), "error slow_down"},
		{"408", reply(408, "text/plain", ``), "unreachable answered 408 Request Timeout"},
		{"408 with an OAuth error", reply(408, js, `{"error":"invalid_request"}`), "unreachable answered 408"},
		{"HTML 200", reply(200, "text/html", `<h1>Welcome</h1>`), "check no JSON object"},
		{"HTML 403", reply(403, "text/html", `<h1>Go away</h1>`), "check answered 403 Forbidden without an OAuth error"},
		{"error is no string", reply(400, js, `{"error":{"code":400}}`), "check answered 400"},
		{"redirect", http.RedirectHandler("/elsewhere", http.StatusTemporaryRedirect).ServeHTTP, "check answered 307 Temporary Redirect: a redirect is not followed"},
		{"10 MiB", reply(200, js, strings.Repeat(" ", 10<<20)), "check larger than 1 MiB"},
		{"empty", reply(200, js, ``), "check no JSON object"},
		{"null", reply(200, js, `null`), "check no JSON object"},
		{"list", reply(200, js, `[]`), "check no JSON object"},
		{"no access token", reply(200, js, `{"token_type":"Bearer"}`), "check no access token"},
		{"access token is no string", reply(200, js, `{"access_token":5,"token_type":"Bearer"}`), "check no access token"},
		{"two access tokens", reply(200, js, `{"access_token":"x","access_token":"y","token_type":"Bearer"}`), "check access_token can be read in two ways"},
		{"another one in other letters", reply(200, js, `{"access_token":"x","token_type":"Bearer","Access_Token":"y"}`), "check access_token can be read in two ways"},
		{"only in other letters", reply(200, js, `{"ACCESS_TOKEN":"x","token_type":"Bearer"}`), "check access_token can be read in two ways"},
		{"in letters that only look so", reply(200, js, `{"access_token":"x","refresh_to\u212aen":"y","token_type":"Bearer"}`), "check refresh_token can be read in two ways"},
		{"more behind it", reply(200, js, `{"access_token":"x","token_type":"Bearer"}<html>`), "check no JSON object"},
		{"ID token is a number", reply(200, js, `{"access_token":"x","id_token":5,"token_type":"Bearer"}`), "check the ID token is no string"},
		{"ID token is an object", reply(200, js, `{"access_token":"x","id_token":{"sub":"eve"},"token_type":"Bearer"}`), "check the ID token is no string"},
		{"mac", reply(200, js, `{"access_token":"x","token_type":"mac"}`), "check of type mac, not Bearer"},
		{"DPoP", reply(200, js, `{"access_token":"x","token_type":"DPoP"}`), "check of type DPoP"},
		{"space in the access token", reply(200, js, `{"access_token":"x y","token_type":"Bearer"}`), "check no token may have"},
		{"newline in the refresh token", reply(200, js, `{"access_token":"x","refresh_token":"x\ny","token_type":"Bearer"}`), "check no token may have"},
		{"é in the ID token", reply(200, js, `{"access_token":"x","id_token":"é","token_type":"Bearer"}`), "check no token may have"},
		{"escape in the scope", reply(200, js, `{"access_token":"x","scope":"\u001b[2J","token_type":"Bearer"}`), "check no scope may have"},
		{"expires_in is a word", reply(200, js, `{"access_token":"x","expires_in":"soon","token_type":"Bearer"}`), "check expires_in"},
		{"expires_in is NaN", reply(200, js, `{"access_token":"x","expires_in":"NaN","token_type":"Bearer"}`), "check expires_in"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProvider(t)
			p.token = test.token
			grant, err := p.login(t, p.client(t), p.request())
			if grant != nil {
				t.Error("got a grant with the error")
			}
			if got := describe(err); !strings.HasPrefix(got, strings.Fields(test.want)[0]) || !strings.Contains(got, test.want[strings.IndexByte(test.want, ' ')+1:]) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if p.counted("/token") != 1 || p.counted("/elsewhere") != 0 {
				t.Errorf("got %d requests and %d elsewhere, want 1 and none", p.counted("/token"), p.counted("/elsewhere"))
			}
		})
	}
}

// describe is err with the word for its type.
func describe(err error) string {
	var refused *Error
	var check *CheckError
	var unreachable *UnreachableError
	switch {
	case errors.As(err, &refused):
		return "error " + err.Error()
	case errors.As(err, &check):
		return "check " + err.Error()
	case errors.As(err, &unreachable):
		return "unreachable " + err.Error()
	}
	return fmt.Sprintf("%T %v", err, err)
}

func TestTokenAnswerAccepted(t *testing.T) {
	for _, test := range []struct{ name, contentType, body, scope string }{
		{"least", "application/json", `{"access_token":"x","token_type":"Bearer"}`, "openid email"},
		{"lower case type", "application/json", `{"access_token":"x","token_type":"bearer"}`, "openid email"},
		{"no type", "application/json", `{"access_token":"x"}`, "openid email"},
		{"scope as a list", "application/json", `{"access_token":"x","token_type":"Bearer","scope":["email","read"]}`, "email read"},
		{"an error that is none", "application/json", `{"access_token":"x","token_type":"Bearer","error":false,"error_description":null}`, "openid email"},
		{"a byte order mark", "application/json", "\ufeff" + `{"access_token":"x","token_type":"Bearer"}`, "openid email"},
		{"Apigee's name for Bearer", "application/json", `{"access_token":"x","token_type":"BearerToken"}`, "openid email"},
		{"Azure DevOps' name for Bearer", "application/json", `{"access_token":"x","token_type":"jwt-bearer"}`, "openid email"},
		{"a form as text", "text/plain; charset=utf-8", `access_token=x&token_type=bearer&scope=a`, "a"},
		{"more members, one twice", "application/json", `{"access_token":"x","token_type":"Bearer","ext":1,"ext":2,"Ext":3}`, "openid email"},
		{"another scope", "application/json", `{"access_token":"x","token_type":"Bearer","scope":"email"}`, "email"},
		{"JSON as text", "text/plain; charset=utf-8", `{"access_token":"x","token_type":"Bearer"}`, "openid email"},
		{"JSON as HTML", "text/html", `{"access_token":"x","token_type":"Bearer"}`, "openid email"},
		{"a form", "application/x-www-form-urlencoded", `access_token=x&token_type=Bearer&scope=a+b&expires_in=60`, "a b"},
		{"no ID token", "application/json", `{"access_token":"x","token_type":"Bearer","id_token":null}`, "openid email"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProvider(t)
			p.token = func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", test.contentType)
				w.Write([]byte(test.body))
			}
			grant, err := p.login(t, p.client(t), p.request())
			if err != nil {
				t.Fatal(err)
			}
			if grant.AccessToken != "x" || grant.TokenType != "Bearer" || grant.Scope != test.scope || grant.Claims != nil {
				t.Errorf("got %+v", grant)
			}
		})
	}
}

// A code that the provider echoes in base64 takes the description with it, but not
// the error code beside it.
func TestErrorEchoesInBase64(t *testing.T) {
	p := newProvider(t)
	p.token = func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		writeJSON(w, map[string]string{
			"error":             "invalid_grant",
			"error_description": "not known: " + base64.StdEncoding.EncodeToString([]byte("code="+r.PostForm.Get("code"))),
			"error_uri":         "https://auth.example.com/errors",
		})
	}
	a, _ := authorize(t, p.client(t), p.request())
	_, err := a.Redeem(context.Background(), p.visit(a))
	want := Error{"token request", "invalid_grant", "[redacted]", "https://auth.example.com/errors", 400}
	if got := (*Error)(nil); !errors.As(err, &got) || *got != want {
		t.Errorf("got %+v, want %+v", err, want)
	}
}

// Nothing that the provider echoes brings a secret into an error.
func TestErrorEchoesSecrets(t *testing.T) {
	for _, status := range []int{200, 400, 503} {
		p := newProvider(t)
		p.token = func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			writeJSON(w, map[string]string{
				"error":             "invalid_grant_" + r.PostForm.Get("code"),
				"error_description": fmt.Sprint(r.Header.Get("Authorization"), " ", r.PostForm),
				"error_uri":         "https://auth.example.com/?" + r.PostForm.Encode(),
			})
		}
		c := p.client(t)
		c.Secret = "s3cr3t/with+odd=chars"
		a, _ := authorize(t, c, p.request())
		_, err := a.Redeem(context.Background(), p.visit(a))
		text := fmt.Sprintf("%v %+v %#v", err, err, err)
		for _, secret := range []string{p.code, a.verifier, c.Secret, url.QueryEscape(c.Secret), "Y2xpZW50LTE6czNjcjN0"} {
			if strings.Contains(text, secret) {
				t.Errorf("%d: %q is in %s", status, secret, text)
			}
		}
		if !strings.Contains(text, "[redacted]") {
			t.Errorf("%d: nothing was echoed: %s", status, text)
		}
	}
}
