package wine

import (
	"bufio"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/idp"
)

// Beside a user's profile, files inherit what everybody may do: drive D of most machines
// is so. Wine shows access lists as Linux's modes.
func TestFilesArePrivate(t *testing.T) {
	u := newUser(t, "private")
	u.umask = "000"
	_, issuer := provider(t, idp.Options{TokenBytes: 3000})
	shared := u.home + `\shared`
	u.mkdir("shared")
	u.openToAll("shared")
	u.set("AUTHCTL_STATE_DIR=" + shared + `\state`)
	u.authctl(0, "login", "--issuer", issuer, "--client-id", "demo", "--store", "file", "--store-key-file", shared+`\keys\key`,
		"--config", shared+`\conf\config.toml`)
	filepath.WalkDir(u.file("shared"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			t.Fatal(err)
		}
		info, err := d.Info()
		if err != nil {
			t.Fatal(err)
		}
		// The group stands for the administrators. What is made in a private directory inherits
		// its list on Windows, which Wine does not know.
		whole := strings.HasPrefix(path, u.file(`shared\state\`))
		if info.Mode().Perm()&0o007 != 0 && path != u.file("shared") && (d.IsDir() || !whole || strings.Contains(path, "~")) {
			t.Errorf("%s is open to others: %v", path, info.Mode())
		}
		return nil
	})

	u.openToAll(`shared\keys\key`)
	r := u.authctl(5, "token", "--config", shared+`\conf\config.toml`)
	if !strings.Contains(r.stderr, "its access list has Everyone in it, so that others can get at it: icacls") {
		t.Errorf("a key that everybody can read: %q", r.stderr)
	}
	u.openToAll(`shared\state`)
	r = u.authctl(2, "token", "--config", shared+`\conf\config.toml`)
	if !strings.Contains(r.stderr, "others can write in the state directory") || !strings.Contains(r.stderr, "hint: icacls") {
		t.Errorf("a state directory that everybody can write: %q", r.stderr)
	}
}

// A virus scanner, a backup, an editor: while they have the file open it can't be replaced.
// What was renewed is saved when they close it in time; else the old file stays, whole.
func TestFileIsHeldOpen(t *testing.T) {
	u := newUser(t, "held")
	server, issuer := provider(t, idp.Options{TokenBytes: 3000})
	u.authctl(0, "login", "--issuer", issuer, "--client-id", "demo")
	first := u.authctl(0, "token").stdout
	held := u.home + `\AppData\Local\authctl\keychain\` + u.sealed()[0]
	before := u.read(held)

	hold := u.command("person", "hold", held)
	letGo := u.started(hold, "held")
	server.Set(func(o *idp.Options) { o.Latency = 1 })
	r := u.run("authctl", "token", "--refresh")
	if r.code != 5 || r.stdout != "" || !strings.Contains(r.stderr, "renewed, but not saved") {
		t.Errorf("while it is held: got exit code %d, %d bytes: %s", r.code, len(r.stdout), r.stderr)
	}
	if u.read(held) != before {
		t.Error("the held file has changed")
	}
	letGo()
	if got := u.authctl(0, "token").stdout; got != first {
		t.Error("the old token is no longer there")
	}

	hold = u.command("person", "hold", held)
	letGo = u.started(hold, "held")
	server.Set(func(o *idp.Options) { o.NoRotation = true })
	u.authctl(0, "login")
	letGo()
	u.authctl(0, "token", "--refresh")
}

// Line ends, marks and UTF-16 as Windows' editors and PowerShell write them.
func TestFilesFromWindows(t *testing.T) {
	u := newUser(t, "Zoë's PC")
	_, issuer := provider(t, idp.Options{ConfidentialSecret: "a secret, ø"})
	config := u.home + `\AppData\Roaming\authctl\config.toml`
	u.mkdir(`AppData\Roaming\authctl`)
	text := "\ufeff# mine\r\n[profile.default]\r\nissuer = \"" + issuer + "\"\r\nclient_id = \"demo\"\r\n"
	u.write(config, text)
	secret := u.home + `\secret.txt`
	for name, raw := range map[string]string{
		"CRLF": "a secret, ø\r\n", "a mark": "\ufeffa secret, ø\r\n", "UTF-16": "\xff\xfea\x00 \x00s\x00e\x00c\x00r\x00e\x00t\x00,\x00 \x00\xf8\x00\r\x00\n\x00",
	} {
		u.write(secret, raw)
		if r := u.run("authctl", "login", "--client-secret-file", secret); r.code != 0 {
			t.Errorf("a secret with %s: got exit code %d: %s", name, r.code, r.stderr)
		}
	}
	u.authctl(0, "profile", "set", "--audience", "api")
	if got := u.read(config); got != text+"audience = \"api\"\r\n" {
		t.Errorf("the config file is now %q", got)
	}
	u.authctl(0, "profile", "remove", "default") // the secret stays until then
}

// started runs cmd until it prints line; end lets it end.
func (u *user) started(cmd *exec.Cmd, line string) (end func()) {
	u.t.Helper()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		u.t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		u.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		u.t.Fatal(err)
	}
	got, _ := bufio.NewReader(stdout).ReadString('\n')
	if !strings.HasPrefix(got, line) {
		u.t.Fatalf("got %q, want %q", got, line)
	}
	return func() { stdin.Close(); cmd.Wait() }
}

// openToAll lets everybody do everything with a file, as far as Wine can tell.
func (u *user) openToAll(name string) {
	u.t.Helper()
	if err := os.Chmod(u.file(name), 0o777); err != nil {
		u.t.Fatal(err)
	}
}

func (u *user) mkdir(name string) {
	u.t.Helper()
	if err := os.MkdirAll(u.file(name), 0o755); err != nil {
		u.t.Fatal(err)
	}
}

func (u *user) read(path string) string {
	u.t.Helper()
	text, err := os.ReadFile(u.sys.path(path))
	if err != nil {
		u.t.Fatal(err)
	}
	return string(text)
}

func (u *user) write(path, text string) {
	u.t.Helper()
	if err := os.WriteFile(u.sys.path(path), []byte(text), 0o600); err != nil {
		u.t.Fatal(err)
	}
}
