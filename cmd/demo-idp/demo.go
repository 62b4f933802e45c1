package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/idp"
)

// accessTTL is just over the minute that authctl wants a token to have left, so
// that the audience sees a renewal after a few seconds.
const (
	accessTTL = 65 * time.Second
	pause     = 6 * time.Second
)

// demo runs the built authctl against a provider of its own and tells what is seen.
func demo(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (err error) {
	fs := flag.NewFlagSet("demo-idp demo", flag.ContinueOnError)
	fs.SetOutput(stderr)
	authctl := fs.String("authctl", "", "`path` of the built authctl; the one beside this program by default")
	robot := fs.Bool("robot", !hasPerson(), "press the provider's buttons by program, open no browser")
	if err := fs.Parse(args); err != nil {
		return err
	}
	provider := idp.New(idp.Options{ClientID: "demo", AccessTTL: accessTTL})
	issuer, err := provider.Start()
	if err != nil {
		return err
	}
	defer provider.Close()
	stage, err := newStage(*authctl, stdin, stdout, stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stage.clear()) }()
	s := &story{narrator: newNarrator(stdout), stage: stage, provider: provider, issuer: issuer, robot: *robot}
	return s.run(ctx)
}

// story is the demonstration under way.
type story struct {
	narrator
	stage    *stage
	provider *idp.Server
	issuer   string
	robot    bool
	token    string // the access token that was seen last
}

func (s *story) run(ctx context.Context) error {
	s.open()
	scenes := []func(context.Context) error{s.login, s.getToken, s.call, s.whoami, s.renew, s.logout, s.signedOut}
	for _, scene := range scenes {
		if err := scene(ctx); err != nil {
			return err
		}
	}
	s.tell("%s", s.paint(green, "That was all of it. The provider, its directory and what was stored are gone with the last line."))
	return nil
}

func (s *story) open() {
	s.tell("A provider for this demonstration has started at %s. What authctl keeps goes to\n%s, by AUTHCTL_CONFIG and AUTHCTL_STATE_DIR:\nnothing of yours is read or changed.", s.issuer, s.stage.dir)
	if s.robot {
		s.stage.stdin = nil // nobody to talk to
		s.tell("No display, so a small program takes the browser's part (--browser) and presses the\nbuttons of the same pages.")
		return
	}
	s.tell("Your browser will open at the provider's sign-in page. Name and password are filled\nin: press “Sign in”.")
}

// login tries the keychain first, as authctl does unless told otherwise. Whether there
// is one that can be used is known by its exit code, before a browser opens.
func (s *story) login(ctx context.Context) error {
	args := []string{"login", "--issuer", s.issuer, "--client-id", "demo"}
	if s.robot {
		args = append(args, "--browser", s.clicker())
	} else {
		args = append(args, "--timeout", "3m")
	}
	s.tell("Signing in: the code flow with PKCE, through the browser and back to a loopback port.")
	code, err := s.authctl(ctx, s.stage.stdout, args...)
	if code == 5 && err == nil {
		s.tell("There is no keychain that can be used here. A sealed file serves as well; its key lies\nin a file that is named, outside of authctl's own directory.")
		code, err = s.authctl(ctx, s.stage.stdout, append(args, "--store", "file", "--store-key-file", filepath.Join(s.stage.dir, "key"))...)
	} else if code == 0 && err == nil {
		s.note("the session is in your keychain, under a name of its own, until the end of this demonstration")
	}
	return expect(0, code, err)
}

// clicker is this program as a browser's command.
func (s *story) clicker() string {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	if strings.Contains(self, " ") {
		self = `"` + self + `"`
	}
	return self + " click"
}

func (s *story) getToken(ctx context.Context) error {
	s.tell("From now on a script has a token whenever it asks.")
	return s.takeToken(ctx)
}

func (s *story) takeToken(ctx context.Context) error {
	var out bytes.Buffer
	code, err := s.authctl(ctx, &out, "token")
	if err := expect(0, code, err); err != nil {
		return err
	}
	s.token = strings.TrimSpace(out.String())
	fmt.Fprintln(s.out, shortened(s.token))
	return nil
}

// call fetches the protected page, by the system's curl where there is one.
func (s *story) call(ctx context.Context) error {
	page := s.issuer + "/api/hello"
	if _, err := exec.LookPath("curl"); err != nil {
		s.tell("The provider has a page that wants a token. There is no curl here, so this program\nsends it: Authorization: Bearer $(authctl token)")
		status, body, err := s.fetch(ctx, page)
		if err != nil || status != http.StatusOK {
			return fmt.Errorf("the protected page answered %d: %w", status, err)
		}
		fmt.Fprint(s.out, body)
		return nil
	}
	s.tell("The provider has a page that wants a token. authctl hands it to curl out of sight: it\nstands in no argument list.")
	code, err := s.authctl(ctx, s.stage.stdout, "curl", "-sS", "--fail-with-body", page)
	return expect(0, code, err)
}

// fetch gets a page with the token that was seen last.
func (s *story) fetch(ctx context.Context, page string) (status int, body string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	return response.StatusCode, string(b), err
}

func (s *story) whoami(ctx context.Context) error {
	s.tell("Who is signed in comes from the ID token, which was verified at login. No network.")
	code, err := s.authctl(ctx, s.stage.stdout, "whoami")
	return expect(0, code, err)
}

// renew waits until less than a minute is left, and asks again.
func (s *story) renew(ctx context.Context) error {
	s.tell("Tokens live %d seconds here, and authctl renews one that has less than 60 left.\nWaiting %d seconds, then the same command again.", accessTTL/time.Second, pause/time.Second)
	select {
	case <-time.After(pause):
	case <-ctx.Done():
		return errInterrupted
	}
	old := s.token
	if err := s.takeToken(ctx); err != nil {
		return err
	}
	if s.token == old {
		return errors.New("the token was not renewed")
	}
	s.note("another token; renewals that the provider has counted: %d", s.provider.Count("token/refresh_token"))
	return nil
}

func (s *story) logout(ctx context.Context) error {
	s.tell("Signing out revokes the tokens at the provider, then forgets them here.")
	code, err := s.authctl(ctx, s.stage.stdout, "logout")
	if err := expect(0, code, err); err != nil {
		return err
	}
	status, _, err := s.fetch(ctx, s.issuer+"/api/hello")
	if err != nil {
		return err
	}
	if status != http.StatusUnauthorized {
		return fmt.Errorf("the token still works after the logout: the page answered %d", status)
	}
	s.note("the token of before, tried at the protected page: %d %s", status, http.StatusText(status))
	return nil
}

func (s *story) signedOut(ctx context.Context) error {
	s.tell("Now there is no token to be had, and a script sees that by the exit code 3.")
	code, err := s.authctl(ctx, s.stage.stdout, "token")
	if err := expect(3, code, err); err != nil {
		return err
	}
	s.note("exit code 3, as it should be")
	return nil
}

// authctl shows a command line and runs it.
func (s *story) authctl(ctx context.Context, out io.Writer, args ...string) (int, error) {
	s.command(append([]string{"authctl"}, args...)...)
	return s.stage.run(ctx, out, args...)
}

func expect(want, code int, err error) error {
	if err == nil && code != want {
		return fmt.Errorf("authctl ended with %d where %d belongs", code, want)
	}
	return err
}
