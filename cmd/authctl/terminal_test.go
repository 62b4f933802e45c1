package main

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// What a provider says is data: nothing of it moves a cursor or hides what follows.
func TestClean(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"plain":              {"Ada Lovelace", "Ada Lovelace"},
		"other scripts":      {"Ада 愛", "Ада 愛"},
		"colour":             {"\x1b[31mred\x1b[0m", "[31mred[0m"},
		"a title":            {"\x1b]0;pwned\x07", "]0;pwned"},
		"lines":              {"a\nb\tc\rd", "a b cd"},
		"C1 controls":        {"a\u009b31mb", "a31mb"},
		"reordering":         {"user\u202egpj.exe", "usergpj.exe"},
		"invisible":          {"a\u200bb\ufeff", "ab"},
		"no UTF-8":           {"a\xffb", "a\uFFFDb"},
		"line separators":    {"a\u2028b\u2029c", "abc"},
		"delete and nothing": {"a\x7fb\x00", "ab"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := clean(c.in); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// What a terminal would act on is escaped, which to a program is the same.
func TestPrintJSON(t *testing.T) {
	name := "a\x1b[2J\u009b\x7f\u202e\u200b\u2028\U000e0041<&>é愛"
	var b strings.Builder
	if err := printJSON(&b, map[string]string{"name": name}); err != nil {
		t.Fatal(err)
	}
	want := "{\n  \"name\": \"a\\u001b[2J\\u009b\\u007f\\u202e\\u200b\\u2028\\udb40\\udc41<&>é愛\"\n}\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
	var back map[string]string
	if err := json.Unmarshal([]byte(b.String()), &back); err != nil || back["name"] != name {
		t.Errorf("got %q, %v, want %q", back["name"], err, name)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{0, "now"}, {500 * time.Millisecond, "now"}, {-500 * time.Millisecond, "now"},
		{time.Second, "in 1 second"}, {59 * time.Second, "in 59 seconds"}, {-time.Second, "1 second ago"},
		{time.Minute, "in 1 minute"}, {90 * time.Minute, "in 1 hour"}, {-2 * time.Hour, "2 hours ago"},
		{24 * time.Hour, "in 1 day"}, {-50 * 24 * time.Hour, "50 days ago"},
	} {
		if got := distance(c.d); got != c.want {
			t.Errorf("%v: got %q, want %q", c.d, got, c.want)
		}
	}
}

func TestClaimText(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	in := func(zone *time.Location) func() {
		was := time.Local
		time.Local = zone
		return func() { time.Local = was }
	}
	defer in(time.FixedZone("JST", 9*3600))()
	for name, c := range map[string]struct{ claim, raw, want string }{
		"text":                {"name", `"Ada"`, "Ada"},
		"a number":            {"level", `3`, "3"},
		"a list":              {"aud", `["a","b"]`, `["a","b"]`},
		"true":                {"email_verified", `true`, "true"},
		"null":                {"nickname", `null`, ""},
		"a time":              {"exp", `1772370000`, "Sun 1 Mar 2026 22:00:00 JST (in 1 hour)  1772370000"},
		"a time that is past": {"auth_time", `1772280000`, "Sat 28 Feb 2026 21:00:00 JST (1 day ago)  1772280000"},
		"a fraction":          {"iat", `1772366400.5`, "Sun 1 Mar 2026 21:00:00 JST (now)  1772366400.5"},
		"a time that is none": {"exp", `"soon"`, "soon"},
		"not a time's name":   {"number", `1772370000`, "1772370000"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := claimText(c.claim, json.RawMessage(c.raw), now); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestWrap(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		columns int
		want    string
	}{
		"no end":         {"one two three", 0, "one two three"},
		"it fits":        {"one two three", 18, "one two three"},
		"one too long":   {"one two three", 17, "one two\n    three"},
		"a word a line":  {"one two three", 8, "one\n    two\n    three"},
		"a long word":    {"a https://auth.example.com/callback b", 20, "a\n    https://auth.example.com/callback\n    b"},
		"not in bytes":   {"äöü äöü", 12, "äöü äöü"},
		"nothing":        {"", 20, ""},
		"a tiny display": {"one two", 1, "one\n    two"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := wrap(c.text, 4, c.columns); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestPastedLine(t *testing.T) {
	for name, c := range map[string]struct {
		typed []string
		want  []string
		end   error // the last thing
	}{
		"one line":              {[]string{"abc\r"}, []string{"abc"}, nil},
		"in pieces":             {[]string{"a", "b", "c\n"}, []string{"abc"}, nil},
		"two lines":             {[]string{"a\nb\n"}, []string{"a", "b"}, nil},
		"not yet a line":        {[]string{"abc"}, nil, nil},
		"backspace and delete":  {[]string{"abx\x08c\x7fc\r"}, []string{"abc"}, nil},
		"a character is one":    {[]string{"aé愛\x7f\x7fb\r"}, []string{"ab"}, nil},
		"backspace at nothing":  {[]string{"\x08\x7fa\r"}, []string{"a"}, nil},
		"Ctrl-U":                {[]string{"wrong\x15right\r"}, []string{"right"}, nil},
		"longer than any line":  {[]string{string(make([]byte, longest+10)), "\r"}, []string{string(make([]byte, longest))}, nil},
		"a code of 5,000 bytes": {[]string{string(slices.Repeat([]byte("x"), 5000)), "\r"}, []string{string(slices.Repeat([]byte("x"), 5000))}, nil},
		"Ctrl-D":                {[]string{"a\r", "\x04"}, []string{"a"}, io.EOF},
		"Ctrl-D after Ctrl-U":   {[]string{"wrong\x15\x04"}, nil, io.EOF},
		"Ctrl-D in a line":      {[]string{"ab\x04", "c\x04d\r"}, []string{"abcd"}, nil},
		"Ctrl-D twice":          {[]string{"ab\x04", "\x04"}, []string{"ab"}, io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			var line pastedLine
			var got []string
			var end error
			for _, bytes := range c.typed {
				_, end = line.add([]byte(bytes), func(s string) bool { got = append(got, s); return false })
			}
			if !slices.Equal(got, c.want) || end != c.end {
				t.Errorf("got %d lines, %v, want %d, %v, or others", len(got), end, len(c.want), c.end)
			}
		})
	}
	t.Run("content with the first", func(t *testing.T) {
		var line pastedLine
		if done, err := line.add([]byte("a\nb\n"), func(s string) bool { return s == "a" }); !done || err != nil {
			t.Errorf("got %v, %v, want true", done, err)
		}
	})
}
