package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/need"
)

// A multiplexer is a terminal of its own kind: it wraps the URL over its lines, and
// what is copied from there is pasted through its buffers.
func TestTmuxTakesAPastedURL(t *testing.T) {
	t.Parallel()
	need.Program(t, "tmux")
	u, p := newUser(t), demoProvider(t, idp.Options{})
	m := startTmux(u, authctl, "login", "--issuer", p.Issuer(), "--client-id", "demo", "--no-browser")
	var asked []string
	eventually(t, "the URL on tmux's screen", func() bool {
		asked = regexp.MustCompile(`(http://\S+[?&]response_type=code\S*)\s(?s:.*)paste the address`).FindStringSubmatch(m.screen())
		return asked != nil
	})
	back := padded(upToRedirect(t, asked[1]), 6000)
	eventually(t, "tmux's terminal not to echo", m.silent)
	m.do(back, "load-buffer", "-")
	m.do("", "paste-buffer", "-p")
	m.do("", "send-keys", "Enter")
	eventually(t, "the end of login", func() bool { return strings.Contains(m.screen(), "[exit ") })
	screen := m.screen()
	if !strings.Contains(screen, "[exit 0]") || !strings.Contains(screen, "Signed in") {
		t.Errorf("login failed:\n%s", screen)
	}
	if strings.Contains(screen, codeIn(t, back)) || strings.Contains(screen, "AAAA") {
		t.Error("the screen shows what was pasted")
	}
	if m.silent() {
		t.Error("the terminal doesn't echo any more")
	}
}

// tmux is a server with one session, 80 columns wide.
type tmux struct {
	u      *user
	socket string
}

// startTmux runs a command in it. The window stays when that has ended.
func startTmux(u *user, command ...string) *tmux {
	u.t.Helper()
	dir, err := os.MkdirTemp("", "tmux") // t.TempDir's may be too long for a socket
	if err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(func() { os.RemoveAll(dir) })
	m := &tmux{u, filepath.Join(dir, "s")}
	script := `"$@"; echo "[exit $?]"; exec cat`
	m.do("", append([]string{"-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "50", "sh", "-c", script, "sh"}, command...)...)
	u.t.Cleanup(func() { m.do("", "kill-server") })
	return m
}

// do gives tmux a command and returns what it prints.
func (m *tmux) do(stdin string, args ...string) string {
	m.u.t.Helper()
	cmd := m.u.program("tmux", append([]string{"-S", m.socket}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		m.u.t.Fatalf("tmux %s: %v\n%s", args[0], err, out)
	}
	return string(out)
}

// screen is what it shows, and what has left it at the top, wrapped lines joined.
func (m *tmux) screen() string { return m.do("", "capture-pane", "-p", "-J", "-S", "-") }

// silent reports whether the window's terminal doesn't echo.
func (m *tmux) silent() bool {
	m.u.t.Helper()
	device := strings.TrimSpace(m.do("", "display-message", "-p", "#{pane_tty}"))
	out, err := m.u.program("sh", "-c", fmt.Sprintf("stty -a < '%s'", device)).Output()
	if err != nil {
		m.u.t.Fatalf("stty: %v", err)
	}
	return strings.Contains(string(out), "-echo ")
}
