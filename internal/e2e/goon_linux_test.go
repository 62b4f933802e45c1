package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// reference is what authctl says on a machine, and how life goes on there.
type reference struct {
	view map[string]string // by what was asked
	sequel
}

// sequel is how life goes on: sessions are renewed, ended and begun anew.
type sequel struct {
	answers map[string]string // before that, by what was asked
	insists bool              // a session that needs a login asks the provider again
	between bool              // the next renewal leaves it between two stores
	left    string            // what there is in the end
}

// toSignIn is the answer of a session that has ended: exit 3, and the hint to log in.
const toSignIn = "sign in first"

// view is what authctl says.
func (s *callSweep) view() map[string]string {
	s.t.Helper()
	v := map[string]string{}
	config, _ := os.ReadFile(filepath.Join(s.u.home, "config", "authctl", "config.toml")) // none: nothing
	v["config"] = string(config)
	stdout, stderr, code := s.authctl("status", "--json")
	var all []map[string]any
	if err := json.Unmarshal([]byte(stdout), &all); code != 0 || err != nil {
		v["status"] = fmt.Sprintf("exit %d: %s", code, stderr)
	}
	for _, profile := range all {
		delete(profile, "expires_at")
		v["status of "+fmt.Sprint(profile["profile"])] = fmt.Sprint(profile)
	}
	s.askAll(v, "token --min-ttl 0s")
	if s.confidential() { // only a renewal shows whether the client secret is the right one
		s.askAll(v, "token --refresh")
	}
	return v
}

func (s *callSweep) confidential() bool {
	for _, p := range s.providers {
		if p.Options().ConfidentialSecret != "" {
			return true
		}
	}
	return false
}

// stored is what a view says without asking the provider.
func stored(v map[string]string) map[string]string {
	v = maps.Clone(v)
	maps.DeleteFunc(v, func(key, _ string) bool { return strings.HasPrefix(key, "token --refresh") })
	return v
}

// askAll adds how each profile answers.
func (s *callSweep) askAll(answers map[string]string, line string) {
	s.t.Helper()
	for _, profile := range s.profiles {
		answers[line+" of "+profile] = s.ask(line, profile)
	}
}

// ask is how a profile answers, without the token itself.
func (s *callSweep) ask(line, profile string) string {
	s.t.Helper()
	words := s.words(line)
	if profile != "default" {
		words = append(words, "-p", profile)
	}
	stdout, stderr, code := s.authctl(words...)
	switch {
	case code == 0 && stdout == s.tokens[profile]:
		return "the token of before"
	case code == 0 && words[0] == "token":
		return "another token"
	case code == 3 && strings.Contains(stderr, "\nhint: authctl login"):
		return toSignIn
	case code == 0:
		return strings.TrimSpace(stdout)
	}
	return fmt.Sprintf("exit %d: %s", code, stderr)
}

// goOn is what a user does next, an hour after a crash.
func (s *callSweep) goOn() sequel {
	s.t.Helper()
	s.age()
	q := sequel{answers: map[string]string{}}
	s.askAll(q.answers, "whoami --claim sub")
	s.askAll(q.answers, "token --refresh")
	for _, profile := range s.profiles {
		if asked := s.requests(); q.answers["token --refresh of "+profile] == toSignIn {
			s.ask("token --refresh", profile)
			q.insists = q.insists || s.requests() != asked
		}
	}
	q.between = s.machine().between()
	s.must("logout --all")
	s.want("token", toSignIn)
	lines := s.before
	switch {
	case strings.HasPrefix(s.line, "login"):
		lines = []string{s.line}
	case strings.HasPrefix(s.name, "profile/moves"): // what it makes stays: it is done in any case
		lines = append(slices.Clone(lines), s.line)
	}
	for _, line := range lines {
		s.must(line)
	}
	s.want("token", "another token")
	q.left = s.machine().listing()
	return q
}

// want fails the test unless each profile answers so.
func (s *callSweep) want(line, answer string) {
	s.t.Helper()
	for _, profile := range s.profiles {
		if got := s.ask(line, profile); got != answer {
			s.t.Errorf("authctl %s, profile %s: got %q, want %q", line, profile, got, answer)
		}
	}
}

// ill says how life went on in another way than it should, "" if it didn't. Where an
// answer of the provider's is lost, a renewal may be refused, and then it is a sign-in that
// helps.
func (s *callSweep) ill(end string, q sequel) string {
	want, certain := map[string]map[string]string{"old": s.old.answers, "new": s.new.answers}[end]
	switch {
	case q.left != s.new.left:
		return "after the next login there is" + changed(s.new.left, q.left)
	case q.between:
		return "the session is in two stores"
	case q.insists:
		return "the provider was asked again, though it had refused"
	case certain && !maps.Equal(q.answers, want):
		return fmt.Sprintf("got %v, want %v", q.answers, want)
	}
	for key, got := range q.answers {
		if key, _, _ := strings.Cut(key, " of "); key == "token --refresh" && !slices.Contains([]string{"another token", toSignIn}, got) {
			return "renewing: " + got
		}
	}
	return ""
}
