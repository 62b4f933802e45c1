package e2e

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/need"
)

// twoMachines are one that authctl runs on, with a provider, and one that a person sits
// at, who reaches the first by SSH alone.
func twoMachines(t *testing.T, u *user) (here, there *host) {
	t.Helper()
	need.Program(t, sshd, "ssh", "ssh-keygen", "curl", "ip", "unshare", "nsenter", "mount")
	if os.Getuid() != 0 {
		need.Missing(t, "root, to have two machines")
	}
	here, there = newHost(u), newHost(u)
	here.wireTo(there)
	here.letIn()
	here.serveProvider()
	return here, there
}

const sshd = "/usr/sbin/sshd" // which has to be called by its whole path

// The addresses of the machine that authctl runs on, as the other one knows it.
const hereIPv4, hereIPv6 = "192.0.2.7", "2001:db8::7"

// host is a machine with a network and a root of its own. It is gone when the test ends.
type host struct {
	u      *user
	holder string // the process that keeps it, by its ID
	home   string // root's
	issuer string // of its provider; empty if it has none
}

func newHost(u *user) *host {
	u.t.Helper()
	home := u.t.TempDir()
	passwd := filepath.Join(home, "passwd")
	if err := os.WriteFile(passwd, []byte("root:x:0:0:root:"+home+":/bin/sh\nsshd:x:100:65534::/run/sshd:/bin/false\n"), 0o644); err != nil {
		u.t.Fatal(err)
	}
	const script = `mount --bind "$0" /etc/passwd && mount -t tmpfs authctl-test /run && mount -t tmpfs authctl-test /var/log &&
		ip link set lo up && echo up && exec cat`
	cmd := u.program("unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", script, passwd)
	open, _ := pipe(u.t)
	u.begin(cmd, open).stdout.await(u.t, "(?m)^up$")
	return &host{u: u, holder: strconv.Itoa(cmd.Process.Pid), home: home}
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

// letIn runs an SSH server on it, at both of the ports. What it starts has the user's
// environment, and of each variable the last value, where sshd would take the first.
func (h *host) letIn() {
	h.u.t.Helper()
	h.do("ssh-keygen -q -t ed25519 -N '' -f %s/host; mkdir /run/sshd", h.home)
	config := filepath.Join(h.home, "sshd_config")
	lines := fmt.Sprintf("Port 22\nPort 2222\nHostKey %s/host\nPidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nSetEnv", h.home)
	for _, v := range h.u.command().Environ() { // without what is overridden
		lines += ` "` + v + `"`
	}
	if err := os.WriteFile(config, []byte(lines+"\n"), 0o600); err != nil {
		h.u.t.Fatal(err)
	}
	server := h.start(sshd, "-D", "-e", "-f", config)
	eventually(h.u.t, "the SSH server", func() bool { return len(reachable(h.u.t, server.cmd.Process.Pid)) == 4 })
}

// serveProvider runs the demonstration's on it.
func (h *host) serveProvider() {
	h.u.t.Helper()
	h.issuer = h.start(demoIDP, "serve").stdout.await(h.u.t, `http://127\.0\.0\.1:\d+`)[0]
}

// ssh is the command line that logs in to the other machine from this one, by its address
// there. The provider is on the internet, so to speak: it is there on both machines.
func (h *host) ssh(other *host, address, port string, remote ...string) []string {
	h.u.t.Helper()
	provider := strings.TrimPrefix(other.issuer, "http://")
	_, providerPort, _ := strings.Cut(provider, ":")
	return append([]string{"ssh", "-tt", "-p", port, "-L", providerPort + ":" + provider, "root@" + address}, remote...)
}

// upToRedirect is the test's of that name, on this machine.
func (h *host) upToRedirect(address string) string {
	h.u.t.Helper()
	jar := filepath.Join(h.home, "cookies")
	page := h.output("curl", "-sS", "-L", "-c", jar, address)
	request := regexp.MustCompile(`name="request" value="([^"]+)"`).FindStringSubmatch(page)
	if request == nil {
		h.u.t.Fatalf("no sign-in page: %s", page)
	}
	at, err := url.Parse(address)
	if err != nil {
		h.u.t.Fatal(err)
	}
	form := url.Values{"request": {request[1]}, "login": {"ada"}, "password": {"analytical-engine"}, "action": {"signin"}}
	return h.output("curl", "-sS", "-b", jar, "-o", "/dev/null", "-w", "%{redirect_url}", "-d", form.Encode(),
		at.ResolveReference(&url.URL{Path: "signin"}).String())
}

// output runs a program on it that has to succeed, and returns what it says.
func (h *host) output(name string, args ...string) string {
	h.u.t.Helper()
	p := h.start(name, args...)
	if code := p.wait(); code != 0 {
		h.u.t.Fatalf("%s: exit %d\n%s", name, code, p.stderr)
	}
	return p.stdout.String()
}
