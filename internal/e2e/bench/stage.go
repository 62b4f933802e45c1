package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
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
	authctl  string
	home     string
	env      []string
	provider *idp.Server
	secret   string // what the keychain holds of the profile "default"
}

func newStage() *stage { return &stage{harness: &harness{}} }

// prepare signs in to a profile of each store, "default" and "file", and to one that the
// kernel caches.
func (s *stage) prepare(authctl string) {
	need.Program(s, "dbus-daemon", "gnome-keyring-daemon", "secret-tool", "curl") // make test-deps brings them
	s.authctl, s.home = s.install(authctl), s.TempDir()
	s.env = append([]string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", browserVar + "=1"}, keychaintest.Start(s, keychaintest.Unlocked)...)
	s.env = append(s.env, "HOME="+s.home, "XDG_CONFIG_HOME="+s.home+"/.config", "XDG_STATE_HOME="+s.home+"/state")
	// A refresh token that stays good, so that curl can post the same form each time.
	s.provider = s.start(idp.Options{NoRotation: true})
	s.signIn(s.provider)
	s.signIn(s.provider, append(s.fileStore(), "--profile", "file")...)
	s.signIn(s.provider, "--profile", "kernel", "--kernel-cache")
	s.Cleanup(func() { s.command(s.authctl, "logout", "--profile", "kernel").output() })
	s.secret = s.output(s.lookup("default"))
}

// contests are what is to be timed.
func (s *stage) contests() []contest {
	own := func(name string, args ...string) *entrant {
		return &entrant{name: name, command: s.command(append([]string{s.authctl}, args...)...)}
	}
	programs := s.build("hello", "goring")
	reading := contest{
		reference: &entrant{name: "`secret-tool lookup`", command: s.lookup("default")},
		rivals: []*entrant{
			own("**`authctl token`, keychain**", "token"),
			own("**`authctl token`, `--store file`**", "token", "--profile", "file"),
			own("**`authctl token`, `--kernel-cache`**", "token", "--profile", "kernel"),
			{name: "go-keyring's `Get` alone", command: s.command(programs["goring"], "authctl", "default")},
			{name: "a Go program that says hello", command: s.command(programs["hello"])},
		},
	}
	if before, ok := s.installBefore(s.authctl); ok {
		reading.rivals = append(reading.rivals,
			&entrant{name: "`authctl token`, keychain, after a restart", command: s.command(before, "token")},
			&entrant{name: "`authctl token`, `--kernel-cache`, after a restart", command: s.command(before, "token", "--profile", "kernel")})
	}
	if agent, ok := s.oidcAgent(); ok {
		reading.rivals = append(reading.rivals, agent)
	}
	form := "grant_type=refresh_token&client_id=demo&refresh_token=" + refreshToken(s, s.secret)
	renewing := contest{
		reference: &entrant{name: "`curl`, the form of a renewal", command: s.command("curl", "--silent", "--fail", "--data", form, s.provider.Issuer()+"/token")},
		rivals: []*entrant{
			own("**`authctl token --refresh`, keychain**", "token", "--refresh"),
			own("**`authctl token --refresh`, `--store file`**", "token", "--refresh", "--profile", "file"),
		},
	}
	return []contest{reading, renewing}
}

func (s *stage) start(o idp.Options) *idp.Server {
	p := idp.New(o)
	if _, err := p.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { p.Close() })
	return p
}

func (s *stage) signIn(at *idp.Server, flags ...string) {
	self, err := os.Executable()
	if err != nil {
		s.Fatal(err)
	}
	login := []string{s.authctl, "login", "--issuer", at.Issuer(), "--client-id", "demo", "--browser", "'" + self + "'"}
	s.output(s.command(append(login, flags...)...))
}

func (s *stage) fileStore() (flags []string) {
	return []string{"--store", "file", "--store-key-file", filepath.Join(s.home, "keys", "authctl")}
}

func (s *stage) command(args ...string) command { return command{args, s.env} }

func (s *stage) lookup(name string) command {
	return s.command("secret-tool", "lookup", "service", "authctl", "username", name)
}

// output runs a command that has to succeed.
func (s *stage) output(c command) string {
	out, err := c.output()
	if err != nil {
		s.Fatal(err)
	}
	return out
}

// build builds and installs programs from beside this one, and returns where they are.
func (s *stage) build(names ...string) map[string]string {
	dir, built := s.TempDir(), map[string]string{}
	for _, name := range names {
		built[name] = filepath.Join(dir, name)
		cmd := exec.Command("go", "build", "-trimpath", "-buildmode=exe", "-ldflags", "-s -w", "-o", built[name],
			"github.com/authctl/authctl/internal/e2e/bench/"+name)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			s.Fatalf("go build: %v\n%s", err, out)
		}
		built[name] = s.install(built[name])
	}
	return built
}

// refreshToken is the one in a session as it is stored.
func refreshToken(s *stage, secret string) string {
	var stored struct {
		RefreshToken string `json:"refresh_token"`
	}
	if err := json.Unmarshal([]byte(secret), &stored); err != nil || stored.RefreshToken == "" {
		s.Fatalf("the keychain holds no session: %v", err)
	}
	return stored.RefreshToken
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
