package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The command that login prints over SSH is run as it stands, on the machine that the
// person sits at: then the browser there comes back to the listener here.
func TestSSHBringsTheBrowserBack(t *testing.T) {
	t.Parallel()
	u := newFileUser(t)
	here, there := twoMachines(t, u)
	for _, tc := range []struct {
		name, host, port, redirectURI string
		want                          string // of the command, before user and host
	}{
		{"IPv4", hereIPv4, "22", "http://127.0.0.1/callback", `ssh -N -L (\d+):127\.0\.0\.1:\d+`},
		{"another port, localhost", hereIPv4, "2222", "http://localhost/callback", `ssh -N -L (\d+):127\.0\.0\.1:\d+ -p 2222`},
		{"IPv6", hereIPv6, "22", "http://[::1]/callback", `ssh -N -L "(\d+):\[::1\]:\d+"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ssh := there.ssh(here, tc.host, tc.port, authctl, "login", "--issuer", here.issuer, "--client-id", "demo", "--redirect-uri", tc.redirectURI)
			login := there.start(ssh[0], ssh[1:]...)
			login.stdout.await(t, `Over SSH: no browser is opened here; `)
			address := login.stdout.await(t, `(?m)^(http://\S+[?&]response_type=code\S*)\r$`)[1]
			command := login.stdout.await(t, `(?m)^  (`+tc.want+` root@`+tc.host+`)\r$`)
			forward := there.start("sh", "-c", "exec "+command[1])
			eventually(t, "the port on the other machine", func() bool {
				return slices.Contains(reachable(t, forward.cmd.Process.Pid), "127.0.0.1:"+command[2])
			})
			if page := there.output(demoIDP, "click", address); !strings.Contains(page, account) {
				t.Errorf("the browser: got %q, want the account", page)
			}
			if code := login.wait(); code != 0 {
				t.Errorf("login: exit %d\n%s", code, login.stdout)
			}
			forward.cmd.Process.Kill()
			<-forward.done
		})
	}
}

// The ways that need no tunnel, from a tmux on the machine that the person sits at. The
// tokens are in the keychain of the one that they have reached.
func TestSSHInTmux(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	here, there := twoMachines(t, u)
	paste := func(m *tmux) {
		address := m.shows(`(http://\S+[?&]response_type=code\S*)\s`)[1]
		back := padded(there.upToRedirect(address), 6000)
		eventually(t, "the terminal not to echo", m.silent)
		m.do(back, "load-buffer", "-")
		m.do("", "paste-buffer", "-p")
		m.do("", "send-keys", "Enter")
	}
	for _, tc := range []struct {
		profile string
		flags   []string
		goOn    func(m *tmux)
	}{
		{"pasted", nil, paste},
		{"pasted-alone", []string{"--paste"}, paste},
		{"passphrase", []string{"--store", "file", "--store-timeout", "1m"}, func(m *tmux) {
			for _, question := range []string{"Choose a passphrase", "The same again"} {
				m.shows(question)
				eventually(t, "the terminal not to echo", m.silent)
				m.do("", "send-keys", "correct horse battery staple", "Enter")
			}
			paste(m)
		}},
		{"another-device", []string{"--device"}, func(m *tmux) {
			said := m.shows(`(http://\S+/device)\s+and enter this code:\s+(\S+)\s`)
			there.output(demoIDP, "click", said[1]+"?user_code="+said[2])
		}},
	} {
		t.Run(tc.profile, func(t *testing.T) {
			login := append([]string{authctl, "login", "--profile", tc.profile, "--issuer", here.issuer, "--client-id", "demo"}, tc.flags...)
			m := there.tmux(there.ssh(here, hereIPv4, "22", login...))
			tc.goOn(m)
			m.shows(`Signed in to \S+ as ` + regexp.QuoteMeta(account))
			m.shows(`\[exit 0\]`)
			if got := u.must("whoami", "--profile", tc.profile, "--claim", "email"); got != account+"\n" {
				t.Errorf("whoami: got %q, want %q", got, account)
			}
		})
	}
}

// The connection is lost: the login that waits at its other end ends too.
func TestSSHConnectionIsLost(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	here, there := twoMachines(t, u)
	m := there.tmux(there.ssh(here, hereIPv4, "22", authctl, "login", "--issuer", here.issuer, "--client-id", "demo"))
	m.shows(`response_type=code`)
	if !runsAuthctl(here.issuer) {
		t.Fatal("the login is not among the processes")
	}
	m.do("", "respawn-pane", "-k", "cat")
	eventually(t, "the login to end", func() bool { return !runsAuthctl(here.issuer) })
	if u.lookup("default") != "" {
		t.Error("a session was stored")
	}
}

// tmux runs a command on the machine, in a tmux.
func (h *host) tmux(command []string) *tmux {
	h.u.t.Helper()
	return startTmux(h.u, h.command(command[0], command[1:]...).Args...)
}

// shows waits for a text on tmux's screen.
func (m *tmux) shows(pattern string) []string {
	m.u.t.Helper()
	var found []string
	eventually(m.u.t, pattern+" on tmux's screen", func() bool {
		found = regexp.MustCompile(pattern).FindStringSubmatch(m.screen())
		return found != nil
	})
	return found
}

// runsAuthctl reports whether an authctl runs with that argument.
func runsAuthctl(arg string) bool {
	programs, _ := filepath.Glob("/proc/[0-9]*/exe")
	return slices.ContainsFunc(programs, func(program string) bool {
		path, _ := os.Readlink(program) // it may have ended
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(program), "cmdline"))
		return path == authctl && strings.Contains(string(line), "\x00"+arg+"\x00")
	})
}
