package oauth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// hasty is a device authorization whose polls follow each other quickly: how long they
// wait is TestPace's.
func (p *provider) hasty(t testing.TB, c *Client, r Request) *DeviceAuthorization {
	t.Helper()
	d, err := c.DeviceAuthorize(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	d.interval = 5 * time.Millisecond
	return d
}

// inTurn answers one poll each, and honestly from then on.
func (p *provider) inTurn(answers ...http.HandlerFunc) {
	p.token = func(w http.ResponseWriter, r *http.Request) {
		if n := p.counted("/token"); n <= len(answers) {
			answers[n-1](w, r)
			return
		}
		(&provider{answer: p.answer, claims: p.claims, signer: p.signer, idToken: p.idToken}).serveToken(w, r)
	}
}

func refusal(status int, code string) http.HandlerFunc {
	return reply(status, "application/json", fmt.Sprintf(`{"error":%q,"error_description":"as I said"}`, code))
}

// reset ends the connection as a dropped packet may: with a reset, without an answer.
func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}

func cut(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"))
	conn.Close()
}

func TestPolling(t *testing.T) {
	pending := refusal(400, "authorization_pending")
	const js = "application/json"
	for _, test := range []struct {
		name  string
		polls []http.HandlerFunc // before an honest answer
		want  string             // "" is the tokens
		after int                // polls
	}{
		{"allowed", nil, "", 1},
		{"allowed after a while", []http.HandlerFunc{pending, pending}, "", 3},
		{"pending with 200 (GitHub)", []http.HandlerFunc{refusal(200, "authorization_pending")}, "", 2},
		{"pending with 428 (Google)", []http.HandlerFunc{refusal(428, "authorization_pending")}, "", 2},
		{"a connection that is reset", []http.HandlerFunc{pending, reset, pending}, "", 4},
		{"a connection that ends in an answer", []http.HandlerFunc{cut}, "", 2},
		{"503 twice", []http.HandlerFunc{reply(503, "text/html", "<h1>Oops"), reply(503, js, "")}, "", 3},
		{"500 with an OAuth error", []http.HandlerFunc{refusal(500, "server_error")}, "", 2},
		{"429", []http.HandlerFunc{reply(429, "text/plain", "slow down")}, "", 2},
		{"408", []http.HandlerFunc{reply(408, "text/plain", "")}, "", 2},

		{"the person said no", []http.HandlerFunc{pending, refusal(400, "access_denied")}, "error access_denied", 2},
		{"said no with 403", []http.HandlerFunc{refusal(403, "access_denied")}, "error access_denied", 1},
		{"expired", []http.HandlerFunc{refusal(400, "expired_token")}, "*errors.errorString the code expired", 1},
		{"not our code", []http.HandlerFunc{refusal(400, "invalid_grant")}, "error invalid_grant", 1},
		{"another client's", []http.HandlerFunc{refusal(401, "invalid_client")}, "error invalid_client", 1},
		{"a web page", []http.HandlerFunc{reply(200, "text/html", "<html>")}, "check token request: the answer is no JSON object", 1},
		{"404", []http.HandlerFunc{http.NotFound}, "check token request: answered 404", 1},
		{"a redirect", []http.HandlerFunc{http.RedirectHandler("/elsewhere", http.StatusTemporaryRedirect).ServeHTTP}, "check token request: answered 307", 1},
		{"a token of another type", []http.HandlerFunc{reply(200, js, `{"access_token":"x","token_type":"mac"}`)}, "check token request: the token is of type mac", 1},
		{"a token with a newline", []http.HandlerFunc{reply(200, js, `{"access_token":"x\ny"}`)}, "check token request: a token has", 1},
		{"no token", []http.HandlerFunc{reply(200, js, `{}`)}, "check token request: the answer holds no access token", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t)
			p.inTurn(test.polls...)
			d := p.hasty(t, p.client(t), p.request())
			grant, err := d.Redeem(context.Background())
			if got := describe(err); test.want != "" && (grant != nil || !strings.HasPrefix(got, test.want)) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if test.want == "" && (err != nil || grant.AccessToken != p.answer["access_token"] || grant.Subject != "ada" || !grant.SignatureChecked) {
				t.Errorf("got %v, want the tokens, checked", err)
			}
			if got := p.counted("/token"); got != test.after || p.counted("/elsewhere") != 0 {
				t.Errorf("polls: got %d, want %d; elsewhere: %d", got, test.after, p.counted("/elsewhere"))
			}
		})
	}
}

// A poll has what RFC 8628 §3.4 asks for and nothing of a code's exchange.
func TestPollRequest(t *testing.T) {
	for _, test := range []struct{ name, secret string }{{"public", ""}, {"confidential", "s3cr3t"}} {
		t.Run(test.name, func(t *testing.T) {
			p := newProvider(t)
			c := p.client(t)
			c.Secret = test.secret
			r := p.request()
			r.Resources = []string{"https://a.example", "https://b.example"}
			grant, err := p.hasty(t, c, r).Redeem(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			want := url.Values{"grant_type": {deviceGrant}, "device_code": {p.codes["device_code"].(string)}, "resource": r.Resources}
			if test.secret == "" {
				want.Set("client_id", clientID)
			}
			if !reflect.DeepEqual(p.form, want) {
				t.Errorf("got the parameters %v, want %v", slices.Sorted(maps.Keys(p.form)), slices.Sorted(maps.Keys(want)))
			}
			if got := p.head.Get("Authorization") != ""; got != (test.secret != "") {
				t.Errorf("authenticated by a header: got %t", got)
			}
			if grant.Scope != "openid email" {
				t.Errorf("scope: got %q, want as asked", grant.Scope)
			}
		})
	}
}

// The ID token is checked as after a code's exchange; no nonce was sent.
func TestDeviceIDToken(t *testing.T) {
	maxAge := 60
	old := time.Now().Add(-time.Hour).Unix()
	for _, test := range []struct {
		name string
		bend func(*provider)
		want string
	}{
		{"honest", func(*provider) {}, ""},
		{"no ID token", func(p *provider) { p.claims = nil }, ""},
		{"a nonce that nobody sent", func(p *provider) { p.claims["nonce"] = "n" }, "its nonce is not ours"},
		{"another client's", func(p *provider) { p.claims["aud"] = "another" }, "audience"},
		{"another issuer's", func(p *provider) { p.claims["iss"] = "https://evil.example" }, "issue"},
		{"expired", func(p *provider) { p.claims["exp"] = old }, "it expired"},
		{"about nobody", func(p *provider) { p.claims["sub"] = nil }, "it has no sub"},
		{"unsigned", func(p *provider) { p.idToken = func() string { return unsigned(p.claims) } }, `signed with "none"`},
		{"signed by another", func(p *provider) { p.signer.key = otherRSAKey() }, "signature"},
		{"of too long ago", func(p *provider) { p.claims["auth_time"] = old }, "auth_time"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProvider(t)
			r := p.request()
			r.MaxAge = &maxAge
			c := p.client(t)
			test.bend(p)
			grant, err := p.hasty(t, c, r).Redeem(context.Background())
			if test.want != "" {
				wantCheck(t, err, test.want)
			} else if err != nil || grant.AccessToken == "" {
				t.Errorf("got %v, want the tokens", err)
			}
		})
	}
}

// The end of the wait is seen at once, between two polls and in one.
func TestPollingEnds(t *testing.T) {
	gone := errors.New("the person left")
	pending := refusal(400, "authorization_pending")
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, test := range []struct {
		name string
		poll http.HandlerFunc
		life time.Duration // of the code
		want error
	}{
		{"the code expires", pending, 50 * time.Millisecond, ErrExpired},
		{"it expires in a poll", hang, 50 * time.Millisecond, ErrExpired},
		{"the caller leaves", pending, time.Hour, gone},
		{"the caller leaves in a poll", hang, time.Hour, gone},
		{"the caller leaves with nobody there", reset, time.Hour, gone},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t)
			p.token = test.poll
			d := p.hasty(t, p.client(t), p.request())
			d.Expires = time.Now().Add(test.life)
			ctx, cancel := context.WithCancelCause(context.Background())
			defer cancel(nil)
			if test.want == gone {
				time.AfterFunc(50*time.Millisecond, func() { cancel(gone) })
			}
			start := time.Now()
			if _, err := d.Redeem(ctx); err != test.want {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %v, want it at once", took)
			}
		})
	}
}

// Nothing that the provider echoes brings the device code into an error.
func TestPollEchoesSecrets(t *testing.T) {
	p := newProvider(t)
	p.token = func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		writeJSON(w, map[string]string{"error": "invalid_grant", "error_description": r.PostForm.Encode()})
	}
	_, err := p.hasty(t, p.client(t), p.request()).Redeem(context.Background())
	presentable(t, err, p.codes["device_code"].(string))
	if !strings.Contains(err.Error(), redacted) {
		t.Errorf("nothing was echoed: %v", err)
	}
}
