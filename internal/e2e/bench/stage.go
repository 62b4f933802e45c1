package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/keychaintest"
	"github.com/authctl/authctl/internal/need"
	"github.com/authctl/authctl/internal/robot"
)

// stage is a user with a home, a keychain and a provider that are gone afterwards.
type stage struct {
	*harness
	authctl string
	home    string
	env     []string
	issuer  string
}

func newStage() *stage { return &stage{harness: &harness{}} }

// prepare signs in twice, to a profile of each store, and returns what is to be timed
// and the size of the secret.
func (s *stage) prepare(authctl string) (duels []duel, size int) {
	need.Program(s, "dbus-daemon", "gnome-keyring-daemon", "secret-tool", "curl")
	s.authctl, s.home = authctl, s.TempDir()
	s.env = append([]string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", browserVar + "=1"}, keychaintest.Start(s, keychaintest.Unlocked)...)
	s.env = append(s.env, "HOME="+s.home, "XDG_CONFIG_HOME="+s.home+"/config", "XDG_STATE_HOME="+s.home+"/state")
	// A refresh token that stays good, so that curl can post the same form each time.
	s.issuer = s.provider(idp.Options{NoRotation: true})
	s.signIn()
	s.signIn("--profile", "file", "--store", "file", "--store-key-file", filepath.Join(s.home, "keys", "authctl"))

	lookup := s.command("secret-tool", "lookup", "service", "authctl", "username", "default")
	secret := s.output(lookup)
	var stored struct {
		RefreshToken string `json:"refresh_token"`
	}
	if err := json.Unmarshal([]byte(secret), &stored); err != nil || stored.RefreshToken == "" {
		s.Fatalf("the keychain holds no session: %v", err)
	}
	post := s.command("curl", "--silent", "--fail", "--data", "grant_type=refresh_token&client_id=demo&refresh_token="+stored.RefreshToken, s.issuer+"/token")
	return []duel{
		{"authctl token, keychain", "secret-tool lookup", s.command(authctl, "token"), lookup},
		{"authctl token, --store file", "secret-tool lookup", s.command(authctl, "token", "--profile", "file"), lookup},
		{"authctl token --refresh, keychain", "curl, the same form", s.command(authctl, "token", "--refresh"), post},
		{"authctl token --refresh, file", "curl, the same form", s.command(authctl, "token", "--refresh", "--profile", "file"), post},
	}, len(secret)
}

func (s *stage) provider(o idp.Options) (issuer string) {
	p := idp.New(o)
	issuer, err := p.Start()
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { p.Close() })
	return issuer
}

func (s *stage) signIn(flags ...string) {
	self, err := os.Executable()
	if err != nil {
		s.Fatal(err)
	}
	login := []string{s.authctl, "login", "--issuer", s.issuer, "--client-id", "demo", "--browser", "'" + self + "'"}
	s.output(s.command(append(login, flags...)...))
}

func (s *stage) command(args ...string) command { return command{args, s.env} }

// output runs a command that has to succeed.
func (s *stage) output(c command) string {
	out, err := c.run()
	if err != nil {
		s.Fatal(err)
	}
	return out
}

// browserVar, in its environment, makes this program a browser.
const browserVar = "AUTHCTL_BENCH_BROWSER"

func beBrowser(url string) (code int) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := robot.Visit(ctx, url, robot.Options{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
