package wine

import (
	"bufio"
	"crypto/rand"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/authctl/authctl/internal/idp"
)

// On a console what is said is Unicode, whatever its code page: Go writes it so.
func TestConsoleIsUnicode(t *testing.T) {
	u := newUser(t, "")
	for _, page := range []string{"437", "1252"} {
		c := u.console(programs+`\person.exe`, "codepage", page, programs+`\authctl.exe`, "login", "--issuer", "https://a.example", "--client-id", "é’█")
		if code := c.end(); code != 2 || !strings.Contains(c.shown(), "é’█") {
			t.Errorf("code page %s: got exit code %d: %q", page, code, c.shown())
		}
	}
}

// Ctrl-C at the console ends a wait, for the browser and for a pasted address, at once.
func TestCtrlCEndsALogin(t *testing.T) {
	u := newUser(t, "")
	_, issuer := provider(t, idp.Options{})
	c := u.console(programs+`\authctl.exe`, "login", "--issuer", issuer, "--client-id", "demo", "--no-browser")
	await(t, "the wait", func() bool { return strings.Contains(c.shown(), "Waiting. If the browser") })
	c.press("\x03")
	if code := c.end(); code != 130 || !strings.Contains(c.shown(), "authctl: interrupted") {
		t.Errorf("got exit code %d, want 130: %q", code, c.shown())
	}
}

// A renewal that is under way is saved before Ctrl-C ends it: its refresh token is spent.
func TestCtrlCDuringARenewal(t *testing.T) {
	u := newUser(t, "")
	server, issuer := provider(t, idp.Options{TokenBytes: 3000})
	u.authctl(0, "login", "--issuer", issuer, "--client-id", "demo")
	first := u.authctl(0, "token").stdout
	server.Set(func(o *idp.Options) { o.Latency = 3 * time.Second })
	c := u.console(programs+`\authctl.exe`, "token", "--refresh", "--verbose")
	await(t, "the renewal", func() bool { return server.Count("token") == 2 })
	c.press("\x03")
	if code := c.end(); code != 130 {
		t.Errorf("got exit code %d, want 130: %q", code, c.shown())
	}
	if got := u.authctl(0, "token").stdout; got == first || server.Count("token") != 2 {
		t.Errorf("the renewal is not saved: %d requests", server.Count("token"))
	}
	u.authctl(0, "logout")
}

// What exec runs acts on Ctrl-C itself, and its exit code is passed on.
func TestCtrlCIsTheCommands(t *testing.T) {
	u := newUser(t, "")
	u.set("AUTHCTL_TOKEN=given")
	c := u.console(programs+`\authctl.exe`, "exec", "--", programs+`\person.exe`, "interrupted", "5")
	await(t, "the command", func() bool { return strings.Contains(c.shown(), "waiting for Ctrl-C") })
	c.press("\x03")
	if code := c.end(); code != 5 {
		t.Errorf("got exit code %d, want 5: %q", code, c.shown())
	}
}

// console is a terminal of Linux's, on which Wine shows its own.
type console struct {
	*exec.Cmd
	t        *testing.T
	keyboard io.Writer
	shown    func() string
	seen     func() // all that was shown
}

func (u *user) console(args ...string) *console {
	u.t.Helper()
	seen := u.home + `\seen-` + rand.Text()
	cmd := u.command("person", append([]string{"console", seen}, args...)...)
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 250})
	if err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(func() { f.Close() })
	return &console{cmd, u.t, f, gather(f), func() { u.write(seen, "") }}
}

func (c *console) press(keys string) {
	c.t.Helper()
	if _, err := io.WriteString(c.keyboard, keys); err != nil {
		c.t.Fatal(err)
	}
}

// end waits for the program and all that it shows, and is its exit code as Linux has it, of
// 8 bits.
func (c *console) end() int {
	c.t.Helper()
	await(c.t, "its end", func() bool { return strings.Contains(c.shown(), "It has ended.") })
	if strings.Contains(c.shown(), "The console's mode") {
		c.t.Errorf("it is left as it wasn't: %q", c.shown())
	}
	c.seen()
	c.Wait() // its code tells
	return c.ProcessState.ExitCode()
}

func gather(r io.Reader) func() string {
	var mu sync.Mutex
	var text strings.Builder
	go func() {
		for in := bufio.NewReader(r); ; {
			b, err := in.ReadByte()
			if err != nil {
				return
			}
			mu.Lock()
			text.WriteByte(b)
			mu.Unlock()
		}
	}()
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		return text.String()
	}
}

func await(t *testing.T, what string, there func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !there(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s never came", what)
		}
	}
}
