package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/keychaintest"
	"github.com/authctl/authctl/internal/leaktest"
)

// The built programs.
var authctl, demoIDP string

// patience is how long anything may take that takes a moment: the tests share the
// machine with each other.
const patience = time.Minute

func TestMain(m *testing.M) {
	if os.Getenv(browserVar) != "" { // authctl started us
		os.Exit(beBrowser(os.Args[1:]))
	}
	if os.Getenv(tracerVar) != "" { // a test did
		os.Exit(beTracer(os.Stdin, os.Stdout))
	}
	if place := os.Getenv(leakVar); place != "" { // to be found out
		os.Exit(beLeaky(place))
	}
	os.Exit(withPrograms(m.Run))
}

// withPrograms builds what is released, as it is released, and runs the tests on it.
func withPrograms(run func() int) int {
	dir, err := os.MkdirTemp("", "authctl-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	defer sharedProvider.stop()
	defer sharedChromium.stop()
	authctl, demoIDP = filepath.Join(dir, "authctl"+suffix()), filepath.Join(dir, "demo-idp"+suffix())
	makefile, err := os.ReadFile("../../Makefile")
	small := regexp.MustCompile(`(?m)^SMALL +:= (.*)$`).FindSubmatch(makefile)
	if err != nil || small == nil {
		fmt.Fprintln(os.Stderr, "no SMALL in the Makefile:", err)
		return 1
	}
	args := append([]string{"build", "-trimpath", "-ldflags", "-s -w -funcalign=16"}, strings.Fields(string(small[1]))...)
	args = append(args, "-o", dir, "../../cmd/authctl", "../../cmd/demo-idp")
	if runtime.GOOS == "linux" {
		args = append(args, "./tracee")
	}
	build := exec.Command("go", args...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return run()
}

// lookAtSources sees every file that the programs are made of, once a run. go test
// repeats an old result until something has changed that a test looked at, and what go
// build reads is not among that.
var lookAtSources = sync.OnceValue(func() error {
	for _, root := range []string{"../../cmd", "../../internal"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
				return err
			}
			_, err = os.Stat(path)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
})

func suffix() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

// user is somebody with a home and a keychain of their own. Nothing of whoever runs
// the tests is in their environment.
type user struct {
	t      testing.TB
	home   string
	env    []string
	config string // the file, where it isn't the usual one
	bus    *keychaintest.Bus
}

// newUser makes a user whose keychain is open. What is theirs goes with the test.
func newUser(t testing.TB) *user {
	t.Helper()
	return newUserWith(t, keychaintest.Open(t, keychaintest.Unlocked))
}

// newUserWith makes a user with the given keychain.
func newUserWith(t testing.TB, bus *keychaintest.Bus) *user {
	t.Helper()
	u := newUserWithout(t, bus.Env()...)
	u.bus = bus
	return u
}

// newFileUser makes a user without a keychain, whose secrets are in a sealed file.
func newFileUser(t testing.TB) *user {
	t.Helper()
	u := newUserWithout(t)
	u.set("AUTHCTL_STORE=file", "AUTHCTL_STORE_KEY_FILE="+filepath.Join(u.home, keyFile))
	return u
}

// keyFile is what opens a newFileUser's sealed file, in their home.
const keyFile = "store.key"

// newUserWithout makes a user with a home and nothing in it, and more variables.
func newUserWithout(t testing.TB, vars ...string) *user {
	t.Helper()
	if err := lookAtSources(); err != nil {
		t.Fatal(err)
	}
	u := &user{t: t}
	u.env = append(u.env, "PATH="+os.Getenv("PATH"), "LANG=C.UTF-8", "TZ=UTC", "TERM=xterm")
	u.env = append(u.env, vars...)
	u.set("TMPDIR=" + t.TempDir())
	u.moveTo(t.TempDir())
	return u
}

// moveTo gives the user a home, an empty directory.
func (u *user) moveTo(home string) {
	u.home = home
	u.set("HOME="+home,
		"XDG_CONFIG_HOME="+filepath.Join(home, "config"),
		"XDG_DATA_HOME="+filepath.Join(home, "data"),
		"XDG_STATE_HOME="+filepath.Join(home, "state"),
		"XDG_CACHE_HOME="+filepath.Join(home, "cache"))
}

// namesItsOwn has the config file be another than the usual one, at the same place, so
// that what is stored has names that no other test's has: see named.
func (u *user) namesItsOwn() {
	u.config = filepath.Join(u.home, "config", "authctl", "config.toml")
	u.set("AUTHCTL_CONFIG="+u.config, "XDG_CONFIG_HOME="+filepath.Join(u.home, "usual"))
}

// named is what a profile's session is stored as.
func (u *user) named(profile string) string {
	if u.config == "" {
		return profile
	}
	sum := sha256.Sum256([]byte(u.config))
	return profile + "@" + hex.EncodeToString(sum[:8])
}

// set adds variables to the user's environment, NAME=VALUE each.
func (u *user) set(vars ...string) { u.env = append(u.env, vars...) }

// command is authctl, not yet started, as the user runs it. It is killed when the
// test ends.
func (u *user) command(args ...string) *exec.Cmd { return u.program(authctl, args...) }

// program is the same for another program. None runs for ever.
func (u *user) program(name string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	u.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env, cmd.Dir = u.env, u.home
	cmd.WaitDelay = time.Second // a browser may hold what we read from
	return cmd
}

// run runs authctl to its end, with nothing on stdin.
func (u *user) run(args ...string) (stdout, stderr string, code int) {
	u.t.Helper()
	p := u.start(nil, args...)
	code = p.wait()
	return p.stdout.String(), p.stderr.String(), code
}

// must runs authctl, which has to succeed, and returns its stdout.
func (u *user) must(args ...string) string {
	u.t.Helper()
	stdout, stderr, code := u.run(args...)
	if code != 0 {
		u.t.Fatalf("authctl %s: exit %d\n%s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

// process is an authctl that runs.
type process struct {
	t              testing.TB
	cmd            *exec.Cmd
	stdout, stderr *transcript
	done           chan struct{} // closed when it has ended
	took           time.Duration // once done is closed
}

// start starts authctl with the given stdin: nil, a file, or a reader that ends.
func (u *user) start(stdin io.Reader, args ...string) *process {
	u.t.Helper()
	return u.begin(u.command(args...), stdin)
}

// begin starts any program so.
func (u *user) begin(cmd *exec.Cmd, stdin io.Reader) *process {
	u.t.Helper()
	p := &process{t: u.t, cmd: cmd, stdout: newTranscript(), stderr: newTranscript(), done: make(chan struct{})}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = stdin, p.stdout, p.stderr
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		u.t.Fatal(err)
	}
	go func() {
		p.cmd.Wait() // its exit code is in ProcessState
		p.took = time.Since(began)
		close(p.done)
	}()
	u.t.Cleanup(func() { p.cmd.Process.Kill(); <-p.done })
	return p
}

// wait returns the exit code, -1 for a process that a signal ended.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(2 * patience):
		p.t.Fatalf("authctl %s never ends; stderr:\n%s", strings.Join(p.cmd.Args[1:], " "), p.stderr)
		return 0
	}
}

// whenDone calls f if the process ends before stop is called.
func (p *process) whenDone(f func()) (stop func()) {
	stopped := make(chan struct{})
	go func() {
		select {
		case <-p.done:
			f()
		case <-stopped:
		}
	}()
	return func() { close(stopped) }
}

// files calls see with every file below the user's home.
func (u *user) files(see func(path string, content []byte)) {
	u.t.Helper()
	err := filepath.WalkDir(u.home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil {
			see(path, content)
		}
		return err
	})
	if err != nil {
		u.t.Fatal(err)
	}
}

// noFileHolds fails the test when a file of the user's holds one of the secrets.
func (u *user) noFileHolds(secrets ...string) {
	u.t.Helper()
	var known leaktest.Secrets
	known.Add("secret", secrets...)
	u.files(func(path string, content []byte) {
		if leaks := known.In(string(content)); len(leaks) > 0 {
			u.t.Errorf("%s: %v", path, leaks)
		}
	})
}

// demoProvider is the demonstration provider in the test's process, so that the test
// can count its requests and move its clock. It ends with the test.
func demoProvider(t testing.TB, o idp.Options) *idp.Server {
	t.Helper()
	server := idp.New(o)
	if _, err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server
}

// robotBrowser is a value for --browser that signs in without a real browser.
func robotBrowser() string { return "'" + demoIDP + "' click" }

// Ports are given from a block below those that systems give to whoever asks for any, so
// that nobody takes one before its user does. A block is the process's that has its first.
const firstPort, blockSize, blocks = 20000, 1000, 12

var portBlock = sync.OnceValues(func() (first net.Listener, err error) {
	for i := range blocks {
		if first, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(firstPort+i*blockSize))); err == nil {
			return first, nil
		}
	}
	return nil, fmt.Errorf("no block of ports is free: %w", err)
})

// lastPort is the one that freePort gave last.
var lastPort atomic.Int64

// freePort is a port of loopback that nobody listens on, another one each time.
func freePort(t testing.TB) string {
	t.Helper()
	block, err := portBlock()
	if err != nil {
		t.Fatal(err)
	}
	first := int64(block.Addr().(*net.TCPAddr).Port)
	lastPort.CompareAndSwap(0, first)
	for lastPort.Load() < first+blockSize-1 {
		if port := strconv.FormatInt(lastPort.Add(1), 10); portFree(port) {
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// portFree reports whether nobody listens on a port of any loopback address. To listen
// there oneself would be surer, and in the way: a program that another test starts at that
// moment has what is open here until it is itself.
func portFree(port string) bool {
	for _, host := range []string{"127.0.0.1", "::1"} {
		if conn, err := net.Dial("tcp", net.JoinHostPort(host, port)); err == nil {
			conn.Close()
			return false
		}
	}
	return true
}

// eventually waits for what can only be asked for, never announces itself.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
