package oauth

import (
	"context"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"
)

// page answers every request: a network would make a fuzzer slow.
func (p page) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	w.WriteHeader(p.status)
	w.WriteString(p.body)
	return w.Result(), nil
}

// presentable: an error is short, fits on a terminal, and has no secret.
func presentable(t *testing.T, err error, hidden ...string) {
	t.Helper()
	text := err.Error()
	if utf8.RuneCountInString(text) > 1000 || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("the error is not fit to be shown: %q", text)
	}
	for _, secret := range hidden {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in the error %q", secret, text)
		}
	}
	var refused *Error
	var check *CheckError
	var unreachable *UnreachableError
	var insecure *InsecureError
	var config *ConfigError
	if !errors.As(err, &refused) && !errors.As(err, &check) && !errors.As(err, &unreachable) && !errors.As(err, &insecure) && !errors.As(err, &config) {
		t.Errorf("the error has no type of ours: %T %v", err, err)
	}
}

func FuzzDiscover(f *testing.F) {
	const issuer = "https://auth.example.com"
	for _, seed := range []string{
		`{"issuer":"https://auth.example.com","authorization_endpoint":"https://auth.example.com/a","token_endpoint":"https://auth.example.com/t","jwks_uri":"https://auth.example.com/k"}`,
		`{"issuer":"https://auth.example.com/","authorization_endpoint":"https://a","token_endpoint":"http://127.0.0.1:1/t","code_challenge_methods_supported":["S256"]}`,
		`{"issuer":"https://evil.example.com","authorization_endpoint":"javascript:alert(1)","token_endpoint":"http://evil.example.com"}`,
		`{"issuer":"https://auth.example.com","token_endpoint":"https://u:p@auth.example.com/#\u001b[2J","code_challenge_methods_supported":["\u202eplain"]}`,
		`<html>`, `null`, `[]`, `{"issuer":5}`, ``,
	} {
		f.Add(200, seed)
	}
	f.Add(503, "")
	f.Add(404, "")
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		m, err := Discover(context.Background(), HTTPClient(page{status, body}), issuer, Endpoints{})
		if err != nil {
			presentable(t, err)
			return
		}
		if strings.TrimSuffix(m.Issuer, "/") != issuer {
			t.Errorf("got the issuer %q", m.Issuer)
		}
		for _, endpoint := range []string{m.AuthorizationEndpoint, m.TokenEndpoint} {
			if !strings.HasPrefix(endpoint, "https://") && checkURL("", endpoint) != nil {
				t.Errorf("got the endpoint %q", endpoint)
			}
		}
	})
}

func FuzzTokenAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"access_token":"x","token_type":"Bearer","expires_in":3600,"refresh_token":"y","scope":"a b"}`,
		`{"access_token":"x","token_type":"mac","expires_in":"3600"}`,
		`{"access_token":"x","expires_in":-1e999}`, `{"access_token":"x","expires_in":"NaN"}`, `{"access_token":"x","Expires_In":3.5}`,
		`{"access_token":"x y\n$(id)","token_type":"bearer"}`, `{"access_token":"eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.AAAA"}`,
		`{"error":"invalid_grant","error_description":"held-refresh-token \u001b[2J\u202e"}`, `{"error":{}}`, `{"error":"x y"}`,
		`{"id_token":"a.b.c","access_token":"x"}`, `<html>`, `null`, `[]`, ``,
	} {
		f.Add(200, seed)
		f.Add(400, seed)
	}
	f.Add(500, `{"error":"server_error"}`)
	f.Add(302, "")
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		c := minimalClient()
		c.HTTP = HTTPClient(page{status, body})
		grant, err := c.Refresh(context.Background(), Held{RefreshToken: "held-refresh-token"})
		if err != nil {
			presentable(t, err, "held-refresh-token")
			return
		}
		if grant.AccessToken == "" || !isVisible(grant.AccessToken) || !isVisible(grant.RefreshToken) || grant.TokenType != "Bearer" {
			t.Errorf("got %+v", grant)
		}
		if _, err := json.Marshal(grant); err != nil {
			t.Errorf("the grant can't be stored: %v", err)
		}
		if status >= 300 {
			t.Errorf("%d is taken for a success", status)
		}
	})
}

func FuzzDeviceAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"device_code":"the-device-code","user_code":"WDJB-MJHT","verification_uri":"https://a.example/","verification_uri_complete":"https://a.example/?c=WDJB-MJHT","expires_in":600,"interval":5}`,
		`{"device_code":"x","user_code":"123 456","verification_url":"https://a.example/#/device","expires_in":"600","interval":"soon"}`,
		`{"device_code":"x","user_code":"A\u001b[2J","verification_uri":"javascript:alert(1)","expires_in":1e999,"interval":-1}`,
		`{"device_code":"x","user_code":"A","verification_uri":"http://a.example/\u202e","expires_in":0.001,"interval":1e-300}`,
		`{"device_code":"x","user_code":" ","verification_uri":"https://u:p@a.example/","expires_in":-1}`,
		`{"device_code":5}`, `{"error":"unauthorized_client","error_description":"\u001b[2J"}`, `<html>`, `null`, `[]`, ``,
	} {
		f.Add(200, seed)
		f.Add(400, seed)
	}
	f.Add(503, "")
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		c := minimalClient()
		c.Metadata.DeviceAuthorizationEndpoint = "https://auth.example.com/device_authorization"
		c.HTTP = HTTPClient(page{status, body})
		d, err := c.DeviceAuthorize(context.Background(), Request{})
		if err != nil {
			presentable(t, err)
			return
		}
		shown := d.UserCode + d.VerificationURI + d.CompleteURI
		if d.UserCode == "" || len(shown) > userCodeLimit+2*pageLimit || !isVisible(strings.ReplaceAll(shown, " ", "")) {
			t.Errorf("this would be shown: %q", shown)
		}
		for _, uri := range []string{d.VerificationURI, d.CompleteURI} {
			if u, err := url.Parse(uri); uri != "" && (err != nil || checkScheme(u) != nil || u.User != nil) {
				t.Errorf("this would be opened: %q", uri)
			}
		}
		if d.interval < time.Second || d.interval > longestInterval || d.Expires.Before(d.started) || d.Expires.After(d.started.Add(deviceLife)) {
			t.Errorf("it would be polled every %v until %v", d.interval, d.Expires)
		}
		if status >= 300 {
			t.Errorf("%d is taken for a success", status)
		}
	})
}

func FuzzIDToken(f *testing.F) {
	now := time.Unix(1_800_000_000, 0)
	s := signer{jose.ES256, ecKey(elliptic.P256()), "key-1"}
	honest := map[string]any{"iss": "https://auth.example.com", "sub": "ada", "aud": clientID, "iat": now.Unix(), "exp": now.Unix() + 60}
	good := sign(s, honest)
	f.Add(good)
	f.Add(unsigned(honest))
	f.Add(good[:len(good)-2])
	f.Add(strings.Replace(good, ".", "..", 1))
	f.Add(sign(signer{jose.HS256, make([]byte, 32), "key-1"}, honest))
	f.Add(sign(signer{jose.ES256, s.key, "\x1b[2J"}, honest))
	for claim, value := range map[string]any{"aud": 5, "exp": 1e300, "iat": -1e300, "azp": "\u202e", "iss": nil, "_claim_names": map[string]string{"a": "b"}} {
		f.Add(sign(s, map[string]any{"iss": "https://auth.example.com", "sub": "ada", claim: value}))
	}
	set := must(json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{s.public()}}))
	f.Fuzz(func(t *testing.T, raw string) {
		m := &Metadata{Issuer: "https://auth.example.com", JWKSURI: "https://auth.example.com/k", IDTokenSigningAlgValuesSupported: []string{"ES256"}}
		c := &Client{ID: clientID, HTTP: HTTPClient(page{200, string(set)}), Metadata: m, Now: func() time.Time { return now }}
		grant := &Grant{AccessToken: "the-access-token", IDToken: raw}
		err := c.secrets(grant.AccessToken).cleanError(c.checkIDToken(context.Background(), grant, expectation{issuer: m.Issuer}))
		switch {
		case raw == "":
		case err != nil:
			presentable(t, err, "the-access-token")
		case !sameSigned(raw, good) || grant.Subject != "ada":
			t.Errorf("a forged ID token is accepted: %s", raw)
		}
	})
}

// A document of keys opens nothing that another key signed, and gives away none that is
// not public.
func FuzzKeys(f *testing.F) {
	s := signer{jose.ES256, ecKey(elliptic.P256()), "key-1"}
	jws := must(jose.ParseSignedCompact(sign(s, map[string]any{"sub": "ada"}), []jose.SignatureAlgorithm{jose.ES256}))
	for _, seed := range []string{
		`{"keys":[{"kty":"EC","crv":"P-256","kid":"key-1","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`,
		`{"keys":[{"kty":"oct","kid":"key-1","k":"AAAA"},{"kty":"RSA","n":"AQAB","e":"AQAB"},{},null,5,"x"]}`,
		`{"keys":[{"kty":"EC","crv":"P-521","x":"AA","y":"AA"},{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		`{"keys":{}}`, `{"keys":[[]]}`, `{"Keys":[{"kty":"RSA","n":"","e":""}]}`, `[]`, `null`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		keys := readKeys(document)
		for _, key := range keys {
			if !key.IsPublic() {
				t.Errorf("a key that is not public is taken: %T", key.Key)
			}
		}
		if _, _, err := verifyWith(keys, jws); err == nil {
			t.Error("a signature of another key is accepted")
		}
	})
}

// Whatever stands around a secret that a provider echoes, in whatever form, the text that
// is shown is short, on one line, and without it.
func FuzzClean(f *testing.F) {
	const secret = "held-refresh-token"
	for form := range byte(6) {
		f.Add("not accepted: ", " \x1b[2J\u202e", form)
		f.Add("%25", "=", form)
	}
	f.Fuzz(func(t *testing.T, before, after string, form byte) {
		text := before + disguise(secret, form) + after
		got := Secrets{secret}.clean(text)
		presentable(t, &Error{Code: got}, secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret)))
		if utf8.RuneCountInString(got) > textLimit+1 {
			t.Errorf("got %d runes", utf8.RuneCountInString(got))
		}
	})
}

// disguise is a secret as a provider may echo it.
func disguise(secret string, form byte) string {
	switch form % 6 {
	case 1:
		return strings.ReplaceAll(url.QueryEscape(secret), "-", "%2D")
	case 2:
		return base64.StdEncoding.EncodeToString([]byte(secret))
	case 3:
		return base64.RawURLEncoding.EncodeToString([]byte("x" + secret))
	case 4:
		return secret[:5] + "\u200b" + secret[5:]
	case 5:
		return secret[:5] + "\n" + secret[5:]
	}
	return secret
}

// sameSigned: the header and the payload are the honest ones. ECDSA signatures
// aren't unique, base64 isn't either in its last bits.
func sameSigned(raw, good string) bool {
	return raw[:strings.LastIndexByte(raw, '.')] == good[:strings.LastIndexByte(good, '.')]
}
