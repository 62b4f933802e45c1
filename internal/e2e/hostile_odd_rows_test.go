package e2e

import (
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/idp"
)

// oddLogins are what honest providers do too, or what doesn't matter.
func oddLogins() []hostile {
	noIDToken := func(o *idp.Options) { o.NoIDToken = true }
	unknown := "warning: who signed in isn't known"
	return slices.Concat([]hostile{
		{mode: "issuer-slash"},
		{mode: "redirect-once"},
		{mode: "no-pkce-listed"},
		{mode: "no-jwks", see: (*stage).uncheckedIsSaid},
		{mode: "endpoint-other-host"},
		{mode: "alg-unlisted"},

		{mode: "aud-list"},
		{mode: "several-aud-azp"},
		{mode: "no-at-hash"},
		{mode: "exp-fraction"},
		{mode: "exp-huge"},
		{mode: "iat-ahead"},
		{mode: "nbf-past"},
		{mode: "old-auth-time"},
		{mode: "no-auth-time"},
		{mode: "claims-elsewhere"},
		{mode: "id-token-empty"},

		{mode: "no-kid"},
		{mode: "no-kid-several"},
		{mode: "same-kid"},
		{mode: "rotated-key"},
		{mode: "key-without-use"},
		{mode: "broken-keys"},
		{mode: "url-in-header"},

		{mode: "token-form"},
		{mode: "no-token-type"},
		{mode: "token-type-case"},
		{mode: "text-expires-in"},
		{mode: "float-expires-in"},
		{mode: "past-expires-in"},
		{mode: "zero-expires-in"},
		{mode: "null-expires-in"},
		{mode: "huge-expires-in"},
		{mode: "1e300-expires-in"},
		{mode: "scope-list"},
		{mode: "no-scope"},
		{mode: "no-refresh"},
		{mode: "empty-refresh"},
		{mode: "null-refresh"},

		{mode: "userinfo-other-sub", see: (*stage).isAda}, // the ID token has said who it is
		{mode: "userinfo-no-sub", with: noIDToken},
		{mode: "userinfo-sub-number", with: noIDToken, see: (*stage).looksFit},
		{mode: "userinfo-jwt", with: noIDToken, says: unknown + ".*no JSON object"},
		{mode: "userinfo-echo", with: noIDToken, says: unknown + `.*\[redacted\]`},
	},
		borneAs(unknown, badAnswers("userinfo", "no JSON object"), noIDToken),
		borneAs(unknown, lateAnswers("userinfo"), noIDToken),
		hostileNames(nil), hostileNames(noIDToken))
}

// hostileNames are claims that whoever shows them has to clean.
func hostileNames(with func(*idp.Options)) []hostile {
	var rows []hostile
	for _, text := range []string{"escape", "controls", "bidi", "invisible", "html", "lines", "template", "long", "accents", "huge", "odd"} {
		rows = append(rows, hostile{mode: "claims-" + text, with: with, see: (*stage).looksFit})
	}
	return rows
}

// looksFit: what shows who is signed in holds nothing that a terminal acts on.
func (s *stage) looksFit() {
	for _, args := range [][]string{{"whoami"}, {"status", "--json"}} {
		end := s.run(args...)
		if s.says(end, 0, ""); end.code != 0 || end.stdout == "" {
			s.t.Errorf("%q: exit %d and %d bytes\n%s", args, end.code, len(end.stdout), end.stderr)
		}
		s.isTame(strings.Join(args, " "), end.stdout)
	}
	s.isFit("status", s.user.must("status"))
}

func (s *stage) isAda() {
	if got := s.user.must("whoami", "--claim", "sub"); got != "248289761001\n" {
		s.t.Errorf("got the sub %q, want the ID token's", got)
	}
}

func (s *stage) uncheckedIsSaid() {
	if end := s.run("status"); !strings.Contains(end.stdout, "signature not checked") {
		s.t.Errorf("status: got %q, want it to say that the signature was not checked", end.stdout)
	}
}
