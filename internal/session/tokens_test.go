package session

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"
)

func whole() *Tokens {
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
	return &Tokens{
		Version: version, Binding: binding, Provider: json.RawMessage(`{"token_endpoint":"https://id.example/token"}`),
		AccessToken: "secret-access", TokenType: "Bearer", Expiry: at.Add(time.Hour), RefreshToken: "secret-refresh",
		Scope: "openid", IDToken: "secret-id", IDTokenExpiry: at.Add(time.Minute), Claims: json.RawMessage(`{"name":"<Ada> & Co","n":1e400}`),
		SignatureChecked: true, IDTokenKept: true, ObtainedAt: at, RefreshRefused: "invalid_grant",
	}
}

func TestStoredForm(t *testing.T) {
	secret, err := whole().encode()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"version":1,"binding":{"client_id":"cli","issuer":"https://id.example"},` +
		`"provider":{"token_endpoint":"https://id.example/token"},"access_token":"secret-access","token_type":"Bearer",` +
		`"expires_at":"2026-03-01T13:00:00.123456789Z","refresh_token":"secret-refresh","scope":"openid",` +
		`"id_token":"secret-id","id_token_expires_at":"2026-03-01T12:01:00.123456789Z","claims":{"name":"<Ada> & Co","n":1e400},` +
		`"signature_checked":true,"id_token_kept":true,"obtained_at":"2026-03-01T12:00:00.123456789Z","refresh_refused":"invalid_grant"}` + "\n"
	if string(secret) != want {
		t.Errorf("got  %s\nwant %s", secret, want)
	}
	if got, err := decode(secret); err != nil || !reflect.DeepEqual(got, whole()) {
		t.Errorf("read back: got another, %v", err)
	}
}

// What encode has written is read quickly, whatever is in it, and so is any part of it.
func TestStoredFormIsReadQuickly(t *testing.T) {
	for name, leaveOut := range map[string]func(*Tokens){
		"whole": func(*Tokens) {},
		"no ID token": func(s *Tokens) {
			s.IDToken, s.IDTokenExpiry, s.Claims, s.SignatureChecked = "", time.Time{}, nil, false
		},
		"no refresh token":  func(s *Tokens) { s.RefreshToken, s.RefreshRefused = "", "" },
		"no binding":        func(s *Tokens) { s.Binding, s.Provider = nil, nil },
		"an access token":   func(s *Tokens) { *s = Tokens{Version: version, AccessToken: "a"} },
		"claims in claims":  func(s *Tokens) { s.Claims = json.RawMessage(`{"a":{"}":[{"b":"\\\"}"}]},"c":"é"}`) },
		"an expiry in 9999": func(s *Tokens) { s.Expiry = time.Unix(1<<40, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			want := whole()
			leaveOut(want)
			secret, err := want.encode()
			if err != nil {
				t.Fatal(err)
			}
			want.bound()
			if got, ok := quick(string(secret)); !ok || !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want all of it\n%s", ok, secret)
			}
		})
	}
}

// quick reads nothing that encoding/json reads otherwise.
func FuzzQuick(f *testing.F) {
	secret, _ := whole().encode()
	for _, seed := range []string{
		string(secret), "{\"version\":1}\n", "{\"version\":1,\"access_token\":\"x\"}\n", "{\"version\":1,\"binding\":{},\"claims\":{\"a\":}}\n",
		"{\"version\":1,\"binding\":{\"a\":\"b\",\"a\":\"c\"},\"access_token\":\"\"}\n", "{\"version\":1,\"expires_at\":\"2026-03-01T13:00:00.000Z\"}\n",
		"{\"version\":1,\"claims\":{\"a\":\"\\u0041\"},\"obtained_at\":\"0000-01-01T00:00:00Z\"}\n", "{\"version\":10}\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, secret string) {
		got, ok := quick(secret)
		if !ok {
			return
		}
		if want, err := readAny([]byte(secret)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %#v, want %#v, %v", fields(*got), fields(*want), err)
		}
	})
}

func TestStoredTimes(t *testing.T) {
	east := time.FixedZone("east", 14*3600)
	for _, c := range []struct {
		name     string
		at, want time.Time
	}{
		{"another zone", time.Date(2026, 1, 2, 3, 0, 0, 0, east), time.Date(2026, 1, 1, 13, 0, 0, 0, time.UTC)},
		{"unknown", time.Time{}, time.Time{}},
		{"beyond RFC 3339", time.Unix(1<<40, 0), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
		{"before RFC 3339", time.Unix(-1<<40, 0), time.Unix(0, 0).UTC()},
	} {
		t.Run(c.name, func(t *testing.T) {
			secret, err := (&Tokens{Version: version, AccessToken: "x", Expiry: c.at}).encode()
			if err != nil {
				t.Fatal(err)
			}
			if got, err := decode(secret); err != nil || got.Expiry != c.want {
				t.Errorf("got %v, %v, want %v", got.Expiry, err, c.want)
			}
		})
	}
}

func TestTokensDoNotPrint(t *testing.T) {
	tokens := whole()
	var logged bytes.Buffer
	log.New(&logged, "", 0).Println(tokens)
	slog.New(slog.NewTextHandler(&logged, nil)).Info("saved", "tokens", tokens)
	printed := []string{logged.String(), fmt.Sprint(*tokens), fmt.Errorf("saving %v: full", tokens).Error()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		printed = append(printed, fmt.Sprintf(verb, tokens), fmt.Sprintf(verb, *tokens), fmt.Sprintf(verb, struct{ T Tokens }{*tokens}))
	}
	for _, got := range printed {
		if strings.Contains(got, "secret-") || strings.Contains(got, fmt.Sprintf("%x", "secret-")) {
			t.Errorf("got %q, want no token in it", got)
		}
	}
}

func TestMerge(t *testing.T) {
	old := whole()
	for _, c := range []struct {
		name   string
		answer Tokens
		want   func(*Tokens) // changes to answer
	}{
		{"bare", Tokens{AccessToken: "a"}, func(t *Tokens) {
			t.RefreshToken, t.Scope, t.Provider = old.RefreshToken, old.Scope, old.Provider
			t.IDToken, t.IDTokenExpiry, t.Claims = old.IDToken, old.IDTokenExpiry, old.Claims
			t.SignatureChecked, t.IDTokenKept = true, true
		}},
		{"another scope", Tokens{AccessToken: "a", Scope: "less", IDToken: "i", Claims: json.RawMessage(`{}`)}, func(t *Tokens) {
			t.RefreshToken, t.Provider = old.RefreshToken, old.Provider
		}},
		{"whole", Tokens{AccessToken: "a", RefreshToken: "r", Scope: "s", IDToken: "i", Provider: json.RawMessage(`1`)}, func(*Tokens) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := c.answer
			c.want(&want)
			if got := merge(old, &c.answer); !reflect.DeepEqual(*got, want) {
				t.Errorf("got %+v, want %+v", fields(*got), fields(want))
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	secret, _ := whole().encode()
	for _, seed := range []string{
		string(secret), "", "null", "{}", "[]", `{"version":1}`, `{"version":2}`, `{"version":-1,"access_token":"x"}`,
		`{"version":1,"access_token":"x"}`, `{"version":1,"access_token":"x"}{}`, `{"version":1e99}`, "{\"version\":1,\"access_token\":\"\xff\"}",
		`{"version":1,"access_token":"x","claims":null,"binding":null,"expires_at":"0000-01-01T00:00:00+23:59"}`,
		`{"version":1,"access_token":"x","expires_at":"9999-12-31T23:59:59-23:59"}`, `{"VERSION":1,"Access_Token":"x"}`,
		`{"version":1,"access_token":"x","earlier":{"access_token":"y","expires_at":"0000-01-01T00:00:00+23:59","earlier":{"access_token":"z"}}}`,
		`{"version":1,"access_token":"x","earlier":{}}`, `{"version":1,"access_token":"x","earlier":null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, secret []byte) {
		tokens, err := decode(secret)
		if err != nil {
			if len(err.Error()) > 120 {
				t.Errorf("got %q, want a text of our own", err)
			}
			return
		}
		again, err := tokens.encode()
		if err != nil {
			t.Fatalf("what was read can't be stored: %v", err)
		}
		twice, err := decode(again)
		if err != nil {
			t.Fatalf("what was stored can't be read: %v", err)
		}
		if thrice, err := twice.encode(); err != nil || !bytes.Equal(again, thrice) {
			t.Errorf("got %q, %v, want %q", thrice, err, again)
		}
	})
}
