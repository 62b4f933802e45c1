package e2e

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/authctl/authctl/internal/idp"
)

// inTerminal is what runs in it: authctl, and before and after it the terminal's
// modes. The shell waits for Enter, and outlives a Ctrl-C, so that it can report. It
// stays: what was written last before a terminal is closed may be lost.
const inTerminal = `trap : INT; stty -g; read -r _; "$@"; echo "[exit $?]"; stty -g; echo "[end]"; read -r _`

// terminal is a pseudo-terminal in which authctl runs.
type terminal struct {
	t      testing.TB
	device *os.File
	screen *transcript
	modes  *term.State // before authctl started
}

// terminal starts authctl in one.
func (u *user) terminal(args ...string) *terminal {
	u.t.Helper()
	cmd := u.program("sh", append([]string{"-c", inTerminal, "sh", authctl}, args...)...)
	device, err := pty.Start(cmd)
	if err != nil {
		u.t.Fatal(err)
	}
	s := &terminal{t: u.t, device: device, screen: newTranscript()}
	read := make(chan struct{})
	go func() { io.Copy(s.screen, device); close(read) }() // ends when nothing has the terminal open
	u.t.Cleanup(func() {
		cmd.Process.Kill() // hangs up, which ends what still runs in it
		select {
		case <-read:
		case <-time.After(patience):
			u.t.Errorf("authctl doesn't end when its terminal does; the screen:\n%s", s.screen)
		}
		cmd.Wait()
		device.Close()
	})
	s.screen.await(u.t, `[0-9a-f:]+\r\n`)
	s.modes = s.now()
	s.typing("\r")
	return s
}

// address waits for the authorization URL on the screen.
func (s *terminal) address() string {
	s.t.Helper()
	return s.screen.await(s.t, `(http://\S+[?&]response_type=code\S*)\s`)[1]
}

// paste waits until the terminal doesn't echo any more, and types a line into it.
func (s *terminal) paste(line string) {
	s.t.Helper()
	eventually(s.t, "the terminal's modes to change", func() bool { return !reflect.DeepEqual(s.now(), s.modes) })
	s.typing(line + "\r")
}

func (s *terminal) typing(keys string) {
	s.t.Helper()
	if _, err := io.WriteString(s.device, keys); err != nil {
		s.t.Fatal(err)
	}
}

func (s *terminal) now() *term.State {
	s.t.Helper()
	state, err := term.GetState(int(s.device.Fd()))
	if err != nil {
		s.t.Fatal(err)
	}
	return state
}

// exit waits for authctl's end and returns its code. The terminal has to be as it was.
func (s *terminal) exit() int {
	s.t.Helper()
	got := s.screen.await(s.t, `(?s)^([0-9a-f:]+)\r\n.*\[exit (\d+)\]\r\n([0-9a-f:]+)\r\n\[end\]`)
	if got[1] != got[3] {
		s.t.Errorf("the terminal's modes were %s and now are %s", got[1], got[3])
	}
	code, err := strconv.Atoi(got[2])
	if err != nil {
		s.t.Fatal(err)
	}
	return code
}

// hides fails the test when one of the texts is on the screen.
func (s *terminal) hides(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		if strings.Contains(s.screen.String(), text) {
			s.t.Errorf("the screen shows %d characters that nobody should see", len(text))
		}
	}
}

func TestTerminalTakesAPastedURL(t *testing.T) {
	for _, tc := range []struct {
		name  string
		flags []string
		pad   int // more bytes in the URL
		wrap  func(string) string
	}{
		{"beside the listener", []string{"--no-browser"}, 0, asItIs},
		{"longer than a line can be", []string{"--no-browser"}, 9000, asItIs},
		{"as bracketed paste", []string{"--no-browser"}, 0, func(s string) string { return "\x1b[200~" + s + "\x1b[201~" }},
		{"without a listener", []string{"--paste"}, 0, asItIs},
		{"without a listener, long", []string{"--paste"}, 9000, asItIs},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			u, p := newUser(t), demoProvider(t, idp.Options{RedirectURIs: []string{"http://127.0.0.1/callback"}})
			s := u.terminal(append([]string{"login", "--issuer", p.Issuer(), "--client-id", "demo"}, tc.flags...)...)
			back := upToRedirect(t, s.address())
			s.paste(tc.wrap(padded(back, tc.pad)))
			if code := s.exit(); code != 0 {
				t.Fatalf("login: exit %d\n%s", code, s.screen)
			}
			s.hides(back, codeIn(t, back))
			s.hides(p.Secrets()...)
			if got := u.must("whoami", "--claim", "email"); got != account+"\n" {
				t.Errorf("whoami: got %q, want %q", got, account)
			}
		})
	}
}

func asItIs(s string) string { return s }

func TestTerminalAsksAgain(t *testing.T) {
	t.Parallel()
	u, p := newUser(t), demoProvider(t, idp.Options{})
	s := u.terminal("login", "--issuer", p.Issuer(), "--client-id", "demo", "--no-browser")
	back := upToRedirect(t, s.address())
	s.paste(regexp.MustCompile(`state=[^&]*`).ReplaceAllString(back, "state=another"))
	s.screen.await(t, `another sign-in's\. Paste the whole address`)
	s.paste(codeIn(t, back))
	s.screen.await(t, `a code without its URL can't be checked`)
	s.paste("http://127.0.0.1:1/elsewhere?state=x&code=y")
	s.screen.await(t, `the pasted text is not the redirect URL`)
	if got := p.Count("token"); got != 0 {
		t.Errorf("the token endpoint was asked %d times before the right paste, want 0", got)
	}
	s.paste(back)
	if code := s.exit(); code != 0 {
		t.Fatalf("login: exit %d\n%s", code, s.screen)
	}
	s.hides(back, codeIn(t, back), "elsewhere")
}

func TestTerminalCtrlC(t *testing.T) {
	for _, way := range []string{"--no-browser", "--paste"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			u, p, port := newUser(t), demoProvider(t, idp.Options{}), freePort(t)
			s := u.terminal("login", "--issuer", p.Issuer(), "--client-id", "demo", way,
				"--redirect-uri", "http://127.0.0.1:"+port+"/callback")
			s.address()
			s.paste("half a URL")
			s.typing("\x03")
			if code := s.exit(); code != 130 {
				t.Errorf("exit code: got %d, want 130\n%s", code, s.screen)
			}
			if !portFree(port) {
				t.Errorf("port %s is still taken", port)
			}
			if u.lookup("default") != "" {
				t.Error("a session was stored")
			}
			u.files(func(path string, content []byte) {
				if strings.HasSuffix(path, ".toml") {
					t.Errorf("%s was written:\n%s", path, content)
				}
			})
		})
	}
}

// Ctrl-D ends what is read, as the end of a pipe does: the listener goes on without.
func TestTerminalCtrlD(t *testing.T) {
	for _, tc := range []struct {
		way  string
		code int
		goOn func(t testing.TB, address string)
	}{
		{"--paste", 2, func(testing.TB, string) {}},
		{"--no-browser", 0, func(t testing.TB, address string) { visit(t, address) }},
	} {
		t.Run(tc.way, func(t *testing.T) {
			t.Parallel()
			u, p := newUser(t), demoProvider(t, idp.Options{})
			s := u.terminal("login", "--issuer", p.Issuer(), "--client-id", "demo", tc.way)
			address := s.address()
			s.paste("\x04")
			eventually(t, "the terminal to be as it was", func() bool { return reflect.DeepEqual(s.now(), s.modes) })
			tc.goOn(t, address)
			if code := s.exit(); code != tc.code {
				t.Errorf("exit code: got %d, want %d\n%s", code, tc.code, s.screen)
			}
			if ended := strings.Contains(s.screen.String(), "stdin ended without a redirect URL"); ended != (tc.code == 2) {
				t.Errorf("that stdin ended is said: %v\n%s", ended, s.screen)
			}
		})
	}
}

// The browser gets back by itself while the terminal waits for a paste.
func TestTerminalListenerWins(t *testing.T) {
	t.Parallel()
	u, p := newUser(t), demoProvider(t, idp.Options{})
	s := u.terminal("login", "--issuer", p.Issuer(), "--client-id", "demo", "--no-browser")
	address := s.address()
	eventually(t, "the terminal's modes to change", func() bool { return !reflect.DeepEqual(s.now(), s.modes) })
	s.typing("half a line")
	if page := visit(t, address); !strings.Contains(page.Title, account) {
		t.Errorf("the page's title: got %q, want it to name %s", page.Title, account)
	}
	if code := s.exit(); code != 0 {
		t.Errorf("login: exit %d\n%s", code, s.screen)
	}
	s.hides("half a line")
}

func TestTerminalAsksForIssuerAndClient(t *testing.T) {
	t.Parallel()
	u, p := newUser(t), demoProvider(t, idp.Options{})
	s := u.terminal("login", "--no-browser")
	s.screen.await(t, `Issuer \(the provider's URL\): `)
	s.typing(p.Issuer() + "\r")
	s.screen.await(t, `Client ID: `)
	s.typing("demo\r")
	visit(t, s.address())
	if code := s.exit(); code != 0 {
		t.Fatalf("login: exit %d\n%s", code, s.screen)
	}
	if got := u.must("profile", "show"); !strings.Contains(got, p.Issuer()) || !strings.Contains(got, "demo") {
		t.Errorf("the answers were not saved: profile show says %q", got)
	}
}

func TestPasteFromAPipe(t *testing.T) {
	for _, tc := range []struct {
		name  string
		paste func(back string) string
		code  int
	}{
		{"the redirect URL", func(back string) string { return back + "\n" }, 0},
		{"without a line end", asItIs, 0},
		{"after a wrong one", func(back string) string { return "http://127.0.0.1/callback?state=x\n" + back + "\n" }, 0},
		{"a bare code", func(back string) string { return regexp.MustCompile(`code=([^&]*)`).FindStringSubmatch(back)[1] }, 4},
		{"nothing", func(string) string { return "" }, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			u, p := newUser(t), demoProvider(t, idp.Options{})
			stdin, keyboard := pipe(t)
			login := u.start(stdin, "login", "--issuer", p.Issuer(), "--client-id", "demo", "--paste")
			asked := login.stderr.await(t, `(http://\S+[?&]response_type=code\S*)\s`)[1]
			if got, want := redirectURI(t, asked), "http://127.0.0.1/callback"; got != want {
				t.Errorf("redirect URI: got %q, want it as configured, %q", got, want)
			}
			back := upToRedirect(t, asked)
			io.WriteString(keyboard, tc.paste(back))
			keyboard.Close()
			if code := login.wait(); code != tc.code {
				t.Errorf("exit code: got %d, want %d\n%s", code, tc.code, login.stderr)
			}
			if strings.Contains(login.stderr.String(), codeIn(t, back)) {
				t.Error("the code is on stderr")
			}
		})
	}
}

// pipe is a pipe of the system's. The test may leave it open.
func pipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// upToRedirect signs ada in at the demonstration provider as a browser on another machine
// would, and returns the address on which that ends: here nobody follows it.
func upToRedirect(t testing.TB, address string) string {
	t.Helper()
	return upToRedirectAs(t, address, "ada", "analytical-engine")
}

func upToRedirectAs(t testing.TB, address, login, password string) string {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	page, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer page.Body.Close()
	body, err := io.ReadAll(page.Body)
	if err != nil {
		t.Fatal(err)
	}
	request := regexp.MustCompile(`name="request" value="([^"]+)"`).FindSubmatch(body)
	if request == nil {
		t.Fatalf("no sign-in page: %s", body)
	}
	action := page.Request.URL.ResolveReference(&url.URL{Path: "signin"})
	answer, err := client.PostForm(action.String(), url.Values{"request": {string(request[1])},
		"login": {login}, "password": {password}, "action": {"signin"}})
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	back, err := answer.Location()
	if err != nil {
		t.Fatalf("the provider answers %s: %v", answer.Status, err)
	}
	return back.String()
}

func codeIn(t testing.TB, back string) string {
	t.Helper()
	u, err := url.Parse(back)
	if err != nil || u.Query().Get("code") == "" {
		t.Fatalf("no code in the redirect: %v", err)
	}
	return u.Query().Get("code")
}

// padded makes a redirect URL longer, as some providers' codes do.
func padded(back string, bytes int) string {
	if bytes == 0 {
		return back
	}
	return back + "&padding=" + strings.Repeat("A", bytes)
}
