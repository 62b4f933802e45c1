package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/need"
	"github.com/authctl/authctl/internal/robot"
)

// The whole life of a session, at a provider that has never heard of authctl.
func TestSessionAtPanva(t *testing.T) {
	t.Parallel()
	need.Program(t, "secret-tool", "curl")
	p, w, u := panvaProvider(t), newWindow(t), newUser(t)
	login, asked := u.login("--issuer", p.issuer, "--client-id", "brief", "--prompt", "consent")
	w.atPanva(asked)
	w.lastPage()
	if code := login.wait(); code != 0 {
		t.Fatalf("login: exit %d\n%s", code, login.stderr)
	}
	before := u.kept()
	u.noFileHolds(before.secrets()...)
	if !p.active(t, "brief", before.RefreshToken) {
		t.Error("introspection doesn't know the refresh token")
	}

	time.Sleep(time.Until(before.Expiry)) // the provider's word for when it is over
	token := strings.TrimSpace(u.must("token"))
	after := u.kept()
	if token == before.AccessToken || token != after.AccessToken {
		t.Error("an expired token was not renewed, or the new one was not kept")
	}
	if after.RefreshToken == before.RefreshToken || p.active(t, "brief", before.RefreshToken) {
		t.Error("the refresh token was not rotated")
	}
	if got, want := u.must("whoami", "--claim", "sub"), "ada\n"; got != want {
		t.Errorf("whoami: got %q, want %q", got, want)
	}
	if got := u.must("curl", "-sS", p.issuer+"/me"); !strings.Contains(got, `"sub":"ada"`) {
		t.Errorf("the provider's userinfo says %q to the token", got)
	}

	last := u.kept()
	u.must("logout")
	if p.active(t, "brief", last.RefreshToken) || p.active(t, "brief", last.AccessToken) {
		t.Error("after logout introspection calls a token active")
	}
	if left := u.lookup("default"); left != "" {
		t.Error("after logout the keyring still has the session")
	}
	u.noFileHolds(append(before.secrets(), last.secrets()...)...)
	if _, _, code := u.run("token"); code != 3 {
		t.Errorf("token after logout: exit %d, want 3", code)
	}
}

func TestPanvaWithoutConsentGivesNoRefreshToken(t *testing.T) {
	t.Parallel()
	p, u := panvaProvider(t), newUser(t)
	login, asked := u.login("--issuer", p.issuer, "--client-id", "native")
	visit(t, asked)
	if code := login.wait(); code != 0 {
		t.Fatalf("login: exit %d\n%s", code, login.stderr)
	}
	got := login.stderr.String()
	if !regexp.MustCompile(` ends .* UTC`).MatchString(got) || !strings.Contains(got, "--prompt consent") {
		t.Errorf("stderr doesn't say when the session ends, or what helps:\n%s", got)
	}
	if _, stderr, code := u.run("token", "--refresh"); code != 3 {
		t.Errorf("token --refresh: exit %d, want 3\n%s", code, stderr)
	}
}

func TestPanvaDemandsASecret(t *testing.T) {
	t.Parallel()
	p, u := panvaProvider(t), newUser(t)
	secret := "a secret/with: signs%" // as provider.mjs has it
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	login, asked := u.login("--issuer", p.issuer, "--client-id", "confidential", "--client-secret-file", file, "--prompt", "consent")
	visit(t, asked)
	if code := login.wait(); code != 0 {
		t.Fatalf("login: exit %d\n%s", code, login.stderr)
	}
	first := u.must("token")
	if second := u.must("token", "--refresh"); second == first {
		t.Error("token --refresh brought the same token")
	}
	u.noFileHolds(secret)
	u.must("logout")
}

func TestPanvaGivesJWTsForAResource(t *testing.T) {
	t.Parallel()
	const resource = "https://api.example.com"
	p, u := panvaProvider(t), newUser(t)
	login, asked := u.login("--issuer", p.issuer, "--client-id", "native", "--resource", resource, "--prompt", "consent")
	visit(t, asked)
	if code := login.wait(); code != 0 {
		t.Fatalf("login: exit %d\n%s", code, login.stderr)
	}
	for _, args := range [][]string{{"token"}, {"token", "--refresh"}} {
		if got := audience(u.must(args...)); got != resource {
			t.Errorf("authctl %s: a token for %q, want %q", strings.Join(args, " "), got, resource)
		}
	}
}

// audience is a JWT's aud, empty for anything else.
func audience(token string) string {
	var claims struct{ Aud string }
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return ""
	}
	return claims.Aud
}

// visit signs ada in at either provider without a real browser.
func visit(t testing.TB, address string) *robot.Page {
	t.Helper()
	return visitAs(t, address, "ada", "analytical-engine")
}

func visitAs(t testing.TB, address, login, password string) *robot.Page {
	t.Helper()
	page, err := robot.Visit(context.Background(), address, robot.Options{
		Fill: map[string]string{"login": login, "password": password}, Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// tokens is what the keyring's item holds.
type tokens struct {
	AccessToken  string    `json:"access_token"`
	RefreshToken string    `json:"refresh_token"`
	IDToken      string    `json:"id_token"`
	Expiry       time.Time `json:"expires_at"`
}

func (s tokens) secrets() []string { return []string{s.AccessToken, s.RefreshToken, s.IDToken} }

// kept is the session that the keyring holds, read by another program than authctl.
func (u *user) kept() tokens {
	u.t.Helper()
	var got tokens
	if err := json.Unmarshal([]byte(u.lookup(u.named("default"))), &got); err != nil {
		u.t.Fatalf("the keyring's item of service authctl: %v", err)
	}
	if got.AccessToken == "" || got.RefreshToken == "" {
		u.t.Fatal("the keyring's item lacks a token")
	}
	return got
}

// lookup is a secret of authctl's in the user's keyring; empty when there is none.
func (u *user) lookup(name string) string {
	u.t.Helper()
	need.Program(u.t, "secret-tool")
	out, err := u.program("secret-tool", "lookup", "service", "authctl", "username", name).Output()
	if err != nil && len(out) > 0 {
		u.t.Fatalf("secret-tool: %v", err)
	}
	return string(out)
}

// active is what introspection (RFC 7662) says of a token.
func (p *panva) active(t testing.TB, clientID, token string) bool {
	t.Helper()
	response, err := http.PostForm(p.issuer+"/token/introspection", url.Values{"client_id": {clientID}, "token": {token}})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var got struct{ Active *bool }
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil || got.Active == nil {
		t.Fatalf("introspection answers %s: %v", response.Status, err)
	}
	return *got.Active
}
