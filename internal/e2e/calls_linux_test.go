package e2e

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/idp"
)

// command is a command line whose system calls are struck, and those that lead to where
// it begins. What is in braces stands for flags: see words.
type command struct {
	name   string
	before []string
	line   string
	via    []string // those whose outcomes it passes through: it does one thing after the other
	mode   string   // the providers', for this command
	spends bool     // it sends what a provider takes once: a refresh token to renew or to revoke
}

var commands = []command{
	{name: "login/first/keychain", line: "login {small} {keychain}"},
	{name: "login/first/sealed", line: "login {large} {keychain}"},
	{name: "login/first/file", line: "login {small} {file}"},
	{name: "login/again/keychain", before: []string{"login {small} {keychain}"}, line: "login"},
	{name: "login/again/sealed", before: []string{"login {large} {keychain}"}, line: "login"},
	{name: "login/again/file", before: []string{"login {small} {file}"}, line: "login"},
	{name: "login/elsewhere/keychain", before: []string{"login {small} {keychain}"}, line: "login {large}"},
	{name: "login/elsewhere/sealed", before: []string{"login {large} {keychain}"}, line: "login {small}"},
	{name: "login/elsewhere/file", before: []string{"login {small} {file}"}, line: "login {large}"},
	{name: "login/moves/to a file", before: []string{"login {small} {keychain}"}, line: "login {file}"},
	{name: "login/moves/to the keychain", before: []string{"login {large} {file}"}, line: "login {keychain}"},
	{name: "login/moves/to another key", before: []string{"login {small} {file}"}, line: "login {key}"},
	{name: "login/secret/keychain", before: []string{"login {small} {keychain}"}, line: "login {confidential}"},
	{name: "login/secret/file", before: []string{"login {confidential} {file}"}, line: "login {discreet}"},
	{name: "token/expired/keychain", before: []string{"login {small} {keychain}"}, line: "token --min-ttl 2h", spends: true},
	{name: "token/expired/sealed", before: []string{"login {large} {keychain}"}, line: "token --min-ttl 2h", spends: true},
	{name: "token/expired/file", before: []string{"login {small} {file}"}, line: "token --min-ttl 2h", spends: true},
	{name: "token/refresh", before: []string{"login {confidential} {file}"}, line: "token --refresh", spends: true},
	{name: "token/refused/keychain", before: []string{"login {small} {keychain}"}, line: "token --refresh", mode: "invalid-grant"},
	{name: "token/refused/sealed", before: []string{"login {large} {keychain}"}, line: "token --refresh", mode: "invalid-grant"},
	{name: "token/refused/file", before: []string{"login {small} {file}"}, line: "token --refresh", mode: "invalid-grant"},
	{name: "logout/keychain", before: []string{"login {small} {keychain}"}, line: "logout", spends: true},
	{name: "logout/sealed", before: []string{"login {large} {keychain}"}, line: "logout", spends: true},
	{name: "logout/file", before: []string{"login {small} {file}"}, line: "logout", spends: true},
	{name: "logout/all", before: []string{"login -p one {large} {keychain}", "login -p two {small} {file}"}, line: "logout --all",
		via: []string{"logout -p one", "logout -p two"}, spends: true},
	{name: "login/again/cached", before: []string{"login {small} {keychain} --kernel-cache"}, line: "login"},
	{name: "token/expired/cached", before: []string{"login {small} {keychain} --kernel-cache"}, line: "token --min-ttl 2h", spends: true},
	{name: "logout/cached", before: []string{"login {small} {keychain} --kernel-cache"}, line: "logout", spends: true},
	{name: "profile/remove/keychain", before: []string{"login {confidential} {keychain}"}, line: "profile remove default",
		via: []string{"logout"}, spends: true},
	{name: "profile/remove/file", before: []string{"login {small} {file}"}, line: "profile remove default", via: []string{"logout"}, spends: true},
	{name: "profile/set", before: []string{"login {small} {keychain}"}, line: "profile set --scope openid"},
	{name: "profile/set/secret", before: []string{"login {confidential} {file}"}, line: "profile set --scope openid {confidential}"},
	{name: "profile/moves/to a file", before: []string{"login {small} {keychain}"}, line: "profile set {file}"},
	{name: "profile/moves/sealed to a file", before: []string{"login {large} {keychain}"}, line: "profile set {file}"},
	{name: "profile/moves/to the keychain", before: []string{"login {confidential} {file}"}, line: "profile set {keychain}"},
	{name: "profile/moves/sealed to the keychain", before: []string{"login {large} {file}"}, line: "profile set {keychain}"},
	{name: "profile/moves/to another key", before: []string{"login {confidential} {file}"}, line: "profile set {key}"},
	{name: "profile/use", before: []string{"login -p one {small} {keychain}", "login -p two {small} {keychain}"}, line: "profile use two"},
}

// providers are those that the command lines name. Large tokens don't fit into an item of
// the keychain.
var providers = map[string]idp.Options{
	"small":        {Alg: "ES256"},
	"large":        {Alg: "ES256", TokenBytes: 30 << 10, ClientID: "other"},
	"confidential": {Alg: "ES256", ConfidentialSecret: "a secret of many words"},
	"discreet":     {Alg: "ES256", ConfidentialSecret: "another secret of words", ClientID: "other"},
}

// The system calls that write are struck one after the other, until a run comes to its
// end. What is left is what was there before, or what the command was to leave, and life
// goes on from there.
func TestStruckAtEveryWrite(t *testing.T) {
	for _, c := range commands {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newCallSweep(t, c)
			for _, w := range []way{wayKill, wayFail, wayDisk} {
				s.run(w)
			}
		})
	}
}

// callSweep is a command, and the person to whom it happens.
type callSweep struct {
	command
	t         *testing.T
	u         *user
	keys      *keyring
	tracer    *tracer
	providers map[string]*idp.Server
	profiles  []string

	begun    machine           // where the command begins
	tokens   map[string]string // of the profiles, there
	back     []func()          // takes the providers there
	old, new reference
	between  []reference
	code     int             // the command's, when all goes well
	known    map[string]bool // from where life was seen to go on
}

func newCallSweep(t *testing.T, c command) *callSweep {
	t.Helper()
	u := newUser(t)
	s := &callSweep{command: c, t: t, u: u, keys: newKeyring(t, u.bus), tracer: newTracer(t), profiles: []string{"default"},
		providers: map[string]*idp.Server{}, tokens: map[string]string{}, known: map[string]bool{}}
	u.moveTo(memoryDir(t))
	u.cachesInKernel()
	for _, line := range append([]string{c.line}, c.before...) {
		s.words(line) // starts the providers
		if strings.Contains(line, "-p one") {
			s.profiles = []string{"one", "two"}
		}
	}
	s.begin()
	s.learn()
	return s
}

// memoryDir is a directory in memory, where writing through to the disk takes no time.
func memoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "e2e")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// begin leads to where the command begins, rewind leads there again.
func (s *callSweep) begin() {
	s.t.Helper()
	for _, line := range s.before {
		s.must(line)
	}
	s.begun = s.machine()
	for _, profile := range s.profiles {
		s.tokens[profile], _, _ = s.authctl("token", "--min-ttl", "0s", "-p", profile)
	}
	for _, p := range s.providers {
		s.back = append(s.back, p.Mark())
	}
}

func (s *callSweep) rewind() {
	s.t.Helper()
	s.restore(s.begun)
	for _, back := range s.back {
		back()
	}
}

// learn finds out what the machine is to be like: without the command, and with it.
func (s *callSweep) learn() {
	s.t.Helper()
	look := func() reference {
		r := reference{s.view(), s.goOn()}
		s.rewind()
		return r
	}
	s.old = look()
	right := s.mislead()
	_, stderr, code := s.authctl(s.words(s.line)...)
	right()
	s.code, s.new = code, look()
	for _, line := range s.via {
		s.must(line)
		s.between = append(s.between, look())
	}
	if maps.Equal(s.old.view, s.new.view) || s.old.left != s.new.left || passing.MatchString(s.new.left) {
		s.t.Fatalf("before:\n%v\nafter:\n%v\n%s", s.old, s.new, stderr)
	}
}

// mislead puts the providers into the command's mode, and right takes them out of it.
func (s *callSweep) mislead() (right func()) {
	set := func(on bool) {
		for _, p := range s.providers {
			p.Set(func(o *idp.Options) { o.Modes[s.mode] = on })
		}
	}
	if s.mode == "" {
		return func() {}
	}
	set(true)
	return func() { set(false) }
}

// words are a command line's, with the flags that it stands for.
func (s *callSweep) words(line string) []string {
	s.t.Helper()
	var words []string
	for _, word := range strings.Fields(line) {
		switch name := strings.Trim(word, "{}"); {
		case name == word:
			words = append(words, word)
		case name == "keychain":
			words = append(words, "--store", "keychain")
		case name == "file":
			words = append(words, s.u.storeFlags("file")...)
		case name == "key":
			words = append(words, "--store", "file", "--store-key-file", filepath.Join(s.u.home, "keys", "another"))
		default:
			words = append(words, s.at(name)...)
		}
	}
	return words
}

// at are the flags for a provider, which is there from now on.
func (s *callSweep) at(name string) []string {
	s.t.Helper()
	if s.providers[name] == nil {
		s.providers[name] = demoProvider(s.t, providers[name])
	}
	p := s.providers[name]
	flags := []string{"--issuer", p.Issuer(), "--client-id", p.Options().ClientID}
	if secret := p.Options().ConfidentialSecret; secret != "" {
		file := filepath.Join(s.t.TempDir(), name)
		if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
			s.t.Fatal(err)
		}
		flags = append(flags, "--client-secret-file", file)
	}
	return flags
}

// authctl runs it unharmed.
func (s *callSweep) authctl(words ...string) (stdout, stderr string, code int) {
	s.t.Helper()
	if words[0] == "login" {
		words = append(words, "--browser", robotBrowser())
	}
	var out, errs bytes.Buffer
	cmd := s.u.command(words...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func (s *callSweep) must(line string) {
	s.t.Helper()
	if _, stderr, code := s.authctl(s.words(line)...); code != 0 {
		s.t.Fatalf("authctl %s: exit %d\n%s", line, code, stderr)
	}
}
