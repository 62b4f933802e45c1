package e2e

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/need"
)

// nobody is another user of this machine.
const nobody = 65534

// asNeighbour runs f with that user's rights. What f starts has them too.
func asNeighbour(t testing.TB, f func()) {
	t.Helper()
	onOwnThread(t, becomeNobody, f)
}

// onOwnThread runs f on a thread that root's rights have changed. What f starts inherits
// the change; nothing else notices it.
func onOwnThread(t testing.TB, change func() error, f func()) {
	t.Helper()
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		if err = change(); err == nil {
			f()
		}
	}()
	<-done
	switch {
	case errors.Is(err, fs.ErrPermission):
		need.Missing(t, "root, to be another user or to have a network of its own")
	case err != nil:
		t.Fatal(err)
	}
}

// becomeNobody changes this thread alone, as the kernel can and package syscall doesn't.
func becomeNobody() error {
	for _, call := range []uintptr{syscall.SYS_SETGROUPS, syscall.SYS_SETRESGID, syscall.SYS_SETRESUID} {
		args := [3]uintptr{nobody, nobody, nobody}
		if call == syscall.SYS_SETGROUPS {
			args = [3]uintptr{} // no other groups
		}
		if _, _, errno := syscall.RawSyscall(call, args[0], args[1], args[2]); errno != 0 {
			return errno
		}
	}
	return nil
}

// watched is a login of ada's, who is signed in already, with the authorization URL that
// another user has found in the process list: it is there while the browser's command runs.
func (u *user) watched(p *idp.Server) (login *process, asked string) {
	u.t.Helper()
	u.signInAt(p)
	u.scripts(map[string]string{"slow": "while [ -e ~/lives ]; do sleep 0.05; done"})
	u.file("lives")
	login = u.start(nil, "login", "--browser", "slow")
	eventually(u.t, "the URL in the process list", func() bool {
		asNeighbour(u.t, func() { asked = inProcessList("/slow", p.Issuer()+"/authorize?") })
		return asked != ""
	})
	return login, asked
}

// inProcessList is an argument of a running program's, by how it begins.
func inProcessList(program, prefix string) string {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		line, _ := os.ReadFile(file) // it may have ended
		_, args, _ := strings.Cut(string(line), program+"\x00")
		for arg := range strings.SplitSeq(args, "\x00") {
			if strings.HasPrefix(arg, prefix) {
				return arg
			}
		}
	}
	return ""
}

// Another user opens the URL and signs in with an account of their own. So the login is
// theirs, which terminal and page say, but they have no token of it.
func TestNeighbourFinishesTheSignIn(t *testing.T) {
	t.Parallel()
	u, p := newUser(t), demoProvider(t, idp.Options{})
	login, asked := u.watched(p)
	page := visitAs(t, asked, "grace", "nanoseconds")
	if code := login.wait(); code != 0 {
		t.Fatalf("login: exit %d\n%s", code, login.stderr)
	}
	const change = "The account was ada@example.com and is now grace@example.com."
	if said := login.stderr.String(); !strings.Contains(said, " as grace@example.com.\n"+change+"\n") {
		t.Errorf("stderr: got\n%swant it to name both accounts", said)
	}
	if page.Title != "Signed in as grace@example.com" || !strings.Contains(page.Text, change) {
		t.Errorf("the page: got %q, %q, want both accounts", page.Title, page.Text)
	}
	if got := u.must("whoami", "--claim", "email"); got != "grace@example.com\n" {
		t.Errorf("whoami: got %q", got)
	}
	for _, secret := range p.Secrets() {
		if strings.Contains(page.Text, secret) || strings.Contains(asked, secret) {
			t.Errorf("another user has seen a secret of %d characters", len(secret))
		}
	}
}

// The code goes through the browser, which here is another user's. Without the verifier,
// which never leaves authctl, it redeems nothing: RFC 7636.
func TestNeighbourCannotRedeemTheCode(t *testing.T) {
	t.Parallel()
	u, p := newUser(t), demoProvider(t, idp.Options{})
	login, asked := u.watched(p)
	for name, verifier := range map[string]string{"none": "", "a guess": strings.Repeat("v", 43), "the challenge": parameter(t, asked, "code_challenge")} {
		form := url.Values{"grant_type": {"authorization_code"}, "client_id": {"demo"}, "redirect_uri": {redirectURI(t, asked)}}
		form.Set("code", codeIn(t, upToRedirectAs(t, asked, "grace", "nanoseconds")))
		if verifier != "" {
			form.Set("code_verifier", verifier)
		}
		if status, body := post(t, p.Issuer()+"/token", form); status != http.StatusBadRequest || !strings.Contains(body, "invalid_grant") || strings.Contains(body, "access_token") {
			t.Errorf("a code with the verifier %s: got %d and %d bytes, want 400 invalid_grant", name, status, len(body))
		}
	}
	visit(t, asked)
	if code := login.wait(); code != 0 {
		t.Errorf("login: exit %d\n%s", code, login.stderr)
	}
}

// A code that was issued for another user's verifier, brought with the right state: the
// provider refuses it, the login ends, and who was signed in is so still.
func TestNeighbourBringsTheirOwnCode(t *testing.T) {
	t.Parallel()
	u, p := newUser(t), demoProvider(t, idp.Options{})
	login, asked := u.watched(p)
	verifier := strings.Repeat("v", 43)
	challenge := sha256.Sum256([]byte(verifier))
	back := upToRedirectAs(t, withParameter(t, asked, "code_challenge", base64.RawURLEncoding.EncodeToString(challenge[:])), "grace", "nanoseconds")
	visit(t, back)
	if code := login.wait(); code != 4 || !strings.Contains(login.stderr.String(), "invalid_grant") {
		t.Errorf("login: exit %d, want 4 and invalid_grant\n%s", code, login.stderr)
	}
	if got := u.must("whoami", "--claim", "email"); got != account+"\n" {
		t.Errorf("whoami: got %q, want %q", got, account)
	}
	u.must("token", "--refresh")
}

// Nothing that authctl keeps can be read by another user, in homes and on a session bus
// that let everybody in; nor what it has in memory and environment.
func TestNeighbourReadsNothing(t *testing.T) {
	t.Parallel()
	need.Program(t, "secret-tool")
	u := newUser(t)
	redirect := "https://localhost:" + freePort(t) + "/callback"
	p := u.signIn(idp.Options{RedirectURIs: []string{"http://127.0.0.1/callback", redirect}})
	u.signInAt(p, append(u.storeFlags("file"), "--profile", "filed", "--redirect-uri", redirect)...)
	shown := u.file("shown")
	letEverybodyIn(t, shown)
	letEverybodyIn(t, strings.TrimPrefix(u.variable("DBUS_SESSION_BUS_ADDRESS"), "unix:path="))

	var files []string
	u.files(func(path string, _ []byte) { files = append(files, path) })
	for _, want := range []string{"config.toml", "localhost.pem", "default.lock", "keys/authctl", "state/authctl/file/"} {
		if !slices.ContainsFunc(files, func(path string) bool { return strings.Contains(path, want) }) {
			t.Errorf("there is no %s, so this proves nothing: %q", want, files)
		}
	}
	login, _ := u.login()
	process := filepath.Join("/proc", strconv.Itoa(login.cmd.Process.Pid))
	for _, secret := range []string{"environ", "mem", "maps"} {
		files = append(files, filepath.Join(process, secret))
	}
	if u.lookup("default") == "" {
		t.Error("the keyring gives nothing to its owner")
	}
	asNeighbour(t, func() {
		for _, path := range files {
			if _, err := os.ReadFile(path); path != shown && !errors.Is(err, fs.ErrPermission) {
				t.Errorf("reading %s: %v, want it refused", path, err)
			}
		}
		for _, path := range []string{shown, filepath.Join(process, "cmdline")} {
			if _, err := os.ReadFile(path); err != nil {
				t.Errorf("reading what is for everybody: %v", err)
			}
		}
		if out, err := u.program("secret-tool", "lookup", "service", "authctl", "username", "default").Output(); err == nil || len(out) > 0 {
			t.Errorf("secret-tool: got %d bytes, %v, want nothing", len(out), err)
		}
	})
}

// A session bus that has ended leaves its name behind in the environment of what goes on,
// and in /tmp anybody can listen there next: to read what is stored, and to be given it.
func TestNeighbourListensAtTheBus(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.signIn(idp.Options{})
	everybodys, err := os.MkdirTemp("", "authctl-everybodys") // as /tmp is
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(everybodys) })
	if err := os.Chmod(everybodys, 0o777|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	var listener net.Listener
	asNeighbour(t, func() { listener, err = net.Listen("unix", filepath.Join(everybodys, "bus")) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	heard := make(chan []byte, 100)
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				close(heard)
				return
			}
			said, _ := io.ReadAll(client)
			heard <- said
		}
	}()
	own := u.variable("DBUS_SESSION_BUS_ADDRESS")
	address := "unix:path=" + listener.Addr().String()
	for _, address := range []string{address, address + ";" + own, "autolaunch:;" + address} {
		u.set("DBUS_SESSION_BUS_ADDRESS=" + address)
		for _, args := range [][]string{{"token"}, {"token", "--refresh"}, {"logout"}, {"login", "--browser", "true"}} {
			if stdout, stderr, code := u.run(args...); code != 5 || stdout != "" || !strings.Contains(stderr, "it isn't yours: user 65534 listens there") {
				t.Errorf("authctl %s: exit %d, want 5\n%s%s", args[0], code, stdout, stderr)
			}
		}
	}
	listener.Close()
	times := 0
	for said := range heard {
		times++
		if len(said) > 0 {
			t.Errorf("the other user was told %q", said)
		}
	}
	if times == 0 {
		t.Error("nobody connected, so this proves nothing")
	}
	u.set("DBUS_SESSION_BUS_ADDRESS=" + own)
	u.must("token")
}

// letEverybodyIn opens a file that tests keep closed, and the directories above it, up to
// the one that is everybody's.
func letEverybodyIn(t testing.TB, path string) {
	t.Helper()
	for {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode()&fs.ModeSticky != 0 || path == filepath.Dir(path) {
			return
		}
		if err := os.Chmod(path, info.Mode()|0o555); err != nil {
			t.Fatal(err)
		}
		path = filepath.Dir(path)
	}
}

// variable is one of the user's environment.
func (u *user) variable(name string) (value string) {
	for _, entry := range u.env {
		if v, ok := strings.CutPrefix(entry, name+"="); ok {
			value = v // the last one counts
		}
	}
	return value
}

func parameter(t testing.TB, address, name string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get(name)
}

func withParameter(t testing.TB, address, name, value string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}

func post(t testing.TB, address string, form url.Values) (status int, body string) {
	t.Helper()
	response, err := http.PostForm(address, form)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}
