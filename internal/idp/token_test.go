package idp

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/robot"
)

func TestCodeRedemption(t *testing.T) {
	c := start(t, Options{})
	for name, test := range map[string]struct {
		change map[string]string
		want   string // the error
	}{
		"honest":                {nil, ""},
		"no verifier":           {map[string]string{"code_verifier": ""}, "invalid_grant"},
		"another verifier":      {map[string]string{"code_verifier": strings.Repeat("x", 43)}, "invalid_grant"},
		"the challenge instead": {map[string]string{"code_verifier": challenge(verifier)}, "invalid_grant"},
		"another redirect URI":  {map[string]string{"redirect_uri": "http://127.0.0.1:2/callback"}, "invalid_grant"},
		"no redirect URI":       {map[string]string{"redirect_uri": ""}, "invalid_grant"},
		"an invented code":      {map[string]string{"code": "abc"}, "invalid_grant"},
		"another client":        {map[string]string{"client_id": "somebody"}, "invalid_client"},
		"a secret nobody has":   {map[string]string{"client_secret": "abc"}, "invalid_client"},
		"another grant type":    {map[string]string{"grant_type": "password"}, "unsupported_grant_type"},
	} {
		_, answer := c.post("token", c.exchange(c.visit(nil, robot.Options{}), test.change))
		if got, _ := answer["error"].(string); got != test.want {
			t.Errorf("%s: got error %q, want %q", name, got, test.want)
		}
	}
}

func TestFailedAttemptSpendsTheCode(t *testing.T) {
	c := start(t, Options{})
	response := c.visit(nil, robot.Options{})
	c.post("token", c.exchange(response, map[string]string{"code_verifier": strings.Repeat("x", 43)}))
	if _, answer := c.post("token", c.exchange(response, nil)); answer["error"] != "invalid_grant" {
		t.Errorf("got %v, want invalid_grant", answer)
	}
}

func TestCodeExpires(t *testing.T) {
	c := start(t, Options{CodeTTL: time.Minute})
	response := c.visit(nil, robot.Options{})
	c.Advance(time.Minute)
	if _, answer := c.post("token", c.exchange(response, nil)); answer["error"] != "invalid_grant" {
		t.Errorf("got %v, want invalid_grant", answer)
	}
}

func TestCodeReplayRevokes(t *testing.T) {
	c := start(t, Options{})
	response := c.visit(nil, robot.Options{})
	_, tokens := c.post("token", c.exchange(response, nil))
	if !c.active(tokens["access_token"]) {
		t.Fatal("the access token is dead before the replay")
	}
	if _, answer := c.post("token", c.exchange(response, nil)); answer["error"] != "invalid_grant" {
		t.Errorf("the replay got %v, want invalid_grant", answer)
	}
	for _, name := range []string{"access_token", "refresh_token"} {
		if c.active(tokens[name]) {
			t.Errorf("the %s survived the replay", name)
		}
	}
}

func TestRotation(t *testing.T) {
	c := start(t, Options{})
	first := c.signIn(nil)
	_, second := c.refresh(first["refresh_token"])
	_, third := c.refresh(second["refresh_token"])
	if third["refresh_token"] == second["refresh_token"] || c.hello(third["access_token"]) != http.StatusOK {
		t.Fatalf("renewal twice: got %v", third)
	}
	if status, answer := c.refresh(first["refresh_token"]); status != 400 || answer["error"] != "invalid_grant" {
		t.Errorf("reuse: got %d, %v", status, answer)
	}
	if _, answer := c.refresh(third["refresh_token"]); answer["error"] != "invalid_grant" {
		t.Errorf("the newest of a family after reuse: got %v, want invalid_grant", answer)
	}
	if got := c.hello(third["access_token"]); got != http.StatusUnauthorized {
		t.Errorf("the access token after reuse: got %d, want 401", got)
	}
	if got := c.Count("token/refresh_token"); got != 4 {
		t.Errorf("renewals counted: got %d, want 4", got)
	}
}

func TestTwoAtOnceKillTheFamily(t *testing.T) {
	c := start(t, Options{Latency: 50 * time.Millisecond})
	tokens := c.signIn(nil)
	answers := make(chan map[string]any, 2)
	for range 2 {
		go func() { _, a := c.refresh(tokens["refresh_token"]); answers <- a }()
	}
	refused := 0
	for range 2 {
		a := <-answers
		if a["error"] != nil {
			refused++
			continue
		}
		tokens = a
	}
	if refused != 1 {
		t.Errorf("refused: got %d of 2, want 1", refused)
	}
	if c.active(tokens["refresh_token"]) {
		t.Error("the family lives")
	}
}

func TestNoRotation(t *testing.T) {
	c := start(t, Options{NoRotation: true})
	tokens := c.signIn(nil)
	for range 2 {
		status, answer := c.refresh(tokens["refresh_token"])
		if status != http.StatusOK || answer["refresh_token"] != nil {
			t.Errorf("got %d, %v", status, answer)
		}
	}
}

func TestRenewalScope(t *testing.T) {
	c := start(t, Options{})
	for scope, want := range map[string]any{"openid": nil, "openid admin": "invalid_scope"} {
		tokens := c.signIn(nil)
		_, answer := c.post("token", url.Values{"grant_type": {"refresh_token"}, "client_id": {"demo"},
			"refresh_token": {tokens["refresh_token"].(string)}, "scope": {scope}})
		if answer["error"] != want {
			t.Errorf("%q: got %v, want error %v", scope, answer, want)
		}
	}
}

func TestRevocation(t *testing.T) {
	c := start(t, Options{})
	for name, test := range map[string]struct {
		revoke              string
		access, refreshable bool // what lives on
	}{
		"the refresh token takes all": {"refresh_token", false, false},
		"the access token goes alone": {"access_token", false, true},
		"an unknown token is fine":    {"unknown", true, true},
	} {
		tokens := c.signIn(nil)
		tokens["unknown"] = "abc"
		if status, _ := c.post("revoke", url.Values{"client_id": {"demo"}, "token": {tokens[test.revoke].(string)}}); status != http.StatusOK {
			t.Errorf("%s: got %d, want 200", name, status)
		}
		if c.active(tokens["access_token"]) != test.access || c.active(tokens["refresh_token"]) != test.refreshable {
			t.Errorf("%s: the wrong tokens live on", name)
		}
	}
	if status, _ := c.post("revoke", url.Values{"client_id": {"somebody"}, "token": {"abc"}}); status != http.StatusUnauthorized {
		t.Errorf("another client: got %d, want 401", status)
	}
}

func TestConfidentialClient(t *testing.T) {
	basic := func(secret string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth("demo", url.QueryEscape(secret)) }
	}
	c := start(t, Options{ConfidentialSecret: "s/cret +", AuthMethods: []string{"client_secret_basic", "client_secret_post"}})
	none := func(*http.Request) {}
	for name, test := range map[string]struct {
		form map[string]string
		edit func(*http.Request)
		want any
	}{
		"basic":           {nil, basic("s/cret +"), nil},
		"post":            {map[string]string{"client_secret": "s/cret +"}, none, nil},
		"no secret":       {nil, none, "invalid_client"},
		"a wrong one":     {nil, basic("wrong"), "invalid_client"},
		"a wrong one too": {map[string]string{"client_secret": "wrong"}, none, "invalid_client"},
		"both ways":       {map[string]string{"client_secret": "s/cret +"}, basic("s/cret +"), "invalid_request"},
	} {
		_, answer := c.post("token", c.exchange(c.visit(nil, robot.Options{}), test.form), test.edit)
		if answer["error"] != test.want {
			t.Errorf("%s: got %v, want error %v", name, answer["error"], test.want)
		}
	}
	c.Set(func(o *Options) { o.AuthMethods = []string{"client_secret_post"} })
	if _, answer := c.post("token", c.exchange(c.visit(nil, robot.Options{}), nil), basic("s/cret +")); answer["error"] != "invalid_client" {
		t.Errorf("basic where only post is offered: got %v", answer)
	}
}

func TestTokenOptions(t *testing.T) {
	for name, test := range map[string]struct {
		options      Options
		scope        string
		has, hasNot  []string
		access       string
		least        int
		dotsInAccess int
	}{
		"default":               {Options{}, "openid offline_access", []string{"id_token", "refresh_token", "expires_in"}, nil, "", 1, 2},
		"offline not asked for": {Options{}, "openid", nil, []string{"refresh_token"}, "", 1, 2},
		"always a refresh":      {Options{AlwaysRefresh: true}, "openid", []string{"refresh_token"}, nil, "", 1, 2},
		"never a refresh":       {Options{NoRefreshToken: true}, "openid offline_access", nil, []string{"refresh_token"}, "", 1, 2},
		"no openid":             {Options{}, "profile", nil, []string{"id_token"}, "", 1, 2},
		"no ID token":           {Options{NoIDToken: true}, "openid", nil, []string{"id_token"}, "", 1, 2},
		"no expires_in":         {Options{NoExpiresIn: true}, "openid", nil, []string{"expires_in"}, "", 1, 2},
		"opaque":                {Options{OpaqueAccess: true}, "openid", nil, nil, "", 43, 0},
		"large":                 {Options{TokenBytes: 64 << 10}, "openid offline_access", nil, nil, "", 64 << 10, 2},
		"chosen":                {Options{AccessToken: `a'b`}, "openid", nil, nil, `a'b`, 3, 0},
	} {
		tokens := start(t, test.options).signIn(map[string]string{"scope": test.scope})
		access := tokens["access_token"].(string)
		if got := slices.Sorted(maps.Keys(tokens)); slices.ContainsFunc(test.has, func(n string) bool { return !slices.Contains(got, n) }) ||
			slices.ContainsFunc(test.hasNot, func(n string) bool { return slices.Contains(got, n) }) {
			t.Errorf("%s: got the fields %v", name, got)
		}
		if len(access) < test.least || strings.Count(access, ".") != test.dotsInAccess || test.access != "" && access != test.access {
			t.Errorf("%s: got an access token of %d bytes: %.20q", name, len(access), access)
		}
	}
}

func TestResourcesAndAudience(t *testing.T) {
	c := start(t, Options{})
	for name, test := range map[string]struct {
		change map[string]string
		want   any
	}{
		"neither":  {nil, c.issuer},
		"audience": {map[string]string{"audience": "https://api.example"}, "https://api.example"},
		"resource": {map[string]string{"resource": "https://api.example/v1"}, []any{"https://api.example/v1"}},
	} {
		_, claims := c.claims(c.signIn(test.change)["access_token"])
		got, _ := json.Marshal(claims["aud"])
		want, _ := json.Marshal(test.want)
		if string(got) != string(want) {
			t.Errorf("%s: got aud %s, want %s", name, got, want)
		}
	}
}
