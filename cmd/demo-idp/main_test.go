package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The test binary is also the browser that the demonstration names to authctl.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "click" {
		main()
	}
	os.Exit(m.Run())
}

// buildAuthctl builds the real program: the demonstration takes no shortcut.
func buildAuthctl(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "authctl")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	if out, err := exec.Command("go", "build", "-o", path, "../authctl").CombinedOutput(); err != nil {
		t.Fatalf("building authctl: %v\n%s", err, out)
	}
	return path
}

// noKeychain hides the user's session bus, and makes the stage's directory findable.
func noKeychain(t *testing.T) (temp string) {
	t.Helper()
	temp = t.TempDir()
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", temp)
	t.Setenv("TMPDIR", temp)
	return temp
}

func TestDemo(t *testing.T) {
	authctl := buildAuthctl(t)
	t.Run("to its end", func(t *testing.T) { toItsEnd(t, authctl) })
	t.Run("interrupted", func(t *testing.T) { interrupted(t, authctl) })
	t.Run("without authctl", func(t *testing.T) {
		temp := noKeychain(t)
		if code := run(t.Context(), []string{"demo", "--authctl", filepath.Join(temp, "none")}, nil, io.Discard, io.Discard); code != 1 {
			t.Errorf("exit code: got %d, want 1", code)
		}
		expectEmpty(t, temp)
	})
}

func toItsEnd(t *testing.T, authctl string) {
	temp := noKeychain(t)
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"demo", "--robot", "--authctl", authctl}, strings.NewReader(""), &stdout, &stderr); code != 0 {
		t.Fatalf("exit code: got %d, want 0\n%s\n%s", code, &stdout, &stderr)
	}
	for _, want := range []string{"$ authctl login --issuer", "Hello, Ada Lovelace!", "ada@example.com", "another token", "401 Unauthorized", "exit code 3"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("the story lacks %q", want)
		}
	}
	if jwt := regexp.MustCompile(`eyJ[\w-]{10,}`).FindString(stdout.String() + stderr.String()); jwt != "" {
		t.Errorf("a token was shown, %d characters of it", len(jwt))
	}
	expectEmpty(t, temp)
}

func interrupted(t *testing.T, authctl string) {
	temp := noKeychain(t)
	ctx, cancel := context.WithCancel(t.Context())
	stdout := &watcher{text: "Waiting 6 seconds", found: cancel}
	var stderr bytes.Buffer
	if code := run(ctx, []string{"demo", "--robot", "--authctl", authctl}, strings.NewReader(""), stdout, &stderr); code != 130 {
		t.Errorf("exit code: got %d, want 130\n%s", code, &stderr)
	}
	expectEmpty(t, temp)
}

// watcher calls found when text comes by.
type watcher struct {
	seen  bytes.Buffer
	text  string
	found func()
}

func (w *watcher) Write(p []byte) (int, error) {
	w.seen.Write(p)
	if strings.Contains(w.seen.String(), w.text) {
		w.found()
	}
	return len(p), nil
}

func expectEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestServeUntilEOF(t *testing.T) {
	stdin, end := io.Pipe()
	out, stdout := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- run(t.Context(), []string{"serve", "--until-eof", "--client-id", "mine", "--access-ttl", "5m"}, stdin, stdout, io.Discard)
	}()
	lines := make([]byte, 200)
	n, err := out.Read(lines)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`^issuer (http://127\.0\.0\.1:\d+)\nclient-id mine\n$`).FindStringSubmatch(string(lines[:n]))
	if m == nil {
		t.Fatalf("got %q", lines[:n])
	}
	if response, err := http.Get(m[1] + "/.well-known/openid-configuration"); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("got %v, %v", response, err)
	} else {
		response.Body.Close()
	}
	end.Close()
	select {
	case got := <-code:
		if got != 0 {
			t.Errorf("exit code: got %d, want 0", got)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it goes on after stdin has ended")
	}
}

func TestClick(t *testing.T) {
	server := startServe(t)
	query := url.Values{"response_type": {"code"}, "client_id": {"demo"}, "redirect_uri": {server + "/callback"}, "scope": {"openid"},
		"code_challenge_method": {"S256"}, "code_challenge": {strings.Repeat("a", 43)}}.Encode()
	for _, test := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"the page behind the form", []string{"click", server + "/authorize?" + query}, 0, "404 " + server + "/callback\n"},
		{"another button", []string{"click", "--press", "cancel", server + "/authorize?" + query}, 0, "404 " + server + "/callback\n"},
		{"no such button", []string{"click", "--press", "wave", server + "/authorize?" + query}, 1, ""},
		{"no URL", []string{"click"}, 1, ""},
		{"no command", nil, 2, ""},
	} {
		var stdout bytes.Buffer
		if code := run(t.Context(), test.args, nil, &stdout, io.Discard); code != test.code || !strings.HasPrefix(stdout.String(), test.want) {
			t.Errorf("%s: got %d, %q", test.name, code, &stdout)
		}
	}
}

// startServe runs the provider for a test; its own address is a redirect URI too.
func startServe(t *testing.T) string {
	t.Helper()
	out, stdout := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		run(ctx, []string{"serve"}, nil, stdout, io.Discard)
		close(ended)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	lines := make([]byte, 200)
	n, err := out.Read(lines)
	if err != nil {
		t.Fatal(err)
	}
	issuer, _, _ := strings.Cut(strings.TrimPrefix(string(lines[:n]), "issuer "), "\n")
	return issuer
}

func TestQuote(t *testing.T) {
	for word, want := range map[string]string{"login": "login", "http://127.0.0.1:1/a": "http://127.0.0.1:1/a", "": "''",
		"a b": "'a b'", "it's": `'it'\''s'`, "$(x)": "'$(x)'"} {
		if got := quote(word); got != want {
			t.Errorf("%q: got %s, want %s", word, got, want)
		}
	}
}
