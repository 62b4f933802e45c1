package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/need"
)

// owners are the packages that may import a third-party module: one each, so that a
// change of the module is a change of one package, and so is doing without it.
var owners = map[string][]string{
	"github.com/BurntSushi/toml":      {"internal/config"},
	"github.com/boombuler/barcode":    {"cmd/authctl", "internal/e2e"}, // a test reads what is drawn
	"github.com/chromedp/cdproto":     {"internal/e2e"},
	"github.com/chromedp/chromedp":    {"internal/e2e"},
	"github.com/coreos/go-oidc/v3":    {"internal/oauth"},
	"github.com/creack/pty":           {"internal/e2e", "cmd/authctl"},                             // tests on a terminal
	"github.com/go-jose/go-jose/v4":   {"internal/oauth", "internal/idp"},                          // one checks what the other signs
	"github.com/godbus/dbus/v5":       {"internal/store", "internal/keychaintest", "internal/e2e"}, // the tests' keychain is a D-Bus service
	"github.com/gofrs/flock":          {"internal/session", "internal/config"},                     // each locks a file of its own
	"github.com/pkg/browser":          {"cmd/authctl"},
	"github.com/rogpeppe/go-internal": {"cmd/authctl"},
	"github.com/spf13/cobra":          {"cmd/authctl"},
	"github.com/zalando/go-keyring":   {"internal/store", "internal/e2e"}, // a test asks the keychain behind our back
	"golang.org/x/crypto":             {"internal/store"},
	"golang.org/x/net":                {"internal/robot"},
	"golang.org/x/oauth2":             {"internal/oauth"},
	"golang.org/x/sys":                {"cmd/authctl", "internal/atomicfile", "internal/store", "internal/e2e"}, // the standard library's missing parts
	"golang.org/x/term":               {"cmd/authctl", "cmd/demo-idp", "internal/e2e"},                          // who speaks to a person has to know whether one is there
}

// One owner a module, so that a change of it is a change in one place.
func TestModulesHaveOwners(t *testing.T) {
	for _, s := range sources(t) {
		for _, imported := range s.imports {
			if strings.HasPrefix(imported, module) || !strings.Contains(strings.Split(imported, "/")[0], ".") {
				continue
			}
			if m := moduleOf(imported); m == "" || !s.within(owners[m]) {
				t.Errorf("%s imports %s, which is %q's", s.path, imported, owners[m])
			}
		}
	}
}

func moduleOf(imported string) string {
	for m := range owners {
		if imported == m || strings.HasPrefix(imported, m+"/") {
			return m
		}
	}
	return ""
}

// A dependency is somebody else's code in everybody's binary: go.mod says why it is
// worth it.
func TestModulesHaveReasons(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(top, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		required := regexp.MustCompile(`^\t(?:require )?(\S+\.\S+/\S+) v\S+(?: // (.*))?\n$`).FindStringSubmatch(line)
		if required == nil || required[2] == "indirect" {
			continue
		}
		seen[required[1]] = true
		if len(strings.Fields(required[2])) < 3 {
			t.Errorf("go.mod doesn't say why %s is needed: %q", required[1], required[2])
		}
		if owners[required[1]] == nil {
			t.Errorf("%s is nobody's", required[1])
		}
	}
	for m := range owners {
		if !seen[m] {
			t.Errorf("%s has owners and is not in go.mod", m)
		}
	}
}

// What is linked, by go list: nothing of the tests and the demo, nothing that costs at
// the start, no network where secrets and settings are kept.
func TestLinkedPackages(t *testing.T) {
	need.Program(t, "go")
	for _, c := range []struct {
		pkg, not, why string
	}{
		{"cmd/authctl", module + "internal/idp", "the demo's provider is wrong as it is told"},
		{"cmd/authctl", module + "internal/robot", "it accepts any certificate"},
		{"cmd/authctl", module + "internal/need", "it is for tests"},
		{"cmd/authctl", "testing", "it adds flags and costs at the start"},
		{"cmd/authctl", "html/template", "it costs 0.75 ms at the start"},
		{"cmd/authctl", "net/http/pprof", "it listens to the default server"},
		{"cmd/authctl", "expvar", "it listens to the default server"},
		{"internal/session", "net/http", "what keeps tokens can't send them anywhere"},
		{"internal/store", "net/http", "what keeps secrets can't send them anywhere"},
		{"internal/config", "net/http", "reading a file needs no network"},
		{"internal/session", "golang.org/x/oauth2", "it doesn't speak OAuth"},
		{"internal/callback", "golang.org/x/oauth2", "it doesn't speak OAuth"},
	} {
		if slices.Contains(dependencies(t, c.pkg), c.not) {
			t.Errorf("%s links %s: %s", c.pkg, c.not, c.why)
		}
	}
	if all := dependencies(t, "cmd/authctl"); !slices.Contains(all, module+"internal/session") || !slices.Contains(all, "net/http") {
		t.Errorf("got %d packages without those that must be there: this looks at the wrong place", len(all))
	}
}

func dependencies(t *testing.T, pkg string) []string {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "./"+pkg)
	cmd.Dir = top
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.Fields(string(out))
}
