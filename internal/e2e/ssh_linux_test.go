package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/need"
)

// The command that login prints over SSH is run as it stands, on the machine that the
// person sits at: then the browser there comes back to the listener here.
func TestSSHBringsTheBrowserBack(t *testing.T) {
	t.Parallel()
	need.Program(t, "dropbear", "dropbearkey", "ssh", "ssh-keygen", "ip", "unshare", "nsenter", "mount")
	if os.Getuid() != 0 {
		need.Missing(t, "root, to have two machines")
	}
	u := newFileUser(t)
	here, there := newHost(u), newHost(u)
	here.wireTo(there)
	here.letIn(u)
	issuer := here.provider()
	for _, tc := range []struct {
		name, host, port, redirectURI string
		want                          string // of the command, before user and host
	}{
		{"IPv4", hereIPv4, "22", "http://127.0.0.1/callback", `ssh -N -L (\d+):127\.0\.0\.1:\d+`},
		{"another port, localhost", hereIPv4, "2222", "http://localhost/callback", `ssh -N -L (\d+):127\.0\.0\.1:\d+ -p 2222`},
		{"IPv6", hereIPv6, "22", "http://[::1]/callback", `ssh -N -L "(\d+):\[::1\]:\d+"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			provider := strings.TrimPrefix(issuer, "http://")
			remote := append([]string{"env"}, u.env...)
			remote = append(remote, authctl, "login", "--issuer", issuer, "--client-id", "demo", "--redirect-uri", tc.redirectURI)
			_, providerPort, _ := strings.Cut(provider, ":")
			// The provider is on the internet, so to speak: it is there on both machines.
			login := there.start("ssh", append([]string{"-tt", "-p", tc.port, "-L", providerPort + ":" + provider, "root@" + tc.host}, remote...)...)
			login.stdout.await(t, `Over SSH: no browser is opened here; `)
			address := login.stdout.await(t, `(?m)^(http://\S+[?&]response_type=code\S*)\r$`)[1]
			command := login.stdout.await(t, `(?m)^  (`+tc.want+` root@`+tc.host+`)\r$`)
			forward := there.start("sh", "-c", "exec "+command[1])
			eventually(t, "the port on the other machine", func() bool {
				return slices.Contains(reachable(t, forward.cmd.Process.Pid), "127.0.0.1:"+command[2])
			})
			click := there.start(demoIDP, "click", address)
			if code := click.wait(); code != 0 || !strings.Contains(click.stdout.String(), account) {
				t.Errorf("the browser: exit %d\n%s%s", code, click.stdout, click.stderr)
			}
			if code := login.wait(); code != 0 {
				t.Errorf("login: exit %d\n%s", code, login.stdout)
			}
			forward.cmd.Process.Kill()
			<-forward.done
		})
	}
}

// The addresses of the machine that authctl runs on, as the other one knows it.
const hereIPv4, hereIPv6 = "192.0.2.7", "2001:db8::7"

// host is a machine with a network and a root of its own. It is gone when the test ends.
type host struct {
	u      *user
	holder string // the process that keeps it, by its ID
	home   string // root's
}

func newHost(u *user) *host {
	u.t.Helper()
	home := u.t.TempDir()
	passwd := filepath.Join(home, "passwd")
	if err := os.WriteFile(passwd, []byte("root:x:0:0:root:"+home+":/bin/sh\n"), 0o644); err != nil {
		u.t.Fatal(err)
	}
	const script = `mount --bind "$0" /etc/passwd && mount -t tmpfs authctl-test /run && mount -t tmpfs authctl-test /var/log &&
		ip link set lo up && echo up && exec cat`
	cmd := u.program("unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", script, passwd)
	open, _ := pipe(u.t)
	u.begin(cmd, open).stdout.await(u.t, "(?m)^up$")
	return &host{u, strconv.Itoa(cmd.Process.Pid), home}
}

// command runs a program on it.
func (h *host) command(name string, args ...string) *exec.Cmd {
	return h.u.program("nsenter", append([]string{"--target", h.holder, "--net", "--mount", "--", name}, args...)...)
}

// start starts one, which ends with the test.
func (h *host) start(name string, args ...string) *process {
	h.u.t.Helper()
	silent, _ := pipe(h.u.t)
	return h.u.begin(h.command(name, args...), silent)
}

// do runs a script of the shell's on it.
func (h *host) do(script string, args ...any) {
	h.u.t.Helper()
	if out, err := h.command("sh", "-ec", fmt.Sprintf(script, args...)).CombinedOutput(); err != nil {
		h.u.t.Fatalf("%v\n%s", err, out)
	}
}

// wireTo connects two machines, and nobody else.
func (h *host) wireTo(other *host) {
	h.u.t.Helper()
	const up = "ip addr add %s/24 dev wire; ip addr add %s/64 dev wire nodad; ip link set wire up"
	h.do("ip link add wire type veth peer name wire netns %s", other.holder)
	h.do(up, hereIPv4, hereIPv6)
	other.do(up, "192.0.2.1", "2001:db8::1")
	// Each root has the key, the one to show and the other to know.
	h.do("ssh-keygen -q -t ed25519 -N '' -f %s/key; mkdir -m 700 %s/.ssh %s/.ssh; cp %s/key.pub %s/.ssh/authorized_keys", other.home, h.home, other.home, other.home, h.home)
	other.do("printf 'IdentityFile %s/key\\nStrictHostKeyChecking no\\nLogLevel ERROR\\n' > %s/.ssh/config", other.home, other.home)
}

// letIn runs an SSH server on it, at both of the ports.
func (h *host) letIn(u *user) {
	u.t.Helper()
	h.do("dropbearkey -t ed25519 -f %s/host >&2", h.home)
	server := h.start("dropbear", "-F", "-E", "-s", "-r", h.home+"/host", "-p", "22", "-p", "2222")
	eventually(u.t, "the SSH server", func() bool { return len(reachable(u.t, server.cmd.Process.Pid)) == 4 })
}

// provider runs the demonstration's on it, and returns its issuer.
func (h *host) provider() string {
	h.u.t.Helper()
	return h.start(demoIDP, "serve").stdout.await(h.u.t, `http://127\.0\.0\.1:\d+`)[0]
}
