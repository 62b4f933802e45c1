package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/keychaintest"
	"github.com/authctl/authctl/internal/need"
)

// Another program changes the item between two of authctl's calls. What is there then is
// somebody's whole session, or one that has to be signed in to again.
func TestKeychainItemIsChanged(t *testing.T) {
	t.Parallel()
	need.Program(t, "secret-tool")
	for _, command := range []string{"cached token", "renewal", "logout"} {
		for _, edit := range []struct {
			name, text string // text is the item's; empty: it is deleted, "another": that of grace's sign-in
			codes      []int
		}{
			{"deleted", "", []int{0, 3}},
			{"garbage", "{", []int{0, 3, 4}},
			{"another form", "authctl-sealed:2:x", []int{0, 4, 5}},
			{"another session's", "another", []int{0}},
		} {
			t.Run(command+"/"+edit.name, func(t *testing.T) {
				t.Parallel()
				s := sweeps[slices.IndexFunc(sweeps, func(s sweep) bool { return s.name == command })]
				k := newKeychainSweep(t, s, keychainFault{})
				k.begin()
				k.u.must("login", "--browser", robotBrowser())
				text := edit.text
				if text == "another" {
					text = k.u.lookup("default")
				}
				k.strike = first(func(b *keychaintest.Bus) { k.put(b, text) })
				calls := k.honest()
				t.Logf("%d moments", len(k.moments(calls)))
				for _, at := range k.moments(calls) {
					k.begin()
					k.arm(at)
					stdout, stderr, code := k.sweep.run(k.u)
					k.arm(-1)
					if !slices.Contains(edit.codes, code) || (stdout != "") != (code == 0 && command != "logout") {
						t.Errorf("at call %d, %s: exit %d with %d characters, want one of %d\n%s", at, calls[at], code, len(stdout), edit.codes, stderr)
					}
					checkWords(t, code, stderr, k.f.Secrets())
					k.whole(at)
				}
			})
		}
	}
}

// put makes text the item of the profile "default".
func (k *keychainSweep) put(b *keychaintest.Bus, text string) {
	args := []string{"clear", "service", "authctl", "username", "default"}
	if text != "" {
		args = append([]string{"store", "--label", "authctl"}, args[1:]...)
	}
	cmd := k.u.program("secret-tool", args...)
	cmd.Env = append(slices.Clone(cmd.Env), b.Env()...) // the bus itself
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		k.t.Errorf("secret-tool: %v: %s", err, out)
	}
}

// moments are before the first call, before the secret is read, each time, and before
// something is written.
func (k *keychainSweep) moments(calls []string) []int {
	at := []int{0}
	for i, member := range calls {
		if member == "GetSecret" || member == "CreateItem" || member == "Delete" {
			at = append(at, i)
		}
	}
	return at
}

// whole wants the token and the claims to be of one person, or neither to be there.
func (k *keychainSweep) whole(at int) {
	k.t.Helper()
	token, _, _ := k.u.run("token")
	subject, _, code := k.u.run("whoami", "--claim", "sub")
	if token == "" != (code != 0) || payload(token).Subject != strings.TrimSpace(subject) {
		k.t.Errorf("after call %d: a token of %q, and %q is signed in", at, payload(token).Subject, subject)
	}
}
