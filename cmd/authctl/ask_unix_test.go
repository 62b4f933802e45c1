//go:build !windows

package main

import (
	"bufio"
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/authctl/authctl/internal/idp"
)

// On a terminal, login asks for what a new profile lacks; what was answered is saved, so
// that the next login asks nothing.
func TestLoginAsks(t *testing.T) {
	server := idp.New(idp.Options{})
	issuer, err := server.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	home := t.TempDir()
	first := converse(t, home, map[string]string{"Issuer": issuer, "Client ID": "demo"})
	if !strings.Contains(first, "Signed in to "+issuer+" as ada@example.com.") {
		t.Errorf("got no sign-in in:\n%s", first)
	}
	second := converse(t, home, nil)
	if strings.Contains(second, "Client ID") || !strings.Contains(second, "Signed in") {
		t.Errorf("the second time: got questions, or no sign-in, in:\n%s", second)
	}
}

// converse runs a login at a terminal, answers each question once, and returns all that
// the terminal showed.
func converse(t *testing.T, home string, answers map[string]string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "authctl", "login")
	cmd.Env = append(cmd.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_STATE_HOME="+home+"/state",
		"AUTHCTL_STORE=file", "AUTHCTL_STORE_KEY_FILE="+home+"/store.key", "BROWSER=browser")
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var shown strings.Builder
	for in := bufio.NewReader(terminal); ; {
		c, err := in.ReadByte()
		if err != nil { // EIO once the other end is closed
			break
		}
		shown.WriteByte(c)
		for question, answer := range answers {
			if line := lastLine(shown.String()); strings.HasPrefix(line, question) && strings.HasSuffix(line, ": ") {
				delete(answers, question)
				if _, err := terminal.WriteString(answer + "\n"); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("login: %v, after:\n%s", err, shown.String())
	}
	if len(answers) > 0 {
		t.Errorf("never asked: %v, in:\n%s", answers, shown.String())
	}
	return shown.String()
}

func lastLine(s string) string { return s[strings.LastIndex(s, "\n")+1:] }
