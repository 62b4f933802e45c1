package config

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

// texts that people may write, each with its own way to go wrong.
var oddTexts = []string{
	"",
	"\n",
	"\ufeff# a byte order mark\r\n[profile.work]\r\nissuer = 'https://a.example' # here\r\n",
	"default = \"work\"\n\n[profile.work]\nissuer       = \"https://auth.example.com\"\nclient_id    = \"3f1c\"\nscopes       = [\"openid\", \"profile\"]\n",
	"[ profile . \"work\" ]\n\tissuer = \"a\"\n\n# behind\n[profile.home]\nissuer = \"b\"",
	"profile.work.issuer = \"a\" # one\nprofile . work . client_id = 'b'\n[profile.home]\n",
	"profile.work = { issuer = \"a\", scopes = [\"x\", \"y\"], params = { a = \"b\" } } # inline\n",
	"profile = { work = { issuer = 'a' }, home = {} }\n",
	"[profile]\nwork = { issuer = \"a\" }\nhome.issuer = \"b\"\n",
	"[profile.work.params]\nprompt = \"consent\" # why\n[profile.work]\nissuer = \"a\"\n",
	"[profile.work]\nparams.a = \"1\"\nparams.\"b c\" = \"2\"\n",
	"[profile.work]\nscopes = [\n  \"openid\", # needed\n  # \"groups\",\n  \"email\",\n] # end\nclient_id = \"x\"\n",
	"[profile.work]\naudience = \"\"\"\n[profile.home]\nissuer = \\\"x\\\" # no comment\n\"\"\"\nclient_id = '''\n'it''s' '''\n",
	"[profile.\"a.b\"]\nissuer = \"a\"\n[profile.a]\n",
	"[profile.work] # mine\n# nothing here\n\n\n[profile.home]\n",
	"profile.work = {\n  issuer = \"a\", # first\n  client_id = \"b\",\n}\n",
	"\"profile\".'work'.\"iss\\u0075er\" = \"a\"\n",
	"a = [{ b = 1 }, { c.d = [[], {}] }]\nt = 1979-05-27 07:32:00 # a date\nf = -1e6\n[[x.y]]\n[x.y.z]\n",
}

// keyPaths are what the scanner finds.
func keyPaths(text string) (paths []string) {
	for _, e := range scan(text) {
		var key toml.Key
		for _, s := range e.path {
			key = append(key, s.name)
		}
		paths = append(paths, key.String())
	}
	return paths
}

// The scanner checks nothing, so the library is held up to it.
func FuzzScan(f *testing.F) {
	for _, text := range oddTexts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.TrimPrefix(text, byteOrderMark)
		var tree map[string]any
		md, err := toml.Decode(text, &tree)
		if err != nil || strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff") {
			return
		}
		var want []string
		for _, key := range md.Keys() {
			want = append(want, key.String())
		}
		if got := keyPaths(text); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	})
}

// What is read without the library is what the library reads.
func FuzzPlain(f *testing.F) {
	for _, text := range append(oddTexts, whole,
		"default = \"a\"\n# c\n\n[profile.a]\r\noffline = false\nscopes = []\n[profile.b]\n resources\t=[ \"x\",\"y\" ] ",
		"default = \"a\"\ndefault = \"b\"\n", "[profile.a]\n[profile.a]\n", "[profile.a]\nissuer = \"x\"\nissuer = \"y\"\n", "[profile.a]\nscopes = [\"x\",]\n",
	) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := readPlain("/config.toml", text)
		if !ok {
			return
		}
		if want, err := parseTOML("/config.toml", text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, want %+v, %v", text, got, want, err)
		}
	})
}

// Whatever stands in the file, loading it ends, with a place in it when it fails.
func FuzzLoad(f *testing.F) {
	for _, text := range oddTexts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := parse("/config.toml", text)
		checkPlace(t, text, err)
		_, err = parseName("/.authctl.toml", text)
		checkPlace(t, text, err)
	})
}

func checkPlace(t *testing.T, text string, err error) {
	t.Helper()
	var syntax *SyntaxError
	if err == nil {
		return
	}
	if !errors.As(err, &syntax) {
		t.Fatalf("got %T %v, want a *SyntaxError", err, err)
	}
	lines := strings.Split(text, "\n")
	if syntax.Line < 1 || syntax.Line > len(lines) || syntax.Column < 1 || syntax.Column > len(lines[syntax.Line-1])+1 {
		t.Errorf("%q: %v is not in it", text, err)
	}
}

// An edit does exactly what it was told, or nothing; comments and other lines stay.
func FuzzEdit(f *testing.F) {
	for i, text := range oddTexts {
		for key := range Keys() {
			f.Add(text, "work", byte(key), "b c")
		}
		f.Add(text, "new.one", byte(i), "x\"\\\x01\u00e9")
		f.Add(text, "home", byte(8), "")
	}
	f.Fuzz(func(t *testing.T, text, profile string, key byte, value string) {
		e, err := newEdit("/config.toml", text)
		if err != nil {
			return
		}
		before := *e
		s := someSettings(key, value)
		want, withErr := e.file.profiles[profile].With(s)
		want.Name = profile
		if err := e.Set(profile, s); err != nil {
			checkRefusal(t, before, *e, err, withErr)
			return
		}
		checkEdit(t, before, *e, profile, want)
		checkKept(t, before, *e, profile, s)
		after := *e
		if err := e.Set(profile, s); err != nil || e.text != after.text {
			t.Errorf("%q: a second time: got %q, %v", after.text, e.text, err)
		}
		if err := e.Remove(profile); err != nil {
			checkRefusal(t, after, *e, err, nil)
		} else if _, still := e.file.profiles[profile]; still {
			t.Errorf("%q: still there", e.text)
		}
	})
}

// someSettings makes one setting of any key from fuzzed parts.
func someSettings(key byte, value string) Settings {
	k := Keys()[int(key)%len(Keys())]
	switch k.Kind {
	case Bool:
		return Settings{k.Name: len(value)%2 == 0}
	case List:
		return Settings{k.Name: strings.Fields(value)}
	case Map:
		m := map[string]string{}
		for _, f := range strings.Fields(value) {
			m[f] = value
		}
		return Settings{k.Name: m}
	}
	return Settings{k.Name: value}
}

func checkRefusal(t *testing.T, before, after Edit, err, withErr error) {
	t.Helper()
	var edit *EditError
	var invalid *InvalidError
	switch {
	case before.text != after.text || before.file != after.file:
		t.Errorf("refused, and changed: %q", after.text)
	case errors.As(err, &edit):
		if lines := 1 + strings.Count(before.text, "\n"); edit.Line < 1 || edit.Line > lines {
			t.Errorf("%q: %v is not in it", before.text, err)
		}
	case !errors.As(err, &invalid):
		t.Errorf("got %T %v, want an *EditError or *InvalidError", err, err)
	case withErr == nil && ValidName(invalid.Value):
		t.Errorf("got %v for good settings", err)
	}
}

func checkEdit(t *testing.T, before, after Edit, profile string, want Profile) {
	t.Helper()
	f, err := parse("/config.toml", after.Text())
	if err != nil {
		t.Fatalf("%q: %v", after.Text(), err)
	}
	for _, name := range f.Names() {
		if name == profile {
			continue
		}
		if !reflect.DeepEqual(f.profiles[name], before.file.profiles[name]) {
			t.Errorf("profile %q: got %+v, want %+v", name, f.profiles[name], before.file.profiles[name])
		}
	}
	if !reflect.DeepEqual(f.profiles[profile], want) {
		t.Errorf("got %+v, want %+v", f.profiles[profile], want)
	}
}

// checkKept finds every comment, and every line that holds none of the changed
// keys, in the new text.
func checkKept(t *testing.T, before, after Edit, profile string, s Settings) {
	t.Helper()
	old, now := scanner{text: before.text}, scanner{text: after.text}
	old.all()
	now.all()
	gone := slices.Clone(old.comments)
	for _, c := range now.comments {
		if i := slices.Index(gone, c); i >= 0 {
			gone = slices.Delete(gone, i, i+1)
		}
	}
	if _, m := s["params"]; !m && len(gone) > 0 {
		t.Errorf("%q became %q: lost %q", before.text, after.text, gone)
	}
	lines := strings.Split(before.text, "\n")
	touched := make([]bool, len(lines))
	for _, e := range old.found {
		for key := range s {
			inline := e.parent >= 0 || strings.HasPrefix(before.text[e.value:], "{")
			if inline || e.within([]string{"profile", profile, key}) {
				for l := strings.Count(before.text[:e.start], "\n"); l <= strings.Count(before.text[:e.end], "\n"); l++ {
					touched[l] = true
				}
			}
		}
	}
	rest := strings.Split(after.text, "\n")
	for i, l := range lines {
		if touched[i] || i == len(lines)-1 {
			continue
		}
		at := slices.Index(rest, l)
		if at < 0 {
			t.Fatalf("%q became %q: lost %q", before.text, after.text, l)
		}
		rest = rest[at+1:]
	}
}
