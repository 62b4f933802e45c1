package wine

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/idp"
)

func provider(t *testing.T, o idp.Options) (server *idp.Server, issuer string) {
	t.Helper()
	server = idp.New(o)
	issuer, err := server.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server, issuer
}

// A day on Windows, for one whose tokens fit into the Credential Manager and for one
// whose tokens don't.
func TestWindows(t *testing.T) {
	for _, c := range []struct {
		name, user string
		provider   idp.Options
		sealed     int // files
	}{
		{"tokens that fit", "", idp.Options{OpaqueAccess: true, NoIDToken: true}, 0},
		{"tokens that don't, and a name", "Zoë Ångström 😀", idp.Options{TokenBytes: 3000}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := newUser(t, c.user)
			server, issuer := provider(t, c.provider)
			r := u.authctl(0, "login", "--issuer", issuer, "--client-id", "demo")
			if !strings.Contains(r.stderr, "Signed in to "+issuer) {
				t.Errorf("login says %q", r.stderr)
			}
			u.hasCredential("authctl:default", 2560)
			if got := u.sealed(); len(got) != c.sealed {
				t.Errorf("sealed files: got %v, want %d", got, c.sealed)
			}
			if text, err := os.ReadFile(u.file(`AppData\Roaming\authctl\config.toml`)); err != nil || !strings.Contains(string(text), issuer) {
				t.Errorf("the config file: got %q, %v", text, err)
			}
			u.tokens(server)
			u.authctl(0, "status")
			u.authctl(0, "doctor")
			u.exec()
			u.authctl(0, "logout")
			if got := u.person("credentials"); strings.Contains(got, "authctl:") {
				t.Errorf("after logout the Credential Manager has %q", got)
			}
			if got := u.sealed(); len(got) != 0 {
				t.Errorf("after logout: got %v, want no sealed file", got)
			}
			u.authctl(3, "token")
		})
	}
}

// tokens reads the stored token, and renews it by one request, however many ask.
func (u *user) tokens(server *idp.Server) {
	u.t.Helper()
	first := u.authctl(0, "token").stdout
	if again := u.authctl(0, "token").stdout; again != first || !strings.HasSuffix(first, "\n") || strings.Contains(first, "\r") {
		u.t.Errorf("the cached token: got %d bytes, then %d", len(first), len(again))
	}
	const crowd = 16
	server.Set(func(o *idp.Options) { o.AccessTTL *= 2 })
	ends := make(chan result, crowd)
	for range crowd {
		go func() { ends <- u.run("authctl", "token", "--min-ttl", "90m") }()
	}
	renewed := ""
	for range crowd {
		r := <-ends
		if r.code != 0 || r.stdout == first || renewed != "" && r.stdout != renewed {
			u.t.Errorf("one of %d: got exit code %d and %d bytes: %s", crowd, r.code, len(r.stdout), r.stderr)
		}
		renewed = r.stdout
	}
	if got := server.Count("token/refresh_token"); got != 1 {
		u.t.Errorf("%d at once: got %d requests, want 1", crowd, got)
	}
}

// exec passes on the token, stdin and the exit code.
func (u *user) exec() {
	u.t.Helper()
	token := u.authctl(0, "token").stdout
	cmd := u.command("authctl", "exec", "--", programs+`\person.exe`, "child", "7", "read")
	cmd.Stdin = strings.NewReader("asked\n")
	if r := u.finish(cmd); r.code != 7 || strings.ReplaceAll(r.stdout, "\r", "") != token+"asked\n" {
		u.t.Errorf("exec: got exit code %d and %d bytes: %s", r.code, len(r.stdout), r.stderr)
	}
	u.authctl(127, "exec", "--", "no-such-command")
	u.authctl(127, "curl", "https://a.example/") // Wine has none
}

// hasCredential wants one of that name and at most that many bytes.
func (u *user) hasCredential(name string, most int) {
	u.t.Helper()
	for line := range strings.Lines(u.person("credentials")) {
		var size int
		var target string
		if _, err := fmt.Sscan(line, &size, &target); err == nil && target == name && 0 < size && size <= most {
			return
		}
	}
	u.t.Errorf("the Credential Manager has no %s: %s", name, u.person("credentials"))
}

// sealed are the files in which secrets are.
func (u *user) sealed() (files []string) {
	filepath.WalkDir(u.file(`AppData\Local\authctl`), func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.Contains(d.Name(), "~") && d.Type().IsRegular() {
			files = append(files, d.Name())
		}
		return nil
	})
	return files
}
