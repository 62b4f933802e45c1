package config

import (
	"errors"
	"strings"
	"testing"
)

func set(profile string, s Settings) func(*Edit) error {
	return func(e *Edit) error { return e.Set(profile, s) }
}

func remove(profile string) func(*Edit) error {
	return func(e *Edit) error { return e.Remove(profile) }
}

func setDefault(name string) func(*Edit) error {
	return func(e *Edit) error { return e.SetDefault(name) }
}

func TestEditChangesOnlyItsLines(t *testing.T) {
	for _, c := range []struct {
		name, text string
		edit       func(*Edit) error
		want       string
	}{
		{"first profile", "", set("work", Settings{"issuer": "a", "client_id": "b", "offline": true, "scopes": []string{"x", "y"}, "params": map[string]string{"k": "v", "a b": ""}}),
			"[profile.work]\nissuer = \"a\"\nclient_id = \"b\"\nscopes = [\"x\", \"y\"]\noffline = true\nparams = { \"a b\" = \"\", k = \"v\" }\n"},
		{"another profile", "# top\n[profile.home]\n# end", set("work", Settings{"issuer": "a"}), "# top\n[profile.home]\n# end\n\n[profile.work]\nissuer = \"a\"\n"},
		{"name with a dot", "", set("a.b", nil), "[profile.\"a.b\"]\n"},
		{"escapes", "", set("w", Settings{"client_id": "a\"b\\c\n\t\x00\x7fé"}), "[profile.w]\nclient_id = \"a\\\"b\\\\c\\u000A\\u0009\\u0000\\u007Fé\"\n"},
		{"value", "[profile.work]\nissuer   =  'a'   # mine\n", set("work", Settings{"issuer": "b"}), "[profile.work]\nissuer   =  \"b\"   # mine\n"},
		{"same value, other spelling", "[profile.work]\nissuer = '''a'''\n", set("work", Settings{"issuer": "a"}), "[profile.work]\nissuer = '''a'''\n"},
		{"new key", "[profile.work]\n  issuer = \"a\" # x\n\n# y\n[profile.home]\n", set("work", Settings{"client_id": "b"}), "[profile.work]\n  issuer = \"a\" # x\n  client_id = \"b\"\n\n# y\n[profile.home]\n"},
		{"new key in an empty table", "[profile.work] # x\n# y\n", set("work", Settings{"client_id": "b"}), "[profile.work] # x\nclient_id = \"b\"\n# y\n"},
		{"new key, no line end", "[profile.work]\nissuer = \"a\"", set("work", Settings{"client_id": "b"}), "[profile.work]\nissuer = \"a\"\nclient_id = \"b\"\n"},
		{"CRLF and mark", "\ufeff[profile.work]\r\nissuer = \"a\"\r\n", set("work", Settings{"client_id": "b"}), "\ufeff[profile.work]\r\nissuer = \"a\"\r\nclient_id = \"b\"\r\n"},
		{"unset", "[profile.work]\nissuer = \"a\"\nclient_id = \"b\"\n", set("work", Settings{"issuer": ""}), "[profile.work]\nclient_id = \"b\"\n"},
		{"unset keeps the comment", "[profile.work]\n\tissuer = \"a\" # mine\n", set("work", Settings{"issuer": nil}), "[profile.work]\n\t# mine\n"},
		{"unset what is not set", "[profile.work]\n", set("work", Settings{"scopes": []string{}}), "[profile.work]\n"},
		{"array over lines", "[profile.work]\nscopes = [\n  \"a\", # why a\n  # \"b\",\n] # end\nstore = \"file\"\n", set("work", Settings{"scopes": []string{"c"}}),
			"[profile.work]\n# why a\n# \"b\",\nscopes = [\"c\"] # end\nstore = \"file\"\n"},
		{"array over lines unset", "[profile.work]\nscopes = [ \"a]\",\n] # end\nstore = \"file\"\n", set("work", Settings{"scopes": nil}), "[profile.work]\n# end\nstore = \"file\"\n"},
		{"string like a header", "[profile.home]\naudience = \"\"\"\n[profile.work]\nissuer = 'x'\n\"\"\"\n[profile.work]\nissuer = 'a'\n", set("work", Settings{"issuer": "b"}),
			"[profile.home]\naudience = \"\"\"\n[profile.work]\nissuer = 'x'\n\"\"\"\n[profile.work]\nissuer = \"b\"\n"},
		{"spaced header", "[ profile . 'work' ]\n[profile.home]\n", set("work", Settings{"issuer": "b"}), "[ profile . 'work' ]\nissuer = \"b\"\n[profile.home]\n"},
		{"dotted at the top", "profile.work.issuer = \"a\"\n[profile.home]\n", set("work", Settings{"client_id": "b"}), "profile.work.issuer = \"a\"\nprofile.work.client_id = \"b\"\n[profile.home]\n"},
		{"dotted in a table", "[profile]\n'work' . issuer = \"a\"\n", set("work", Settings{"client_id": "b"}), "[profile]\n'work' . issuer = \"a\"\n'work' . client_id = \"b\"\n"},
		{"inline value", "profile.work = { issuer = \"a\", offline = true } # x\n", set("work", Settings{"issuer": "b"}), "profile.work = { issuer = \"b\", offline = true } # x\n"},
		{"inline new", "profile.work = { issuer = \"a\" } # x\n", set("work", Settings{"client_id": "b"}), "profile.work = { issuer = \"a\", client_id = \"b\" } # x\n"},
		{"inline new in an empty one", "profile = { work = {} }\n", set("work", Settings{"client_id": "b"}), "profile = { work = { client_id = \"b\" } }\n"},
		{"inline unset first", "profile.work = { issuer = \"a\", client_id = \"b\" }\n", set("work", Settings{"issuer": ""}), "profile.work = { client_id = \"b\" }\n"},
		{"inline unset last", "profile.work = { issuer = \"a\", client_id = \"b\" }\n", set("work", Settings{"client_id": ""}), "profile.work = { issuer = \"a\" }\n"},
		{"params inline", "[profile.work]\nparams = { a = \"1\", b = \"2\" } # x\n", set("work", Settings{"params": map[string]string{"b": "3", "c": "4"}}), "[profile.work]\nparams = { b = \"3\", c = \"4\" } # x\n"},
		{"params table", "[profile.work]\n[profile.work.params]\na = \"1\" # x\nb = \"2\"\n", set("work", Settings{"params": map[string]string{"b": "3"}}), "[profile.work]\n[profile.work.params]\n# x\nb = \"3\"\n"},
		{"params dotted", "[profile.work]\nparams.a = \"1\"\nstore = \"file\"\n", set("work", Settings{"params": map[string]string{"a": "1", "b.c": "2"}}), "[profile.work]\nparams.a = \"1\"\nparams.\"b.c\" = \"2\"\nstore = \"file\"\n"},
		{"params unset", "[profile.work]\nstore = \"file\"\n\n[profile.work.params]\na = \"1\"\n\n[profile.home]\n", set("work", Settings{"params": nil}), "[profile.work]\nstore = \"file\"\n\n[profile.home]\n"},
		{"only a sub-table", "[profile.work.params]\na = \"1\"\n", set("work", Settings{"issuer": "b"}), "[profile.work.params]\na = \"1\"\n\n[profile.work]\nissuer = \"b\"\n"},
		{"default first", "# top\n[profile.work]\n", setDefault("work"), "default = \"work\"\n\n# top\n[profile.work]\n"},
		{"default changed", "# top\ndefault = 'home' # mine\n", setDefault("work"), "# top\ndefault = \"work\" # mine\n"},
		{"default behind keys", "profile.work.issuer = 'a'\n# x\n[profile.home]\n", setDefault("work"), "profile.work.issuer = 'a'\ndefault = \"work\"\n# x\n[profile.home]\n"},
		{"default out", "default = 'home' # mine\n", setDefault(""), "# mine\n"},
		{"default as it is", "default = 'home'\n", setDefault("home"), "default = 'home'\n"},
		{"remove", "default = 'home'\n\n[profile.work]\n# in\nissuer = \"a\" # x\n# behind\n\n[profile.home]\n", remove("work"), "default = 'home'\n# behind\n\n[profile.home]\n"},
		{"remove the first", "[profile.work]\nissuer = \"a\"\n\n[profile.home]\n", remove("work"), "[profile.home]\n"},
		{"remove the default", "default = 'work'\n[profile.work]\nissuer = \"a\"", remove("work"), ""},
		{"remove all pieces", "profile.home.issuer = 'h'\n[profile.work.params]\na = '1'\n[profile.home.params]\n[profile.work]\nscopes = [\n]\n", remove("work"), "profile.home.issuer = 'h'\n[profile.home.params]\n"},
		{"remove dotted", "profile.work.issuer = 'h' # x\nprofile.home.issuer = 'h'\nprofile.work.params.a = 'h'\n", remove("work"), "# x\nprofile.home.issuer = 'h'\n"},
		{"remove inline", "profile = { work = { issuer = 'a' }, home = {} }\n", remove("work"), "profile = { home = {} }\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := newEdit("/config.toml", c.text)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.edit(e); err != nil || e.Text() != c.want {
				t.Errorf("got %v\n%q\nwant\n%q", err, e.Text(), c.want)
			}
		})
	}
}

func TestEditRefusesWhatWouldLose(t *testing.T) {
	for _, c := range []struct {
		name, text string
		edit       func(*Edit) error
		line       int
	}{
		{"profile in an inline table", "# x\nprofile = { home = {} }\n", set("work", Settings{"issuer": "a"}), 2},
		{"comment in an inline table", "profile.work = {\n  issuer = \"a\", # first\n  client_id = \"b\",\n}\n", set("work", Settings{"client_id": ""}), 3},
		{"comment would go into a string", "profile.work = { audience = '''x\n''', scopes = [ # c\n] }\n", set("work", Settings{"scopes": []string{"a"}}), 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := newEdit("/config.toml", c.text)
			if err != nil {
				t.Fatal(err)
			}
			var refused *EditError
			if err := c.edit(e); !errors.As(err, &refused) || refused.Line != c.line {
				t.Errorf("got %v, want a refusal of line %d", err, c.line)
			}
			if e.Text() != c.text {
				t.Errorf("got %q, want it unchanged", e.Text())
			}
		})
	}
}

func TestEditRefusesNonsense(t *testing.T) {
	for name, edit := range map[string]func(*Edit) error{
		"profile name": set("My Work", nil),
		"key":          set("work", Settings{"colour": "red"}),
		"kind":         set("work", Settings{"scopes": "openid"}),
		"not UTF-8":    set("work", Settings{"params": map[string]string{"a": "\xff"}}),
		"default":      setDefault("My Work"),
	} {
		e, err := newEdit("/config.toml", whole)
		if err != nil {
			t.Fatal(err)
		}
		var invalid *InvalidError
		if err := edit(e); !errors.As(err, &invalid) || e.Text() != whole {
			t.Errorf("%s: got %v, want an *InvalidError and no change", name, err)
		}
	}
}

func TestRemoveOfAnUnknownProfile(t *testing.T) {
	e, err := newEdit("/config.toml", whole)
	if err != nil {
		t.Fatal(err)
	}
	var unknown *UnknownProfileError
	if err := e.Remove("wrok"); !errors.As(err, &unknown) || unknown.Nearest != "work" {
		t.Errorf("got %v, want that work is near", err)
	}
}

// What was added and taken out again has left no trace.
func TestSetAndRemoveLeaveTheTextAsItWas(t *testing.T) {
	for _, text := range oddTexts {
		e, err := newEdit("/config.toml", text)
		if err != nil || text != "" && !strings.HasSuffix(text, "\n") {
			continue
		}
		if err := e.Set("new", Settings{"issuer": "a"}); err != nil {
			continue
		}
		if err := e.Remove("new"); err != nil || e.Text() != text {
			t.Errorf("got %q, %v, want %q", e.Text(), err, text)
		}
	}
}
