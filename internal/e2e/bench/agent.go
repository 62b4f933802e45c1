package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/authctl/authctl/internal/idp"
)

// oidcAgent is oidc-token, which asks an agent that has the token in memory, where it is
// installed. The agent speaks HTTP Basic only, so it has a provider that knows a secret.
func (s *stage) oidcAgent() (*entrant, bool) {
	for _, program := range []string{"oidc-agent", "oidc-gen", "oidc-token"} {
		if _, err := exec.LookPath(program); err != nil {
			missing(program, "oidc-agent-cli")
			return nil, false
		}
	}
	const account, clientSecret = "bench", "of the benchmark"
	p := s.start(idp.Options{ConfidentialSecret: clientSecret, NoRotation: true})
	file := filepath.Join(s.home, "client-secret")
	if err := os.WriteFile(file, []byte(clientSecret), 0o600); err != nil {
		s.Fatal(err)
	}
	s.signIn(p, "--profile", "agent", "--client-secret-file", file)
	// It stores the account, and that only in a directory that is there.
	if err := os.MkdirAll(filepath.Join(s.home, ".config", "oidc-agent"), 0o700); err != nil {
		s.Fatal(err)
	}
	env := append(s.env, "OIDC_SOCK="+s.startAgent(), "OIDC_ENCRYPTION_PW=of the benchmark",
		"OIDC_REFRESH_TOKEN="+refreshToken(s, s.output(s.lookup("agent"))))
	s.output(command{[]string{"oidc-gen", account, "--manual", "--rt-env", "--pw-env", "--prompt=none", "--confirm-default",
		"--iss=" + p.Issuer(), "--client-id=demo", "--client-secret=" + clientSecret,
		"--scope=openid offline_access", "--redirect-uri=http://localhost:4242"}, env})
	return &entrant{name: "`oidc-token`, an agent in memory", command: command{[]string{"oidc-token", account}, env}}, true
}

// startAgent returns the agent's socket, once it answers.
func (s *stage) startAgent() (socket string) {
	socket = filepath.Join(s.TempDir(), "agent")
	agent := exec.Command("oidc-agent", "--console", "--socket-path", socket)
	agent.Env = s.env
	if err := agent.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { // it ends its own child
		agent.Process.Signal(syscall.SIGTERM)
		agent.Wait()
	})
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("unix", socket); err == nil {
			conn.Close()
			return socket
		}
		if time.Now().After(end) {
			s.Fatal("oidc-agent never answers")
		}
	}
}
