package e2e

import (
	"image/color"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/boombuler/barcode/qr"
	"github.com/chromedp/chromedp"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/need"
)

// toOtherDevice is what a person reads off the screen.
func (s *transcript) toOtherDevice(t testing.TB) (address, code, complete string) {
	t.Helper()
	got := s.await(t, `(?s)\n  (http\S+)\n.*\n  ([A-Z-]+)\n.*\n  (http\S+)\n.*Waiting until`)
	return got[1], got[2], got[3]
}

// A provider that has never heard of authctl, and says no interval, and Chromium as the
// other device.
func TestDeviceAtPanva(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("a secret/with: signs%"), 0o600); err != nil { // as provider.mjs has it
		t.Fatal(err)
	}
	typed := func(w *window, address, code, _ string) {
		w.do(chromedp.Navigate(address), fill("input[name=user_code]", code), click("button[type=submit]"))
	}
	for _, tc := range []struct {
		name   string
		client []string
		goOn   func(w *window, address, code, complete string)
		press  string
		exit   int
	}{
		{"typed", []string{"native"}, typed, "button[autofocus]", 0},
		{"the complete address", []string{"native"}, func(w *window, _, _, complete string) { w.do(chromedp.Navigate(complete)) }, "button[autofocus]", 0},
		{"a confidential client", []string{"confidential", "--client-secret-file", secret}, typed, "button[autofocus]", 0},
		{"refused", []string{"native"}, typed, "button[name=abort]", 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p, w, u := panvaProvider(t), newWindow(t), newUser(t)
			login := u.start(nil, append([]string{"login", "--device", "--issuer", p.issuer, "--prompt", "consent", "--client-id"}, tc.client...)...)
			address, code, complete := login.stderr.toOtherDevice(t)
			tc.goOn(w, address, code, complete)
			w.do(chromedp.WaitVisible(chromedp.CSS("code")))
			if shown := read(w, chromedp.Text(chromedp.CSS("code"))); shown != code {
				t.Errorf("the page asks to compare %q, and authctl shows %q", shown, code)
			}
			w.do(click(tc.press))
			if tc.exit == 0 {
				w.acceptAtPanva()
			}
			if got := login.wait(); got != tc.exit {
				t.Fatalf("login: exit %d, want %d\n%s", got, tc.exit, login.stderr)
			}
			if tc.exit != 0 {
				if got := login.stderr.String(); !strings.Contains(got, "access_denied") || u.lookup("default") != "" {
					t.Errorf("a session was stored, or the reason isn't said:\n%s", got)
				}
				return
			}
			if got := u.must("whoami", "--claim", "email"); got != account+"\n" {
				t.Errorf("whoami: got %q, want %q", got, account)
			}
			before := u.kept()
			if u.must("token", "--refresh") == before.AccessToken+"\n" {
				t.Error("token --refresh brought the same token")
			}
			u.noFileHolds(before.secrets()...)
		})
	}
}

// What tmux shows is the QR code of the complete address, in black and white whatever
// the theme, and a large code.
func TestTmuxShowsAQRCode(t *testing.T) {
	t.Parallel()
	need.Program(t, "tmux")
	u, p := newUser(t), demoProvider(t, idp.Options{Interval: time.Second})
	m := startTmux(u, authctl, "login", "--device", "--issuer", p.Issuer(), "--client-id", "demo")
	eventually(t, "the wait on tmux's screen", func() bool { return strings.Contains(m.screen(), "Waiting until") })
	code := regexp.MustCompile(`(?m)^  ([A-Z]{4}-[A-Z]{4})$`).FindStringSubmatch(m.screen())
	if code == nil {
		t.Fatalf("no code on the screen:\n%s", m.screen())
	}
	address := p.Issuer() + "/device?user_code=" + code[1]
	want, err := qr.Encode(address, qr.L, qr.Auto)
	if err != nil {
		t.Fatal(err)
	}
	got, size := m.darkModules(), want.Bounds().Dx()
	for y := range size {
		for x := range size {
			if dark := want.At(x, y) == color.Black; got[[2]int{x, y}] != dark {
				t.Fatalf("the module at %d, %d: dark is %t, want %t, on\n%s", x, y, got[[2]int{x, y}], dark, m.screen())
			}
		}
	}
	visit(t, address)
	eventually(t, "the end of login", func() bool { return strings.Contains(m.screen(), "[exit 0]") })
	if screen := m.screen(); !strings.Contains(screen, "Signed in to "+p.Issuer()+" as "+account) {
		t.Errorf("login failed:\n%s", screen)
	}
}

// darkModules reads the QR code off the window: what stands there in black on white,
// four modules of light around it.
func (m *tmux) darkModules() map[[2]int]bool {
	m.u.t.Helper()
	shown := m.do("", "capture-pane", "-p", "-e")
	drawn := regexp.MustCompile("\x1b\\[38;5;16m\x1b\\[48;5;231m([^\x1b]*)\n").FindStringSubmatch(shown)
	if drawn == nil {
		m.u.t.Fatalf("nothing is black on white:\n%q", shown)
	}
	dark := map[[2]int]bool{}
	for i, line := range strings.Split(drawn[1], "\n") {
		for x, cell := range []rune(line) {
			dark[[2]int{x - 4, 2*i - 4}] = cell == '█' || cell == '▀'
			dark[[2]int{x - 4, 2*i - 3}] = cell == '█' || cell == '▄'
		}
	}
	return dark
}

// A link that can be clicked, a code that is large, and Ctrl-C, at a terminal.
func TestTerminalShowsACode(t *testing.T) {
	t.Parallel()
	u, p := newUser(t), demoProvider(t, idp.Options{Interval: time.Second})
	s := u.terminal("login", "--device", "--issuer", p.Issuer(), "--client-id", "demo")
	s.screen.await(t, `Waiting until .* Ctrl-C gives up`)
	shown := s.screen.String()
	code := regexp.MustCompile("\r\n(?:\x1b#6)?\x1b\\[1m  ([A-Z]{4}-[A-Z]{4})\x1b\\[0m\r\n").FindStringSubmatch(shown)
	if code == nil {
		t.Fatalf("no code in bold, alone on its line:\n%q", shown)
	}
	link := "\x1b]8;;" + p.Issuer() + "/device?user_code=" + code[1] + "\x1b\\" + p.Issuer() + "/device\x1b]8;;\x1b\\\r\n"
	if !strings.Contains(shown, link) {
		t.Errorf("no link to the complete address:\n%q", shown)
	}
	s.typing("\x03")
	if code := s.exit(); code != 130 {
		t.Errorf("exit code: got %d, want 130\n%s", code, s.screen)
	}
	if u.lookup("default") != "" {
		t.Error("a session was stored")
	}
}
