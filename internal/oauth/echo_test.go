package oauth

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/authctl/authctl/internal/leaktest"
)

const (
	held   = "held/refresh+token=0123456789"
	secret = "client/secret+with=signs"
)

// act is one thing that a provider answers to.
type act func(t *testing.T, p *provider, bend func(params url.Values)) error

func discovers(t *testing.T, p *provider, _ func(url.Values)) error {
	_, err := Discover(context.Background(), p.http(), p.URL, Endpoints{}, held, secret)
	return err
}

func logsIn(t *testing.T, p *provider, bend func(url.Values)) error {
	a, err := p.knowing(t).Authorize(p.request())
	if err != nil {
		t.Fatal(err)
	}
	params := p.visit(a)
	bend(params)
	_, err = a.Redeem(context.Background(), params)
	return err
}

func renews(t *testing.T, p *provider, _ func(url.Values)) error {
	_, err := p.knowing(t).Refresh(context.Background(), Held{RefreshToken: held})
	return err
}

func asksWho(t *testing.T, p *provider, _ func(url.Values)) error {
	_, err := p.knowing(t).Userinfo(context.Background(), "access-token-"+held)
	return err
}

func revokes(t *testing.T, p *provider, _ func(url.Values)) error {
	return p.knowing(t).Revoke(context.Background(), held, "refresh_token")
}

// knowing is a client with a secret, whose stored token the provider knows.
func (p *provider) knowing(t *testing.T) *Client {
	m := &Metadata{Source: p.URL, Issuer: p.URL, AuthorizationEndpoint: p.URL + "/authorize", TokenEndpoint: p.URL + "/token",
		JWKSURI: p.URL + "/jwks", UserinfoEndpoint: p.URL + "/userinfo", RevocationEndpoint: p.URL + "/revoke"}
	return &Client{ID: clientID, Secret: secret, HTTP: p.http(), Metadata: m, Known: Secrets{held}}
}

// says has an endpoint answer this, word for word.
func (p *provider) says(endpoint, answer string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.raw[endpoint] = answer
}

// What a place says in the honest twin's case, if not the text itself.
const (
	noError   = "no error"
	noHTTP    = "malformed HTTP response"
	noHeader  = "missing colon"
	noLength  = "bad Content-Length"
	noCoding  = "unsupported transfer encoding"
	noPlace   = "failed to parse Location header"
	elsewhere = "elsewhere"
)

// echoes are where an answer may hold what the provider was sent; %s is it.
var echoes = []struct {
	name string
	act  act
	bend func(p *provider, text string)
	with func(params url.Values, text string)
	twin string // what is said of another text; empty: that text
}{
	{name: "another issuer", act: discovers, bend: func(p *provider, text string) { p.metadata["issuer"] = "https://" + text }},
	{name: "an endpoint without TLS", act: discovers, bend: func(p *provider, text string) { p.metadata["token_endpoint"] = "http://a.example/" + text }},
	{name: "an endpoint that is no URL", act: discovers, bend: func(p *provider, text string) { p.metadata["token_endpoint"] = text }},
	{name: "an endpoint with a fragment", act: discovers, bend: func(p *provider, text string) { p.metadata["token_endpoint"] = "https://a.example/#" + text }},
	{name: "a method of PKCE", act: discovers, bend: func(p *provider, text string) { p.metadata["code_challenge_methods_supported"] = []string{text} }},
	{name: "another host", act: discovers, bend: func(p *provider, text string) {
		p.says("/.well-known/openid-configuration", "HTTP/1.1 302 Found\r\nLocation: https://"+url.PathEscape(text)+"/\r\n\r\n")
	}},
	{name: "no HTTP", act: discovers, bend: func(p *provider, text string) { p.says("/.well-known/openid-configuration", text+"\r\n\r\n") }, twin: noHTTP},

	{name: "the error", act: logsIn, with: func(params url.Values, text string) { params.Set("error", text) }},
	{name: "its description", act: logsIn, with: func(params url.Values, text string) {
		params["error"], params["error_description"] = []string{"access_denied"}, []string{text}
	}},
	{name: "its page", act: logsIn, with: func(params url.Values, text string) {
		params["error"], params["error_uri"] = []string{"access_denied"}, []string{text}
	}, twin: "access_denied"},
	{name: "another iss", act: logsIn, with: func(params url.Values, text string) { params.Set("iss", text) }},

	{name: "the token endpoint's error", act: logsIn, bend: refusing("/token", "400 Bad Request", `{"error":%q}`)},
	{name: "the token endpoint's description", act: logsIn, bend: refusing("/token", "400 Bad Request", `{"error":"invalid_grant","error_description":%q}`)},
	{name: "an error under status 200", act: logsIn, bend: refusing("/token", "200 OK", `{"error":"invalid_grant","error_description":%q}`)},
	{name: "an error under status 503", act: logsIn, bend: refusing("/token", "503 Service Unavailable", `{"error":"temporarily_unavailable","error_description":%q}`)},
	{name: "a form", act: logsIn, bend: refusing("/token", "400 Bad Request\r\nContent-Type: application/x-www-form-urlencoded", "error=invalid_grant&error_description=%q")},
	{name: "the token's type", act: logsIn, bend: func(p *provider, text string) { p.answer["token_type"] = text }},
	{name: "the scope", act: logsIn, bend: func(p *provider, text string) { p.answer["scope"] = text }, twin: noError},
	{name: "the reason phrase", act: logsIn, bend: func(p *provider, text string) { p.says("/token", "HTTP/1.1 400 "+text+"\r\n\r\n") }, twin: "400 Bad Request"},
	{name: "no HTTP at the token endpoint", act: logsIn, bend: func(p *provider, text string) { p.says("/token", text+"\r\n\r\n") }, twin: noHTTP},
	{name: "a header that is none", act: logsIn, bend: func(p *provider, text string) { p.says("/token", "HTTP/1.1 200 OK\r\n"+text+"\r\n\r\n") }, twin: noHeader},
	{name: "a length that is none", act: logsIn, bend: func(p *provider, text string) {
		p.says("/token", "HTTP/1.1 200 OK\r\nContent-Length: "+text+"\r\n\r\n")
	}, twin: noLength},
	{name: "a place that is none", act: logsIn, bend: func(p *provider, text string) {
		p.says("/token", "HTTP/1.1 302 Found\r\nLocation: http://["+text+"\r\n\r\n")
	}, twin: noPlace},
	{name: "an encoding that is none", act: logsIn, bend: func(p *provider, text string) {
		p.says("/token", "HTTP/1.1 200 OK\r\nTransfer-Encoding: "+text+"\r\n\r\n")
	}, twin: noCoding},

	{name: "the ID token's iss", act: logsIn, bend: claiming("iss")},
	{name: "its aud", act: logsIn, bend: claiming("aud")},
	{name: "its azp", act: logsIn, bend: claiming("azp")},
	{name: "its name", act: logsIn, bend: claiming("name"), twin: noError},
	{name: "a claim in a claim", act: logsIn, bend: func(p *provider, text string) { p.claims["address"] = map[string]any{"street": []string{"1", text}} }, twin: noError},
	{name: "its kid", act: logsIn, bend: func(p *provider, text string) { p.signer.kid = text }},
	{name: "its algorithm", act: logsIn, bend: func(p *provider, text string) {
		p.idToken = func() string { return unsignedAs(text, p.claims) }
	}},

	{name: "a renewal's description", act: renews, bend: refusing("/token", "400 Bad Request", `{"error":"invalid_grant","error_description":%q}`)},
	{name: "no HTTP at a renewal", act: renews, bend: func(p *provider, text string) { p.says("/token", text+"\r\n\r\n") }, twin: noHTTP},
	{name: "userinfo's description", act: asksWho, bend: refusing("/userinfo", "401 Unauthorized", `{"error":"invalid_token","error_description":%q}`)},
	{name: "userinfo", act: asksWho, bend: refusing("/userinfo", "200 OK", `{"sub":"ada","email":%q}`), twin: noError},
	{name: "revocation's description", act: revokes, bend: refusing("/revoke", "400 Bad Request", `{"error":"invalid_request","error_description":%q}`)},
	{name: "no HTTP at revocation", act: revokes, bend: func(p *provider, text string) { p.says("/revoke", text+"\r\n\r\n") }, twin: noHTTP},
}

// refusing is an endpoint's answer with a text in its JSON or its form.
func refusing(endpoint, status, body string) func(*provider, string) {
	return func(p *provider, text string) {
		body := fmt.Sprintf(body, text)
		if !strings.HasPrefix(body, "{") {
			body = strings.ReplaceAll(body, text, url.QueryEscape(text))
		}
		p.says(endpoint, "HTTP/1.1 "+status+"\r\n\r\n"+body)
	}
}

func claiming(claim string) func(*provider, string) {
	return func(p *provider, text string) { p.claims[claim] = text }
}

// unsignedAs is a JWT that says to be signed with an algorithm of that name.
func unsignedAs(algorithm string, claims map[string]any) string {
	token := sign(signer{jose.RS256, rsaKey(), ""}, without(claims))
	_, rest, _ := strings.Cut(token, ".")
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"alg":%q}`, algorithm)) + "." + rest
}

// No error, whatever it is about, holds what the provider was sent, now or before, in
// whatever guise. Each has to be an error: nothing of such an answer is used.
func TestNoErrorHoldsASecret(t *testing.T) {
	var secrets leaktest.Secrets
	secrets.Add("held token", held)
	secrets.Add("client secret", secret)
	for _, e := range echoes {
		t.Run(e.name, func(t *testing.T) {
			answered := func(text string) error {
				p := newProvider(t)
				defer p.Close()
				if e.bend != nil {
					e.bend(p, text)
				}
				return e.act(t, p, func(params url.Values) {
					if e.with != nil {
						e.with(params, text)
					}
				})
			}
			for guise, of := range leaktest.Guises {
				for _, echoed := range []string{held, secret} {
					err := answered(of(echoed))
					if err == nil {
						t.Errorf("%s: got no error", guise)
					} else if leaks := secrets.In(fmt.Sprintf("%v %+v", err, err)); len(leaks) > 0 {
						t.Errorf("%s: the error holds %v: %s", guise, leaks, err)
					}
				}
			}
			said, want := noError, cmp.Or(e.twin, elsewhere)
			if err := answered(elsewhere); err != nil {
				said = err.Error()
			}
			if !strings.Contains(said, want) {
				t.Errorf("the twin: got %q, want %q in it", said, want)
			}
		})
	}
}

// What comes with an answer is no less a secret than what was sent for it.
func TestNoErrorHoldsWhatCame(t *testing.T) {
	const token = "issued/just+now=0123456789"
	var secrets leaktest.Secrets
	secrets.Add("new token", token)
	for _, test := range []struct{ name, answer string }{
		{"its access token", `{"access_token":"` + token + `","error":"server_error","error_description":"` + token + `"}`},
		{"its refresh token", `{"refresh_token":"` + token + `","error":"x","error_description":"` + token + `"}`},
		{"a token of its own", `{"mfa_token":"` + token + `","error":"mfa_required","error_description":"` + token + `"}`},
		{"spelled otherwise", `{"Access_Token":"` + token + `","token_type":"` + token + `"}`},
		{"its type", `{"access_token":"` + token + `","token_type":"` + token + `"}`},
		{"its scope", `{"access_token":"` + token + `","token_type":"Bearer","scope":"email ` + token + `"}`},
		{"its expiry", `{"access_token":"` + token + `","token_type":"Bearer","expires_in":"` + token + `"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			for name, do := range map[string]act{"login": logsIn, "renewal": renews} {
				p := newProvider(t)
				p.raw["/token"] = "HTTP/1.1 200 OK\r\n\r\n" + test.answer
				err := do(t, p, func(url.Values) {})
				if err == nil {
					t.Fatalf("%s: got no error", name)
				}
				if leaks := secrets.In(fmt.Sprintf("%v %+v", err, err)); len(leaks) > 0 {
					t.Errorf("%s: the error holds %v: %s", name, leaks, err)
				}
			}
		})
	}
	for _, name := range []string{"code", "access_token", "id_token", "state", "nonce"} {
		t.Run("an authorization response's "+name, func(t *testing.T) {
			p := newProvider(t)
			a, err := p.knowing(t).Authorize(p.request())
			if err != nil {
				t.Fatal(err)
			}
			params := p.visit(a)
			params.Set("access_token", token)
			params.Set("id_token", token+"!")
			params.Set("nonce", a.Nonce)
			secrets.Add(name, params.Get(name))
			params.Set("iss", "https://"+params.Get(name)+".example")
			_, err = a.Redeem(context.Background(), params)
			if err == nil || len(secrets.In(err.Error())) > 0 {
				t.Errorf("got %d characters of an error that holds %v", len(fmt.Sprint(err)), secrets.In(fmt.Sprint(err)))
			}
		})
	}
}
