package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/need"
)

// nastyTokens have only what a token may have (RFC 6749, appendix A.12) and what means
// something to a shell, to curl's config or in a header. None has a space: ${IFS} is a
// shell's way around that.
var nastyTokens = map[string]string{
	"single quote":      `it's`,
	"quotes of ours":    `'\''`,
	"end of the word":   `x';touch${IFS}pwned;'`,
	"command":           `$(touch${IFS}pwned)`,
	"command of old":    "`touch${IFS}pwned`",
	"double quote":      `say"x"`,
	"backslash":         `a\b\`,
	"escaped quote":     `\"`,
	"curl's escapes":    `\n\t\r\v\x`,
	"curl's output":     `output=pwned`,
	"end of the header": `"output="pwned`,
	"curl's comment":    `#x`,
	"curl's variables":  `{{HOME}}`,
	"curl's file":       `@/etc/passwd`,
	"list of commands":  `x;touch${IFS}pwned&touch${IFS}pwned|touch`,
	"redirections":      `>pwned<pwned`,
	"expansions":        `$HOME${HOME}~*?[a-z]{a,b}!!`,
	"ANSI quote":        `$'\x41'`,
	"percent":           `%s%n%20%00%%`,
	"flag":              `--config`,
	"a header's own":    `Bearer:Basic,x=y`,
	"HTML":              `<script>alert(1)</script>&amp;`,
	"all there are":     visible(),
}

func visible() string {
	var b strings.Builder
	for c := byte(0x21); c < 0x7f; c++ {
		b.WriteByte(c)
	}
	return b.String()
}

// What a token may have comes through as it is, wherever the token goes: one from a
// provider, and one from AUTHCTL_TOKEN.
func TestNastyTokens(t *testing.T) {
	need.Program(t, "sh", "curl")
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Header.Get("Authorization"))
	}))
	t.Cleanup(echo.Close)
	for name, token := range nastyTokens {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, idp.Options{AccessToken: token}, false)
			s.signIn(s.profile...)
			s.comesThrough(token, echo.URL)

			s = newStage(t, idp.Options{}, false)
			s.user.set("AUTHCTL_TOKEN=" + token)
			s.comesThrough(token, echo.URL)
		})
	}
}

func (s *stage) comesThrough(token, echo string) {
	s.t.Helper()
	inShell := func(script string) string {
		out, err := s.user.program("sh", "-c", script, "sh", authctl).Output()
		if err != nil {
			s.t.Fatalf("%s: %v", script, err)
		}
		return string(out)
	}
	var object struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(s.user.must("token", "--format", "json")), &object); err != nil {
		s.t.Fatal(err)
	}
	for way, got := range map[string][2]string{ // what came, what should
		"raw":    {s.user.must("token"), token + "\n"},
		"header": {s.user.must("token", "--format", "header"), "Authorization: Bearer " + token + "\n"},
		"json":   {object.AccessToken, token},
		"eval":   {inShell(`eval "$("$1" token --format env)" && printf %s "$ACCESS_TOKEN"`), token},
		"child":  {inShell(`eval "$("$1" token --format env)" && env | sed -n 's/^ACCESS_TOKEN=//p'`), token + "\n"},
		"exec":   {s.user.must("exec", "--", "sh", "-c", `printf %s "$ACCESS_TOKEN"`), token},
		"curl":   {s.user.must("curl", "-sS", echo), "Bearer " + token},
	} {
		if got[0] != got[1] {
			s.t.Errorf("%s: got %q, want %q", way, got[0], got[1])
		}
	}
	if _, err := os.Stat(filepath.Join(s.user.home, "pwned")); err == nil {
		s.t.Error("the token was run as a command")
	}
}

// AUTHCTL_TOKEN with any other character is refused, and not shown.
func TestTokensThatNobodyHas(t *testing.T) {
	for name, token := range map[string]string{
		"space": "one-half and-another", "line": "one-half\nand-another", "header": "one-half\r\nX-Evil: 1",
		"tab": "one-half\tand-another", "escape": "one-half\x1b[2J", "accent": "one-half-é", "bidi": "one-half-\u202e", "no UTF-8": "one-half-\xff",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, idp.Options{}, false)
			s.user.set("AUTHCTL_TOKEN=" + token)
			for _, args := range [][]string{{"token"}, {"token", "--format", "env"}, {"exec", "--", "true"}, {"curl", s.provider.Issuer()}} {
				end := s.run(args...)
				s.says(end, 1, "^authctl: AUTHCTL_TOKEN has a character that no token has")
				if end.code != 2 || end.stdout != "" || strings.Contains(end.stderr, "half") {
					t.Errorf("%s: got exit %d and %d bytes, want 2, nothing, and nothing said of it", args[0], end.code, len(end.stdout))
				}
			}
			if n := s.provider.Count(""); n > 0 {
				t.Errorf("%d requests were sent with it", n)
			}
		})
	}
}

// On a terminal not even what is asked for in full moves the cursor.
func TestClaimsOnATerminal(t *testing.T) {
	for _, text := range []string{"escape", "controls", "bidi", "lines"} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, idp.Options{}, false)
			s.turn("claims-" + text)
			s.signIn(s.profile...)
			for _, args := range [][]string{{"whoami"}, {"whoami", "--claim", "name"}, {"whoami", "--json"}, {"status"}, {"status", "--json"}} {
				shown := s.user.terminal(args...)
				if code := shown.exit(); code != 0 {
					t.Errorf("%q: exit %d", args, code)
				}
				s.isTame(strings.Join(args, " "), strings.ReplaceAll(shown.screen.String(), "\r\n", "\n"))
			}
		})
	}
}
