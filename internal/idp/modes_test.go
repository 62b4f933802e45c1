package idp

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/authctl/authctl/internal/robot"
)

var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.PS256, jose.EdDSA}

// claims reads a JWT and says whether the provider's published key signed it.
func (c *client) claims(token any) (verified bool, claims map[string]any) {
	c.t.Helper()
	payload := strings.Split(token.(string), ".")[1]
	raw, err := decode(payload)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &claims); err != nil {
		c.t.Fatal(err)
	}
	_, body := c.get(c.issuer + "/jwks")
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(body), &set); err != nil {
		c.t.Fatal(err)
	}
	signed, err := jose.ParseSignedCompact(token.(string), algorithms)
	if err != nil {
		return false, claims
	}
	keys := set.Key(signed.Signatures[0].Header.KeyID)
	if len(keys) != 1 {
		return false, claims
	}
	_, err = signed.Verify(keys[0])
	return err == nil, claims
}

func TestIDToken(t *testing.T) {
	for _, alg := range algorithms {
		c := start(t, Options{Alg: string(alg)})
		tokens := c.signIn(nil)
		verified, claims := c.claims(tokens["id_token"])
		if !verified {
			t.Errorf("%s: the signature is wrong", alg)
		}
		for name, want := range map[string]any{"iss": c.issuer, "aud": "demo", "nonce": "the-nonce", "sub": "248289761001",
			"at_hash": leftHalf(string(alg), tokens["access_token"].(string)), "email": "ada@example.com"} {
			if claims[name] != want {
				t.Errorf("%s: %s: got %v, want %v", alg, name, claims[name], want)
			}
		}
		_, renewed := c.refresh(tokens["refresh_token"])
		if verified, claims := c.claims(renewed["id_token"]); !verified || claims["nonce"] != nil || claims["sub"] != "248289761001" {
			t.Errorf("%s: renewed: verified %t, got %v", alg, verified, claims)
		}
	}
}

func TestRotateKey(t *testing.T) {
	c := start(t, Options{Alg: "ES256"})
	before := c.signIn(nil)["id_token"]
	c.RotateKey()
	if verified, _ := c.claims(before); verified {
		t.Error("the retired key is still published")
	}
	if verified, _ := c.claims(c.signIn(nil)["id_token"]); !verified {
		t.Error("the new key is not published")
	}
}

// Each wrong ID token differs from the honest one in what its mode says.
func TestIDTokenModes(t *testing.T) {
	c := start(t, Options{Alg: "ES256"})
	for mode, test := range map[string]struct {
		verified bool
		wrong    func(claims map[string]any) bool
	}{
		"wrong-iss":        {true, func(m map[string]any) bool { return m["iss"] != c.issuer }},
		"wrong-aud":        {true, func(m map[string]any) bool { return m["aud"] != "demo" }},
		"wrong-azp":        {true, func(m map[string]any) bool { return m["azp"] == "another-client" }},
		"wrong-nonce":      {true, func(m map[string]any) bool { return m["nonce"] != "the-nonce" }},
		"no-nonce":         {true, func(m map[string]any) bool { return m["nonce"] == nil }},
		"no-sub":           {true, func(m map[string]any) bool { return m["sub"] == nil }},
		"no-exp":           {true, func(m map[string]any) bool { return m["exp"] == nil }},
		"expired-id-token": {true, func(m map[string]any) bool { return m["exp"].(float64) < m["iat"].(float64) }},
		"future-iat":       {true, func(m map[string]any) bool { return m["iat"].(float64) > m["exp"].(float64) }},
		"wrong-at-hash":    {true, func(m map[string]any) bool { return strings.HasPrefix(m["at_hash"].(string), "AAAA") }},
		"alg-none":         {false, honest},
		"alg-hmac":         {false, honest},
		"bad-signature":    {false, honest},
		"unknown-kid":      {false, honest},
	} {
		c.only(mode)
		verified, claims := c.claims(c.signIn(nil)["id_token"])
		if verified != test.verified || !test.wrong(claims) {
			t.Errorf("%s: verified %t, claims %v", mode, verified, claims)
		}
	}
}

func honest(claims map[string]any) bool { return claims["nonce"] == "the-nonce" }

// only switches one mode on and the others off.
func (c *client) only(mode string) {
	c.Set(func(o *Options) { o.Modes = map[string]bool{mode: true} })
}

func TestRenewalModes(t *testing.T) {
	c := start(t, Options{Alg: "ES256", Modes: map[string]bool{"other-sub": true, "other-iss": true}})
	tokens := c.signIn(nil)
	if _, claims := c.claims(tokens["id_token"]); claims["iss"] != c.issuer || claims["sub"] != "248289761001" {
		t.Errorf("the login: got %v", claims)
	}
	_, renewed := c.refresh(tokens["refresh_token"])
	if _, claims := c.claims(renewed["id_token"]); claims["iss"] == c.issuer || claims["sub"] != "somebody-else" {
		t.Errorf("the renewal: got %v", claims)
	}
}

func TestRedirectModes(t *testing.T) {
	c := start(t, Options{})
	for mode, wrong := range map[string]func(q url.Values) bool{
		"wrong-state":     func(q url.Values) bool { return q.Get("state") == "xthe-state" },
		"no-state":        func(q url.Values) bool { return !q.Has("state") },
		"no-iss":          func(q url.Values) bool { return !q.Has("iss") },
		"wrong-iss-param": func(q url.Values) bool { return q.Get("iss") != c.issuer },
		"no-code":         func(q url.Values) bool { return !q.Has("code") },
		"deny":            func(q url.Values) bool { return q.Get("error") == "access_denied" },
	} {
		c.only(mode)
		if q := c.visit(nil, robot.Options{}); !wrong(q) {
			t.Errorf("%s: got %v", mode, q)
		}
	}
}

func TestTokenEndpointModes(t *testing.T) {
	c := start(t, Options{})
	for mode, want := range map[string]struct {
		status int
		body   string // something in it
	}{
		"token-500":          {500, "Internal Server Error"},
		"token-429":          {429, "Too Many Requests"},
		"token-html":         {200, "<!doctype html>"},
		"token-huge":         {200, strings.Repeat("A", 10<<20)},
		"token-echo":         {400, "refresh_token=abc"},
		"token-redirect-307": {307, ""},
		"invalid-grant":      {400, `"error":"invalid_grant"`},
		"invalid-client":     {401, `"error":"invalid_client"`},
	} {
		c.only(mode)
		response, body, err := c.rawRefresh()
		if err != nil || response.StatusCode != want.status || !strings.Contains(body, want.body) {
			t.Errorf("%s: got %v, %.80q", mode, err, body)
		}
	}
	c.only("token-down")
	if _, _, err := c.rawRefresh(); err == nil {
		t.Error("token-down: it answered")
	}
	if got := c.Count("elsewhere"); got != 0 {
		t.Errorf("requests behind the redirect: got %d, want 0", got)
	}
}

func (c *client) rawRefresh() (*http.Response, string, error) {
	form := strings.NewReader(url.Values{"grant_type": {"refresh_token"}, "client_id": {"demo"}, "refresh_token": {"abc"}}.Encode())
	r, err := http.NewRequest(http.MethodPost, c.issuer+"/token", form)
	if err != nil {
		return nil, "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response, string(body), err
}

func TestAnswerModes(t *testing.T) {
	c := start(t, Options{})
	for mode, wrong := range map[string]func(a map[string]any) bool{
		"no-access-token": func(a map[string]any) bool { return a["access_token"] == nil },
		"mac-token":       func(a map[string]any) bool { return a["token_type"] == "mac" },
		"text-expires-in": func(a map[string]any) bool { return a["expires_in"] == "3600" },
		"past-expires-in": func(a map[string]any) bool { return a["expires_in"] == -3600.0 },
		"huge-expires-in": func(a map[string]any) bool { return a["expires_in"].(float64) > 1e18 },
	} {
		c.only(mode)
		if a := c.signIn(nil); !wrong(a) {
			t.Errorf("%s: got %v", mode, a)
		}
	}
}

func TestUnknownMode(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an unknown mode was taken")
		}
	}()
	New(Options{Modes: map[string]bool{"wrong-sate": true}})
}
