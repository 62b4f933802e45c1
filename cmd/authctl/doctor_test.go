package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/authctl/authctl/internal/session"
)

// The home directory names its user. What only begins like it is another's.
func TestTilde(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"a file":            {"/home/ada/.config/x", "~/.config/x"},
		"itself":            {"/home/ada", "~"},
		"at the end":        {"in /home/ada", "in ~"},
		"before a colon":    {"/home/ada: no such directory", "~: no such directory"},
		"in quotes":         {"chmod 600 '/home/ada/my key'", "chmod 600 ~/'my key'"},
		"twice":             {"/home/ada/a and /home/ada/b", "~/a and ~/b"},
		"another's":         {"/home/adam/x", "/home/adam/x"},
		"another's and it":  {"/home/ada2/x /home/ada/x", "/home/ada2/x ~/x"},
		"another directory": {"/home/ada.old/x", "/home/ada.old/x"},
		"deeper":            {"/data/home/ada/x", "/data/home/ada/x"},
		"in a URL":          {"https://a.example/home/ada/x", "https://a.example/home/ada/x"},
		"on Windows":        {`/home/ada\AppData`, `~\AppData`},
		"nothing of it":     {"127.0.0.1", "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tilde(c.in, "/home/ada"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// The provider's clock, as its first answer has it.
func TestFirstAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		date  time.Duration // from now; the header is left out with none
		none  bool
		age   string
		ahead time.Duration
		dated bool
	}{
		"the same time":             {dated: true},
		"ahead":                     {date: 7 * time.Minute, ahead: 7 * time.Minute, dated: true},
		"behind":                    {date: -7 * time.Minute, ahead: -7 * time.Minute, dated: true},
		"from a cache":              {date: -time.Hour, age: "3600", dated: true},
		"from a cache, and ahead":   {date: -time.Hour, age: "4020", ahead: 7 * time.Minute, dated: true},
		"an age that is none":       {date: -time.Hour, age: "long", ahead: -time.Hour, dated: true},
		"an age before it was made": {date: time.Hour, age: "-3600", ahead: time.Hour, dated: true},
		"no date":                   {none: true},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", time.Now().Add(c.date).UTC().Format(http.TimeFormat))
				if c.none {
					w.Header()["Date"] = nil
				}
				w.Header().Set("Age", c.age)
			}))
			defer server.Close()
			f := &firstAnswer{next: http.DefaultTransport, now: time.Now}
			answer, err := (&http.Client{Transport: f}).Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if !f.came || f.dated != c.dated || (f.ahead-c.ahead).Abs() > 2*time.Second {
				t.Errorf("got one %v, dated %v, ahead %v, want true, %v, %v", f.came, f.dated, f.ahead, c.dated, c.ahead)
			}
		})
	}
}

// The provider's description of a refusal may name a person, or echo what it likes.
func TestRefusalCode(t *testing.T) {
	for refused, want := range map[string]string{
		"invalid_grant": "invalid_grant",
		"invalid_grant: ada@example.com was disabled": "invalid_grant",
		"ada@example.com was disabled":                "a refusal",
	} {
		if got := refusalCode(&session.Tokens{RefreshRefused: refused}); got != want {
			t.Errorf("%q: got %q, want %q", refused, got, want)
		}
	}
}

// doctorVerb is `doctor CODE ARG…`: the report has to end with that exit code, and
// whatever isn't well in it has to come with a way to mend it.
func doctorVerb(ts *testscript.TestScript, _ bool, args []string) {
	exitsVerb(ts, false, append([]string{args[0], "authctl", "doctor"}, args[1:]...))
	lines := strings.Split(ts.ReadFile("stdout"), "\n")
	code := "0"
	for i, line := range lines {
		result, _, _ := strings.Cut(line, " ")
		if result == resultFail {
			code = "1"
		}
		mends := strings.HasPrefix(lines[min(i+1, len(lines)-1)], "      fix: ")
		if isIll := result == resultWarn || result == resultFail; mends != isIll && result != "" {
			ts.Fatalf("%q is followed by a fix: %v", line, mends)
		}
	}
	if code != args[0] {
		ts.Fatalf("got exit code %s, and a report that means %s", args[0], code)
	}
}
