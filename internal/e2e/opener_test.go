package e2e

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/idp"
)

// What people have as a browser: programs that fail, that chatter, that never return.
func TestOpeners(t *testing.T) {
	for _, tc := range []struct {
		name    string
		scripts map[string]string // on PATH, by name; $SIGN_IN signs in
		flag    string            // --browser
		env     string            // BROWSER
	}{
		{"BROWSER", map[string]string{"good": `exec $SIGN_IN "$1"`}, "", "good"},
		{"the flag before BROWSER", map[string]string{"good": `exec $SIGN_IN "$1"`, "bad": "exit 1"}, "good", "bad"},
		{"a list, the first missing", map[string]string{"good": `exec $SIGN_IN "$1"`}, "", "missing:good"},
		{"a list, the first failing", map[string]string{"good": `exec $SIGN_IN "$1"`, "bad": "exit 3"}, "", "bad:good"},
		{"with arguments and %s", map[string]string{"good": `[ "$1 $3" = "--profile last" ] && exec $SIGN_IN "$2"`}, "", "good --profile %s last"},
		{"quoted arguments", map[string]string{"good": `[ "$1" = "two words" ] && exec $SIGN_IN "$2"`}, `good "two words"`, ""},
		{"one that prints", map[string]string{"good": `echo noise; echo noise >&2; exec $SIGN_IN "$1"`}, "good", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			u, p := newUser(t), demoProvider(t, idp.Options{})
			u.scripts(tc.scripts)
			u.set("SIGN_IN="+demoIDP+" click", "BROWSER="+tc.env)
			args := []string{"login", "--issuer", p.Issuer(), "--client-id", "demo", "--json"}
			if tc.flag != "" {
				args = append(args, "--browser", tc.flag)
			}
			stdout, stderr, code := u.run(args...)
			if code != 0 {
				t.Fatalf("login: exit %d\n%s", code, stderr)
			}
			if !strings.HasPrefix(stdout, "{") || strings.Contains(stdout+stderr, "noise") || strings.Contains(stdout, "Signed in") {
				t.Errorf("stdout: got %q, want the summary alone", stdout)
			}
		})
	}
}

// A browser that lives on, as real ones do, holds up nobody: not authctl, nor who
// reads its output.
func TestOpenerThatNeverReturns(t *testing.T) {
	t.Parallel()
	u, p := newUser(t), demoProvider(t, idp.Options{})
	lives, asked := u.file("lives"), filepath.Join(u.home, "asked")
	// It lives as long as the one file, and removes the other, to show that it does.
	u.scripts(map[string]string{"endless": `$SIGN_IN "$1"; echo noise; while [ -e ~/lives ]; do rm -f ~/asked; sleep 0.1; done`})
	u.set("SIGN_IN=" + demoIDP + " click")
	stdout, stderr, code := u.run("login", "--issuer", p.Issuer(), "--client-id", "demo", "--browser", "endless")
	if code != 0 || stdout != "" {
		t.Errorf("got exit %d and stdout %q, want 0 and nothing\n%s", code, stdout, stderr)
	}
	u.file("asked")
	eventually(t, "the browser, which should have outlived authctl", func() bool {
		_, err := os.Stat(asked)
		return errors.Is(err, fs.ErrNotExist)
	})
	if err := os.Remove(lives); err != nil {
		t.Fatal(err)
	}
}

// A browser that fails is no reason to give up: the URL is printed, the wait goes on.
func TestOpenerThatFails(t *testing.T) {
	for _, browser := range []string{"bad", "missing"} {
		t.Run(browser, func(t *testing.T) {
			t.Parallel()
			u, p := newUser(t), demoProvider(t, idp.Options{})
			u.scripts(map[string]string{"bad": "echo noise; exit 1"})
			login := u.start(nil, "login", "--issuer", p.Issuer(), "--client-id", "demo", "--browser", browser)
			asked := login.stderr.await(t, `the browser "`+browser+`" failed(?s:.*)(http://\S+[?&]response_type=code\S*)\s`)[1]
			visit(t, asked)
			if code := login.wait(); code != 0 {
				t.Errorf("login: exit %d\n%s", code, login.stderr)
			}
			if got := login.stdout.String(); got != "" {
				t.Errorf("stdout: got %q, want nothing", got)
			}
		})
	}
}

// scripts puts shell scripts on the user's PATH.
func (u *user) scripts(bodies map[string]string) {
	u.t.Helper()
	bin := filepath.Join(u.home, "bin")
	if err := os.MkdirAll(bin, 0o700); err != nil {
		u.t.Fatal(err)
	}
	for name, body := range bodies {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
			u.t.Fatal(err)
		}
	}
	u.set("PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"))
}

// file makes an empty one in the user's home.
func (u *user) file(name string) (path string) {
	u.t.Helper()
	path = filepath.Join(u.home, name)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		u.t.Fatal(err)
	}
	return path
}
