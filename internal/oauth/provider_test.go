package oauth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const clientID = "client-1"

// provider is an honest provider on loopback. Tests bend a field of it.
type provider struct {
	*httptest.Server
	metadata map[string]any
	claims   map[string]any // of the next ID token; a nil value: left out
	answer   map[string]any // of the token endpoint; a nil value: left out
	codes    map[string]any // of the device authorization endpoint, the same
	signer   signer
	keys     []jose.JSONWebKey // what the JWKS shows
	idToken  func() string     // instead of a signed one
	token    http.HandlerFunc  // instead of the token endpoint
	device   http.HandlerFunc  // instead of the device authorization endpoint
	code     string

	mu    sync.Mutex
	raw   map[string]string // whole answers, by path, to be sent word for word
	count map[string]int
	form  url.Values  // the last POST's
	head  http.Header // the last POST's
}

type signer struct {
	algorithm jose.SignatureAlgorithm
	key       any
	kid       string
}

func (s signer) public() jose.JSONWebKey {
	key := s.key.(crypto.Signer).Public()
	return jose.JSONWebKey{Key: key, KeyID: s.kid, Algorithm: string(s.algorithm), Use: "sig"}
}

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
var otherRSAKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })

func ecKey(curve elliptic.Curve) *ecdsa.PrivateKey {
	return must(ecdsa.GenerateKey(curve, rand.Reader))
}

func edKey() ed25519.PrivateKey {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return must(key, err)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newProvider(t testing.TB) *provider {
	t.Helper()
	p := &provider{raw: map[string]string{}, count: map[string]int{}, code: "code-" + random(), signer: signer{jose.RS256, rsaKey(), "key-1"}}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	p.keys = []jose.JSONWebKey{p.signer.public()}
	p.metadata = map[string]any{
		"issuer":                                p.URL,
		"authorization_endpoint":                p.URL + "/authorize",
		"token_endpoint":                        p.URL + "/token",
		"jwks_uri":                              p.URL + "/jwks",
		"userinfo_endpoint":                     p.URL + "/userinfo",
		"revocation_endpoint":                   p.URL + "/revoke",
		"device_authorization_endpoint":         p.URL + "/device_authorization",
		"scopes_supported":                      []string{"openid", "email", "offline_access"},
		"id_token_signing_alg_values_supported": []string{"RS256", "RS384", "PS256", "ES256", "ES384", "EdDSA", "HS256", "none"},
		"code_challenge_methods_supported":      []string{"S256"},
	}
	now := time.Now()
	p.claims = map[string]any{
		"iss": p.URL, "sub": "ada", "aud": clientID, "email": "ada@example.com",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "auth_time": now.Unix(),
	}
	p.answer = map[string]any{
		"access_token": "access-" + random(), "refresh_token": "refresh-" + random(),
		"token_type": "Bearer", "expires_in": 3600,
	}
	p.codes = map[string]any{
		"device_code": "device-" + random(), "user_code": "WDJB-MJHT", "expires_in": 600, "interval": 1,
		"verification_uri": p.URL + "/device", "verification_uri_complete": p.URL + "/device?user_code=WDJB-MJHT",
	}
	return p
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.count[r.URL.Path]++
	if r.Method == http.MethodPost {
		r.ParseForm()
		p.form, p.head = r.PostForm, r.Header
	}
	raw, ok := p.raw[r.URL.Path]
	p.mu.Unlock()
	if ok {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		io.WriteString(conn, raw)
		return
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		writeJSON(w, p.metadata)
	case "/jwks":
		writeJSON(w, jose.JSONWebKeySet{Keys: p.keys})
	case "/token":
		p.serveToken(w, r)
	case "/device_authorization":
		p.serveDevice(w, r)
	case "/userinfo":
		writeJSON(w, map[string]any{"sub": "ada", "bearer": r.Header.Get("Authorization")})
	case "/revoke":
	default:
		http.NotFound(w, r)
	}
}

func (p *provider) serveToken(w http.ResponseWriter, r *http.Request) {
	if p.token != nil {
		p.token(w, r)
		return
	}
	answer := without(p.answer)
	switch {
	case p.idToken != nil:
		answer["id_token"] = p.idToken()
	case p.claims != nil:
		answer["id_token"] = sign(p.signer, without(p.claims))
	}
	writeJSON(w, answer)
}

func (p *provider) serveDevice(w http.ResponseWriter, r *http.Request) {
	if p.device != nil {
		p.device(w, r)
		return
	}
	writeJSON(w, without(p.codes))
}

// without is m without its nil values.
func without(m map[string]any) map[string]any {
	m = maps.Clone(m)
	maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil })
	return m
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

// reply is an endpoint that always answers the same.
func reply(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		w.Write([]byte(body))
	}
}

func sign(s signer, claims map[string]any) string {
	return signText(s, string(must(json.Marshal(claims))))
}

// signText signs whatever the payload is, under more headers: names and values in turn.
func signText(s signer, payload string, more ...any) string {
	options := (&jose.SignerOptions{}).WithType("JWT")
	if s.kid != "" {
		options = options.WithHeader("kid", s.kid)
	}
	for i := 0; i < len(more); i += 2 {
		options = options.WithHeader(jose.HeaderKey(more[i].(string)), more[i+1])
	}
	maker := must(jose.NewSigner(jose.SigningKey{Algorithm: s.algorithm, Key: s.key}, options))
	jws := must(maker.Sign([]byte(payload)))
	return must(jws.CompactSerialize())
}

// unsigned is a JWT with alg none, which go-jose doesn't make.
func unsigned(claims map[string]any) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none"}`)) + "." + encode(must(json.Marshal(without(claims)))) + "."
}

func (p *provider) http() *http.Client { return HTTPClient(p.Client().Transport) }

func (p *provider) client(t testing.TB) *Client {
	t.Helper()
	m, err := Discover(context.Background(), p.http(), p.URL, Endpoints{})
	if err != nil {
		t.Fatalf("Discover: %v", err)
	}
	return &Client{ID: clientID, HTTP: p.http(), Metadata: m}
}

func (p *provider) request() Request {
	return Request{RedirectURI: "http://127.0.0.1/callback", Scopes: []string{"openid", "email"}}
}

// visit is the browser: the ID token gets the nonce that the URL asks for.
func (p *provider) visit(a *Authorization) url.Values {
	asked := must(url.Parse(a.URL)).Query()
	if _, bent := p.claims["nonce"]; p.claims != nil && !bent {
		p.claims["nonce"] = asked.Get("nonce")
	}
	return url.Values{"code": {p.code}, "state": {asked.Get("state")}}
}

func (p *provider) login(t testing.TB, c *Client, r Request) (*Grant, error) {
	t.Helper()
	a, err := c.Authorize(r)
	if err != nil {
		t.Fatalf("Authorize: %v", err)
	}
	return a.Redeem(context.Background(), p.visit(a))
}

func (p *provider) counted(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count[path]
}

func atHash(accessToken string) string {
	sum := sha256.Sum256([]byte(accessToken))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// wantCheck: err is a *CheckError that says why.
func wantCheck(t testing.TB, err error, why string) {
	t.Helper()
	var check *CheckError
	if !errors.As(err, &check) || !strings.Contains(err.Error(), why) {
		t.Errorf("got %v (%T), want a CheckError with %q", err, err, why)
	}
}

func wantUnreachable(t testing.TB, err error, why string) {
	t.Helper()
	var unreachable *UnreachableError
	if !errors.As(err, &unreachable) || !strings.Contains(err.Error(), why) {
		t.Errorf("got %v (%T), want an UnreachableError with %q", err, err, why)
	}
}
