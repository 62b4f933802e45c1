package e2e

import (
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/idp"
)

// hostile is one way in which a provider can be wrong, or odd, and what authctl makes of
// it. Its honest twin is the same command at the same provider, the mode switched off.
type hostile struct {
	mode    string             // of internal/idp; several are separated by spaces
	code    int                // that INTERFACE demands; 0: it is borne
	says    string             // the line about it, a regular expression; with code 0 a warning
	with    func(*idp.Options) // how else the provider is
	tls     bool               // the provider is an https one
	args    []string           // more arguments of the command
	see     func(*stage)       // what else holds afterwards
	arrives string             // an endpoint that must have been asked, so that the mode can have struck
}

func (h hostile) options() idp.Options {
	var o idp.Options
	if h.with != nil {
		h.with(&o)
	}
	return o
}

// lines is how many are to be said about it.
func (h hostile) lines() int {
	if h.code == 0 && h.says == "" {
		return 0
	}
	return 1
}

func (h hostile) name() string {
	name, o := strings.ReplaceAll(h.mode, " ", "+"), h.options()
	if o.NoIDToken {
		name += ",no-id-token"
	}
	if o.NoDiscovery {
		name += ",no-discovery"
	}
	return strings.TrimSuffix(name+","+o.Alg, ",")
}

// each runs a row in a test of its own.
func each(t *testing.T, rows []hostile, strike func(*stage, hostile)) {
	for _, h := range rows {
		t.Run(h.name(), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, h.options(), h.tls)
			strike(s, h)
			if h.arrives != "" && s.provider.Count(h.arrives) == 0 {
				t.Errorf("nobody asked for %s", h.arrives)
			}
		})
	}
}

// A sign-in at a hostile provider leaves nothing behind, or what was there before.
func TestHostileLogin(t *testing.T) {
	each(t, hostileLogins(), func(s *stage, h hostile) { s.loginIsRefused(h, h.args...) })
}

// The same, with everything about it shown.
func (s *stage) loginIsRefused(h hostile, args ...string) {
	args = slices.Concat(s.profile, args)
	s.turn(h.mode)
	s.isRefused(h, s.login(args...))
	if kept := s.keeps(); len(kept) > 0 {
		s.t.Errorf("something is kept: %q", slices.Sorted(maps.Keys(kept)))
	}
	s.turn("")
	s.signIn(args...)
	if slices.Contains(args, "--timeout") {
		s.token()
		return // to wait once is enough
	}
	kept := s.keeps()
	s.turn(h.mode)
	s.isRefused(h, s.login(append(args, "--verbose")...))
	if !maps.Equal(s.keeps(), kept) {
		s.t.Error("the session that was there is not as it was")
	}
	s.token()
}

func (s *stage) isRefused(h hostile, end scene) {
	s.t.Helper()
	s.says(end, 1, h.says)
	if end.code != h.code {
		s.t.Errorf("exit code: got %d, want %d\n%s", end.code, h.code, end.stderr)
	}
	if end.stdout != "" {
		s.t.Errorf("stdout: got %d bytes, want none", len(end.stdout))
	}
	if end.page != nil {
		s.shows(end.page, "Sign-in failed", strings.TrimPrefix(talk.FindString(end.stderr), "authctl: "))
	}
}

// What is odd and no danger is borne.
func TestOddLogin(t *testing.T) {
	each(t, oddLogins(), func(s *stage, h hostile) { s.loginIsBorne(h) })
}

func (s *stage) loginIsBorne(h hostile) {
	args := slices.Concat(s.profile, h.args)
	s.turn(h.mode)
	end := s.signIn(args...)
	s.says(end, h.lines(), h.says)
	s.welcomes(end)
	s.token()
	if h.see != nil {
		h.see(s)
	}
	s.turn("")
	s.signIn(args...)
}

// The response comes in the query or in a form.
func TestHostileResponse(t *testing.T) {
	for _, mode := range responseModes {
		t.Run(mode, func(t *testing.T) {
			each(t, hostileResponses(), func(s *stage, h hostile) { s.loginIsRefused(h, "--param", "response_mode="+mode) })
			each(t, oddResponses(), func(s *stage, h hostile) {
				h.args = []string{"--param", "response_mode=" + mode}
				s.loginIsBorne(h)
			})
		})
	}
}

var responseModes = []string{"query", "form_post"}

// A response without our state is not ours: it gets a 4xx, and the wait goes on until
// the right one comes.
func TestForeignResponse(t *testing.T) {
	for _, mode := range responseModes {
		t.Run(mode, func(t *testing.T) {
			each(t, foreignResponses(mode), func(s *stage, h hostile) {
				s.turn(h.mode)
				p, address := s.startLogin(slices.Concat(s.profile, []string{"--param", "response_mode=" + mode})...)
				if page := s.browse(address); page.Status < 400 || page.Status > 499 {
					s.t.Errorf("the page: got %d, %q, want a 4xx", page.Status, page.Text)
				}
				s.turn("")
				if page := s.browse(address); page.Status != http.StatusOK || !strings.Contains(page.Title, account) {
					s.t.Errorf("the page for the right one: got %d, %q", page.Status, page.Title)
				}
				end := scene{code: p.wait(), stdout: p.stdout.String(), stderr: p.stderr.String()}
				if s.says(end, 0, ""); end.code != 0 {
					s.t.Errorf("exit code: got %d, want 0\n%s", end.code, end.stderr)
				}
			})
		})
	}
}

// A renewal at a provider that has become hostile brings nothing, and what was stored
// stays.
func TestHostileRenewal(t *testing.T) {
	each(t, hostileRenewals(), func(s *stage, h hostile) {
		s.turn("past-expires-in")
		s.signIn(s.profile...)
		kept := s.keeps()
		for _, args := range [][]string{{"token"}, {"token", "--verbose"}} {
			s.turn(h.mode)
			s.isRefused(h, s.run(args...))
			if h.code != 3 && !maps.Equal(s.keeps(), kept) { // 3: that the refresh token is dead is remembered
				s.t.Error("the session is not as it was")
			}
		}
		s.turn("")
		if h.code == 3 {
			s.signIn()
		}
		s.token()
	})
}

// What is odd about a renewal and no danger is borne.
func TestOddRenewal(t *testing.T) {
	each(t, oddRenewals(), func(s *stage, h hostile) {
		s.turn("past-expires-in")
		s.signIn(s.profile...)
		s.turn(h.mode)
		end := s.run("token")
		s.says(scene{stderr: end.stderr}, h.lines(), h.says)
		if end.code != 0 || len(end.stdout) < 20 {
			s.t.Errorf("got exit %d and %d bytes, want 0 and a token\n%s", end.code, len(end.stdout), end.stderr)
		}
		if h.see != nil {
			h.see(s)
		}
		s.turn("")
		s.token("--refresh")
	})
}

// Whatever the provider says at sign-out, it is forgotten here.
func TestHostileRevocation(t *testing.T) {
	each(t, hostileRevocations(), func(s *stage, h hostile) {
		for _, args := range [][]string{{"logout"}, {"logout", "--verbose"}} {
			s.turn("")
			s.signIn(s.profile...)
			s.turn(h.mode)
			end := s.run(args...)
			s.says(end, h.lines(), h.says)
			if end.code != h.code || end.stdout != "" {
				s.t.Errorf("got exit %d and %d bytes, want %d and nothing\n%s", end.code, len(end.stdout), h.code, end.stderr)
			}
			if _, _, code := s.user.run("token"); code != 3 {
				s.t.Errorf("token afterwards: exit %d, want 3", code)
			}
		}
		s.turn("")
		s.signIn()
		if end := s.run("logout"); end.code != 0 {
			s.t.Errorf("an honest provider: exit %d\n%s", end.code, end.stderr)
		}
	})
}

// A provider that doesn't answer at all is left by Ctrl-C, and forgotten all the same.
func TestHangingRevocation(t *testing.T) {
	each(t, hangingRevocations(), func(s *stage, h hostile) {
		s.signIn(s.profile...)
		s.turn(h.mode)
		p := s.user.start(nil, "logout")
		eventually(s.t, "the request", func() bool { return s.provider.Count("revoke") > 0 })
		p.cmd.Process.Signal(os.Interrupt)
		end := scene{code: p.wait(), stdout: p.stdout.String(), stderr: p.stderr.String()}
		if s.says(end, 2, h.says); end.code != h.code { // how it ended, and that it was interrupted
			s.t.Errorf("exit code: got %d, want %d\n%s", end.code, h.code, end.stderr)
		}
		if _, _, code := s.user.run("token"); code != 3 {
			s.t.Errorf("token afterwards: exit %d, want 3", code)
		}
		s.turn("")
		s.signIn()
		s.user.must("logout")
	})
}

// Whoever adds a wrong behaviour says here what authctl makes of it.
func TestEveryModeHasARow(t *testing.T) {
	rows := map[string]bool{}
	for _, table := range [][]hostile{hostileLogins(), oddLogins(), hostileResponses(), oddResponses(), foreignResponses("query"),
		hostileDevices(), oddDevices(), hostileRenewals(), oddRenewals(), hostileRevocations(), hangingRevocations()} {
		for _, h := range table {
			for _, mode := range strings.Fields(h.mode) {
				rows[mode] = true
			}
		}
	}
	for _, mode := range idp.Modes() {
		if !rows[mode] {
			t.Errorf("the mode %s has no row", mode)
		}
		delete(rows, mode)
	}
	for mode := range rows {
		t.Errorf("there is no mode %s", mode)
	}
}
