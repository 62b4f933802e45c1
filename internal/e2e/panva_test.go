package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/need"
)

// panva is a running oidc-provider, shared by the tests: it starts once, with the
// first that needs it.
type panva struct {
	once  sync.Once
	cmd   *exec.Cmd
	stdin io.Closer // its end is the provider's
	err   error

	issuer    string
	httpsPort string // of the web client's redirect URI
}

var sharedProvider panva

// panvaProvider starts the provider unless it runs.
func panvaProvider(t testing.TB) *panva {
	t.Helper()
	node := nodeProgram(t)
	if _, err := os.Stat(filepath.Join("provider", "node_modules", "oidc-provider")); err != nil {
		need.Missing(t, "oidc-provider (npm)")
	}
	sharedProvider.once.Do(func() { sharedProvider.start(node, freePort(t)) })
	if sharedProvider.err != nil {
		t.Fatalf("panva's provider: %v", sharedProvider.err)
	}
	return &sharedProvider
}

// nodeProgram is the Node that came with the provider, or the machine's own.
func nodeProgram(t testing.TB) string {
	t.Helper()
	own, err := filepath.Abs(filepath.Join("provider", "node_modules", "node", "bin", "node"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(own); err == nil {
		return own
	}
	need.Program(t, "node")
	return "node"
}

// start returns once the provider listens. It ends with its stdin, so that it never
// outlives the tests.
func (p *panva) start(node, httpsPort string) {
	p.httpsPort = httpsPort
	p.cmd = exec.Command(node, "--no-warnings", filepath.Join("provider", "provider.mjs"), "https://localhost:"+httpsPort+"/callback")
	var said bytes.Buffer // warnings about its being a test
	p.cmd.Stderr = &said
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		p.err = err
		return
	}
	if p.stdin, p.err = p.cmd.StdinPipe(); p.err != nil {
		return
	}
	if p.err = p.cmd.Start(); p.err != nil {
		return
	}
	late := time.AfterFunc(patience, func() { p.cmd.Process.Kill() })
	defer late.Stop()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	p.issuer = strings.TrimSpace(line)
	if err != nil {
		p.cmd.Wait()
		p.err = fmt.Errorf("it didn't start: %v\n%s", err, said.String())
	}
}

func (p *panva) stop() {
	if p.cmd == nil || p.cmd.Process == nil {
		return
	}
	p.stdin.Close()
	p.cmd.Wait()
}
