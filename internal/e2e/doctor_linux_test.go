package e2e

import (
	"encoding/json"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/keychaintest"
)

// finding is one of doctor's, as --json has it.
type finding struct{ Name, Result, Detail, Fix string }

// doctor runs it with --json.
func (u *user) doctor(args ...string) (all map[string]finding, code int) {
	u.t.Helper()
	return u.start(nil, append([]string{"doctor", "--json"}, args...)...).findings()
}

// findings are what a doctor --json says, which has to be an array of objects with the
// documented fields and no others, where what isn't well can be mended.
func (p *process) findings() (all map[string]finding, code int) {
	p.t.Helper()
	code = p.wait()
	decoder := json.NewDecoder(strings.NewReader(p.stdout.String()))
	decoder.DisallowUnknownFields()
	var list []finding
	if err := decoder.Decode(&list); err != nil || p.stderr.String() != "" {
		p.t.Fatalf("doctor --json: %v\n%s\n%s", err, p.stdout, p.stderr)
	}
	all, worst := map[string]finding{}, 0
	for _, f := range list {
		if mendable := f.Result == "warn" || f.Result == "fail"; f.Name == "" || f.Detail == "" || mendable != (f.Fix != "") {
			p.t.Errorf("got %+v, want a name, a detail and, if it isn't well, a fix", f)
		}
		if f.Result == "fail" {
			worst = 1
		}
		all[f.Name] = f
	}
	if code != worst {
		p.t.Errorf("got exit %d, want %d", code, worst)
	}
	return all, code
}

// The keychain in every state that it is met in. Nobody is asked to unlock one, and
// what is stored stays as it is. Some take long, so all begin at once.
func TestDoctorOnAKeychain(t *testing.T) {
	t.Parallel()
	began := time.Now()
	var ends []func()
	for _, tc := range []struct {
		name                string
		damage              func(b *keychaintest.Bus)
		result, detail, fix string
		session             string // its result
	}{
		{"unlocked", func(*keychaintest.Bus) {}, "ok", `^the keychain \(gnome-keyring-daemon\): stored, read and deleted a secret in \d+ms; `, `^$`, "ok"},
		{"locked", func(b *keychaintest.Bus) { b.Keyring(keychaintest.Locked) }, "fail", `^the keychain is locked$`, `^unlock the keychain .*: authctl login --store file `, "skip"},
		{"absent", (*keychaintest.Bus).StopKeyring, "fail", `^there is no keychain: `, `: authctl login --store file `, "skip"},
		{"mute", serving(keychaintest.Mute), "fail", `^the keychain does not answer$`, `^the keychain doesn't answer: restart it`, "skip"},
		{"slow", serving(keychaintest.Slow), "warn", `works and is slow: .* took (8|9|1\d)\.?\d*s$`, `^restart the keychain \(`, "warn"},
	} {
		u := newUser(t)
		u.signIn(idp.Options{})
		before := u.snapshot()
		tc.damage(u.bus)
		p := u.start(nil, "doctor", "--json")
		ends = append(ends, func() {
			all, _ := p.findings()
			store := all["store"]
			if store.Result != tc.result || !regexp.MustCompile(tc.detail).MatchString(store.Detail) || !regexp.MustCompile(tc.fix).MatchString(store.Fix) {
				t.Errorf("%s: got %+v, want %s, %q, %q", tc.name, store, tc.result, tc.detail, tc.fix)
			}
			if got := all["session"]; got.Result != tc.session {
				t.Errorf("%s: session: got %+v, want %s", tc.name, got, tc.session)
			}
			if after := u.snapshot(); !maps.Equal(before, after) {
				t.Errorf("%s: got %d files and directories, want the same %d", tc.name, len(after), len(before))
			}
			if took := time.Since(began); took > 25*time.Second {
				t.Errorf("%s: took %v", tc.name, took)
			}
		})
	}
	for _, end := range ends {
		end()
	}
}

// snapshot is every file and directory of the user's.
func (u *user) snapshot() map[string]string {
	all := map[string]string{}
	for _, dir := range []string{"config", "state"} {
		filepath.WalkDir(filepath.Join(u.home, dir), func(path string, d os.DirEntry, err error) error {
			all[path] = ""
			return err
		})
	}
	u.files(func(path string, content []byte) { all[path] = string(content) })
	return all
}

// What doctor stored to see whether it can be is gone, and what was there is not.
func TestDoctorLeavesTheKeychainAsItIs(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	p := u.signIn(idp.Options{})
	before := u.items()
	if all, code := u.doctor(); code != 0 {
		t.Errorf("got exit %d, %v", code, all)
	}
	if after := u.items(); before != after || !strings.Contains(before, "username = default") {
		t.Errorf("got %d characters of items, want the same %d", len(after), len(before))
	}
	if n := renewals(p) + p.Count("revoke"); n != 0 {
		t.Errorf("got %d renewals and revocations, want none", n)
	}
}

// items is what another program sees of authctl's in the keyring. The schema is
// gnome-keyring's own: it is there once the keyring was read back from its file, which
// any write of anybody's brings about.
func (u *user) items() string {
	u.t.Helper()
	out, err := u.program("secret-tool", "search", "--all", "service", "authctl").CombinedOutput()
	if err != nil {
		u.t.Fatalf("secret-tool: %v", err)
	}
	return regexp.MustCompile(`(?m)^schema = .*\n`).ReplaceAllString(string(out), "")
}

// A provider that takes a connection and says nothing is given up soon.
func TestDoctorAndAProviderThatHangs(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	u := newUser(t)
	began := time.Now()
	all, _ := u.doctor("--issuer", "http://"+l.Addr().String(), "--client-id", "demo")
	if got := all["connection"]; got.Result != "fail" || !strings.HasSuffix(got.Detail, ": timed out") {
		t.Errorf("connection: got %+v, want a time-out", got)
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("took %v", took)
	}
}
