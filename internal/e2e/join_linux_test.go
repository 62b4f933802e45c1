package e2e

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/need"
	"github.com/authctl/authctl/internal/robot"
)

// morning is after a weekend: the provider no longer knows the session, and the browser
// hands what it is to open to the test.
type morning struct {
	*user
	p *idp.Server
	h *handoff
}

func newMorning(t *testing.T) *morning {
	t.Helper()
	u := newFileUser(t)
	p := u.signIn(idp.Options{})
	p.Set(func(o *idp.Options) { o.Modes["invalid-grant"] = true })
	if _, _, code := u.run("token", "--refresh"); code != 3 {
		t.Fatalf("the session still lives: exit %d", code)
	}
	p.Set(func(o *idp.Options) { delete(o.Modes, "invalid-grant") })
	browser, h := u.handoff()
	u.set("BROWSER=" + browser)
	return &morning{u, p, h}
}

// first starts a login, which opens the browser at asked.
func (m *morning) first(args ...string) (p *process, asked string) {
	m.t.Helper()
	p = m.start(nil, append([]string{"login"}, args...)...)
	return p, m.h.url(p)
}

// waits returns once p says that it waits for the sign-in of another.
func (m *morning) waits(p *process, other int) {
	m.t.Helper()
	pid := strconv.Itoa(other)
	p.stderr.await(m.t, `(?m)^Waiting for the sign-in that process `+pid+` has under way\. To end that: kill `+pid+`$`)
}

// followed starts one login, and then as many others, which wait for it.
func (m *morning) followed(n int, args ...string) (first *process, asked string, others []*process) {
	m.t.Helper()
	first, asked = m.first()
	others = m.crowd(n, args...)
	for _, p := range others {
		m.waits(p, first.cmd.Process.Pid)
	}
	return first, asked, others
}

// opened is how many of all have opened a browser.
func opened(all []*process) (n int) {
	for _, p := range all {
		n += strings.Count(p.stderr.String(), "Opening the browser")
	}
	return n
}

// leader is the one that has opened the browser.
func leader(t *testing.T, all []*process) *process {
	t.Helper()
	for _, p := range all {
		if opened([]*process{p}) > 0 {
			return p
		}
	}
	t.Fatal("nobody has opened a browser")
	return nil
}

// Twenty shells find their session over. One tab opens, and all have the new token.
func TestManySignInOnce(t *testing.T) {
	t.Parallel()
	m := newMorning(t)
	asked := m.p.Count("authorize")
	all := m.crowd(20, "token", "--login", "--refresh")
	address := m.h.url(all[0])
	first := leader(t, all)
	for _, p := range all {
		if p != first {
			m.waits(p, first.cmd.Process.Pid)
		}
	}
	visit(t, address)
	if token := alike(t, all, 0, "Signed in to "+m.p.Issuer()+" as "+account+".\n"); strings.Count(token, ".") != 2 {
		t.Errorf("stdout has %d characters, want a token", len(token))
	}
	if got := m.p.Count("authorize") - asked; opened(all) != 1 || got != 1 {
		t.Errorf("%d opened a browser, with %d requests, want 1 and 1", opened(all), got)
	}
}

// What a person refuses is refused for all who wait.
func TestJoinedSignInFails(t *testing.T) {
	t.Parallel()
	m := newMorning(t)
	first, asked, all := m.followed(5, "token", "--login", "--refresh")
	if _, err := robot.Visit(context.Background(), asked, robot.Options{Press: "cancel"}); err != nil {
		t.Fatal(err)
	}
	first.wait()
	said := first.stderr.String()
	said = said[strings.Index(said, "authctl: "):]
	if alike(t, append(all, first), 4, said); !strings.Contains(said, "access_denied") || opened(all) != 0 {
		t.Errorf("said %q, and %d opened a browser", said, opened(all))
	}
}

// Ctrl-C in one shell, or the kill that the others name, must not open a tab in each of
// those in turn. A kill -9 leaves no result: one of them signs in.
func TestJoinedSignInIsEnded(t *testing.T) {
	for _, tc := range signals {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := newMorning(t)
			first, _, all := m.followed(5, "login", "--json")
			first.cmd.Process.Signal(tc.signal)
			said := "authctl: the sign-in that this one waited for was "
			if got := alike(t, all, tc.code, said); got != "" || first.wait() != tc.code || opened(all) != 0 {
				t.Errorf("stdout %q, and %d opened a browser", got, opened(all))
			}
			for _, p := range all {
				checkWords(t, 1, p.stderr.String(), m.p.Secrets())
			}
		})
	}
	t.Run("SIGKILL", func(t *testing.T) {
		t.Parallel()
		m := newMorning(t)
		first, _, all := m.followed(5, "login", "--json")
		first.cmd.Process.Signal(syscall.SIGKILL)
		asked := m.h.url(all[0])
		next := leader(t, all)
		next.stderr.await(t, `That process is gone without a result: this one signs in\.`)
		for _, p := range all {
			if p != next {
				m.waits(p, next.cmd.Process.Pid)
			}
		}
		visit(t, asked)
		if alike(t, all, 0, "Signed in to "); opened(all) != 1 {
			t.Errorf("%d opened a browser, want 1", opened(all))
		}
	})
}

// Who waits can give up, and the other goes on, also one that is stopped for a while.
func TestWaitForASignInEnds(t *testing.T) {
	for _, tc := range []struct {
		name string
		args []string
		end  func(first, waiting *process)
		code int
		said string
	}{
		{"time runs out", []string{"--timeout", "1s"}, func(_, _ *process) {}, 6, "authctl: the sign-in that this one waited for did not end within 1s\n"},
		{"Ctrl-C", nil, func(_, waiting *process) { waiting.cmd.Process.Signal(syscall.SIGINT) }, 130, "authctl: interrupted\n"},
		{"the other is stopped", []string{"--timeout", "1s"}, func(first, _ *process) { first.cmd.Process.Signal(syscall.SIGSTOP) }, 6, "did not end within 1s\nhint: "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := newMorning(t)
			first, asked := m.first()
			waiting := m.start(nil, append([]string{"login"}, tc.args...)...)
			m.waits(waiting, first.cmd.Process.Pid)
			tc.end(first, waiting)
			if code := waiting.wait(); code != tc.code || !strings.Contains(waiting.stderr.String(), tc.said) {
				t.Errorf("got exit %d and %q, want %d and %q", code, waiting.stderr, tc.code, tc.said)
			}
			checkWords(t, tc.code, waiting.stderr.String(), m.p.Secrets())
			first.cmd.Process.Signal(syscall.SIGCONT)
			visit(t, asked)
			if code := first.wait(); code != 0 || opened([]*process{waiting}) != 0 {
				t.Errorf("the first: exit %d\n%s", code, first.stderr)
			}
		})
	}
}

// A process of another container is no process here, or another: it is not named.
func TestJoinedSignInIsInAnotherContainer(t *testing.T) {
	t.Parallel()
	need.Program(t, "unshare")
	if os.Getuid() != 0 {
		need.Missing(t, "root, to make a container")
	}
	m := newMorning(t)
	first, asked := m.first()
	second := m.begin(m.program("unshare", "--pid", "--fork", "--mount-proc", authctl, "login"), nil)
	second.stderr.await(t, `(?m)^Waiting for a sign-in that is under way out of sight, perhaps in another container .* To end that: Ctrl-C there$`)
	visit(t, asked)
	if alike(t, []*process{first, second}, 0, "Signed in to "); opened([]*process{second}) != 0 || strings.Contains(second.stderr.String(), "kill") {
		t.Errorf("it says\n%s", second.stderr)
	}
}

// What it is given and changes nothing is saved by the one that waits, as by any other.
func TestJoinedLoginSaves(t *testing.T) {
	t.Parallel()
	m := newMorning(t)
	first, asked := m.first()
	second := m.start(nil, "login", "--json", "--scope", "openid profile email", "--timeout", "2m")
	m.waits(second, first.cmd.Process.Pid)
	visit(t, asked)
	var summary struct{ Account, State string }
	if code := second.wait(); code != 0 || json.Unmarshal([]byte(second.stdout.String()), &summary) != nil {
		t.Fatalf("exit %d with %q\n%s", code, second.stdout, second.stderr)
	}
	if summary.Account != account || summary.State != "signed in" {
		t.Errorf("the summary: got %+v", summary)
	}
	config, err := os.ReadFile(filepath.Join(m.home, "config", "authctl", "config.toml"))
	if err != nil || !strings.Contains(string(config), `scopes = ["openid", "profile", "email"]`) {
		t.Errorf("the config: got %q, %v, want the scopes in it", config, err)
	}
}

// A sign-in that is asked for something else, keeps it elsewhere, or has another way to
// its person, is one of its own; and so is the first, for one like it.
func TestOtherSignInsDoNotJoin(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("a secret of many words"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := newMorning(t)
	first, asked := m.first()
	at := []string{"--issuer", m.p.Issuer(), "--client-id", "demo"}
	for _, tc := range []struct {
		name string
		args []string
	}{
		{"--prompt", []string{"--prompt", "login"}},
		{"--max-age", []string{"--max-age", "0"}},
		{"another scope", []string{"--scope", "openid"}},
		{"another parameter", []string{"--param", "ui=dark"}},
		{"another account", []string{"--login-hint", "grace"}},
		{"another class", []string{"--acr-values", "gold"}},
		{"a client secret to keep", []string{"--client-secret-file", secret}},
		{"another key file", []string{"--store", "file", "--store-key-file", filepath.Join(m.home, "other.key")}},
		{"another profile", append([]string{"--profile", "other"}, at...)},
		{"another config file", append([]string{"--config", filepath.Join(m.home, "other.toml")}, at...)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			second := m.start(nil, append([]string{"login"}, tc.args...)...)
			second.stderr.await(t, `Opening the browser`)
			if got := second.stderr.String(); strings.Contains(got, "Waiting for the sign-in that") {
				t.Errorf("it waits for the other:\n%s", got)
			}
			second.cmd.Process.Kill()
			second.wait()
		})
	}
	all := []*process{first}
	for _, way := range [][]string{nil, {"--no-browser"}, {"--paste"}, {"--device"}} { // to where no setting leads
		joined := m.start(nil, append([]string{"login"}, way...)...)
		m.waits(joined, first.cmd.Process.Pid)
		all = append(all, joined)
	}
	visit(t, asked)
	alike(t, all, 0, "Signed in to ")
}

// A profile that is removed while somebody signs in to it stays so, and nothing that came
// of the sign-in stays alive where nobody would find it.
func TestProfileIsRemovedDuringALogin(t *testing.T) {
	t.Parallel()
	u := newFileUser(t)
	p := u.signIn(idp.Options{})
	login, asked := u.login()
	u.must("profile", "remove", "default")
	before := p.Count("revoke")
	visit(t, asked)
	if code := login.wait(); code != 1 || !strings.Contains(login.stderr.String(), "it was removed while the sign-in was under way") {
		t.Errorf("login: exit %d, want 1 and the reason\n%s", code, login.stderr)
	}
	if p.Count("revoke") == before {
		t.Error("the new tokens are not revoked")
	}
	u.files(func(path string, _ []byte) {
		if strings.HasSuffix(path, "sealed") {
			t.Errorf("%s is left", path)
		}
	})
}
