package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const whole = `default = "work"

[profile.work]
issuer                   = "https://auth.example.com"
authorization_url        = "https://auth.example.com/a"
token_url                = "https://auth.example.com/t"
jwks_url                 = "https://auth.example.com/j"
userinfo_url             = "https://auth.example.com/u"
revocation_url           = "https://auth.example.com/r"
device_authorization_url = "https://auth.example.com/d"
client_id                = "3f1c"
scopes                   = ["openid", "email"]
offline                  = false
redirect_uri             = "https://localhost:9000/callback"
tls_cert                 = "tls/cert.pem"
tls_key                  = "/etc/key.pem"
audience                 = "api"
resources                = ["https://api.example.com/"]
params                   = { prompt = "consent" }
ca_file                  = "~/ca.pem"
store                    = "file"
store_key_file           = "../key"
store_timeout            = "30m"
kernel_cache             = true

[profile.home]
scopes = []
`

// A file of many profiles is read without the library, as long as nobody has written
// something else into it than authctl does. Only params are never plain.
func TestWhatIsPlain(t *testing.T) {
	plain := strings.Replace(whole, "params                   = { prompt = \"consent\" }\n", "", 1)
	for _, tc := range []struct {
		name, text string
		want       bool
	}{
		{"what authctl writes", plain, true},
		{"empty", "", true},
		{"comments and blank lines", "# mine\n\n" + plain + "# end", true},
		{"lines of Windows", strings.ReplaceAll(plain, "\n", "\r\n"), true},
		{"params", whole, false},
		{"comment behind a value", "[profile.a]\nissuer = \"a\" # mine\n", false},
		{"list over lines", "[profile.a]\nscopes = [\n\"a\"]\n", false},
		{"unknown key", "[profile.a]\nissuers = \"a\"\n", false},
		{"wrong kind", "[profile.a]\noffline = \"yes\"\n", false},
		{"twice", "[profile.a]\nissuer = \"a\"\nissuer = \"a\"\n", false},
		{"table twice", "[profile.a]\n[profile.a]\n", false},
		{"escape", "[profile.a]\nissuer = \"\\u0041\"\n", false},
		{"no UTF-8", "[profile.a]\nissuer = \"\xff\"\n", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, got := readPlain("/config.toml", tc.text); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func wholeProfile() Profile {
	no, yes := false, true
	return Profile{
		Name: "work", Issuer: "https://auth.example.com", AuthorizationURL: "https://auth.example.com/a",
		TokenURL: "https://auth.example.com/t", JWKSURL: "https://auth.example.com/j",
		UserinfoURL: "https://auth.example.com/u", RevocationURL: "https://auth.example.com/r",
		DeviceAuthorizationURL: "https://auth.example.com/d", ClientID: "3f1c", Scopes: []string{"openid", "email"},
		Offline: &no, RedirectURI: "https://localhost:9000/callback", TLSCert: "tls/cert.pem", TLSKey: "/etc/key.pem",
		Audience: "api", Resources: []string{"https://api.example.com/"}, Params: map[string]string{"prompt": "consent"},
		CAFile: "~/ca.pem", Store: "file", StoreKeyFile: "../key", StoreTimeout: "30m", KernelCache: &yes,
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLoadReadsEverySetting(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "conf", "config.toml")
	write(t, path, whole)
	f, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if f.Default != "work" || !slices.Equal(f.Names(), []string{"home", "work"}) {
		t.Errorf("got default %q, names %q", f.Default, f.Names())
	}
	got, err := f.Profile("work")
	want := wholeProfile()
	want.TLSCert = filepath.Join(dir, "conf", "tls", "cert.pem")
	want.CAFile = filepath.Join(dir, "conf", "~", "ca.pem")
	want.StoreKeyFile = filepath.Join(dir, "key")
	if want.TLSKey = "/etc/key.pem"; !filepath.IsAbs(want.TLSKey) { // Windows: it lacks a drive
		want.TLSKey = filepath.Join(dir, "conf", "etc", "key.pem")
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if set := got.Settings(); len(set) != len(Keys()) {
		t.Errorf("got %d settings of %d: %v", len(set), len(Keys()), set)
	}
	got.Scopes[0], got.Params["prompt"] = "changed", "changed"
	if again, _ := f.Profile("work"); !reflect.DeepEqual(again, want) {
		t.Errorf("a change of a copy reached the file: got %+v", again)
	}
}

func TestLoadOfNothing(t *testing.T) {
	f, err := Load(filepath.Join(t.TempDir(), "no", "config.toml"))
	if err != nil || len(f.Names()) != 0 || f.Default != "" {
		t.Fatalf("got %+v, %v, want an empty file", f, err)
	}
	if _, err := Load(t.TempDir()); err == nil {
		t.Error("a directory: got no error")
	}
}

func TestUnknownProfile(t *testing.T) {
	for name, near := range map[string]string{"wrok": "work", "hom": "home", "Work": "work", "elsewhere": "", "x": ""} {
		f, err := parse("/config.toml", whole)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Profile(name)
		var unknown *UnknownProfileError
		if !errors.As(err, &unknown) || unknown.Nearest != near || !slices.Equal(unknown.Known, []string{"home", "work"}) {
			t.Errorf("%q: got %#v, want nearest %q", name, err, near)
		}
	}
}

func TestSyntaxErrorsSayWhere(t *testing.T) {
	for _, c := range []struct {
		name, text   string
		line, column int
		msg, hint    string
	}{
		{"broken string", "default = \"work\n", 1, 16, "strings cannot contain newlines", ""},
		{"broken table", "\n[profile.work\n", 2, 14, `expected '.' or ']' to end table name, but got '\n' instead`, ""},
		{"no value", "[profile.work]\nissuer =\n", 2, 9, `expected value but found '\n' instead`, ""},
		{"end in a string", "default = \"", 1, 11, `unexpected EOF; expected '"'`, ""},
		{"twice", "default = \"a\"\ndefault = \"b\"\n", 2, 1, "Key 'default' has already been defined.", ""},
		{"two tables", "[profile.a]\n[profile.a]\n", 2, 2, "Key 'profile.a' has already been defined.", ""},
		{"not UTF-8", "# ä\n# \xe4\n", 2, 3, "this is not UTF-8 text", ""},
		{"UTF-16", "\xff\xfed\x00", 1, 1, "this is not UTF-8 text", ""},
		{"misspelt key", "[profile.work]\n# ä\n  isuer = \"x\"\n", 3, 3, `unknown key "isuer"`, `did you mean "issuer"?`},
		{"hyphen", "[profile.work]\nclient-id = \"x\"\n", 2, 1, `unknown key "client-id"`, `did you mean "client_id"?`},
		{"another case", "[profile.work]\nIssuer = \"x\"\n", 2, 1, `unknown key "Issuer"`, `did you mean "issuer"?`},
		{"strange key", "[profile.work]\ncolour = \"x\"\n", 2, 1, `unknown key "colour"`, ""},
		{"secret", "[profile.work]\nclient_secret = \"x\"\n", 2, 1, `unknown key "client_secret"`, "a client secret is kept in the credential store, never in this file"},
		{"dotted", "profile.work.isuer = \"x\"\n", 1, 14, `unknown key "isuer"`, `did you mean "issuer"?`},
		{"inline", "profile.work = { isuer = \"x\" }\n", 1, 18, `unknown key "isuer"`, `did you mean "issuer"?`},
		{"behind text like it", "[profile.work]\naudience = \"\"\"\nisuer = 1\n\"\"\"\nisuer = 1\n", 5, 1, `unknown key "isuer"`, `did you mean "issuer"?`},
		{"unknown table in a profile", "[profile.work]\n[profile.work.extra]\na = 1\n", 2, 15, `unknown key "extra"`, ""},
		{"top level", "defualt = \"x\"\n", 1, 1, `unknown key "defualt"`, `did you mean "default"?`},
		{"misspelt table", "[profiles.work]\n", 1, 2, `unknown key "profiles"`, `did you mean "profile"?`},
		{"table without profile", "\n[work]\nissuer = \"x\"\n", 2, 2, `unknown key "work"`, "did you mean [profile.work]?"},
		{"setting without table", "issuer = \"x\"\n", 1, 1, `unknown key "issuer"`, `"issuer" belongs under [profile.NAME]`},
		{"the first of several", "[profile.work]\nb = 1\na = 1\n[profile.A]\n", 2, 1, `unknown key "b"`, ""},
		{"name", "[profile.\"My Work\"]\n", 1, 10, `"My Work" can't name a profile`, nameRule},
		{"empty name", "[profile.\"\"]\n", 1, 10, `"" can't name a profile`, nameRule},
		{"number for a string", "[profile.work]\nissuer = 1\n", 2, 1, "issuer must be a string", ""},
		{"string for a list", "[profile.work]\nscopes = \"a\"\n", 2, 1, "scopes must be a list of strings", ""},
		{"list of numbers", "[profile.work]\nscopes = [\"a\", 1]\n", 2, 1, "scopes must be a list of strings", ""},
		{"string for a bool", "[profile.work]\noffline = \"yes\"\n", 2, 1, "offline must be true or false", ""},
		{"string for a map", "[profile.work]\nparams = \"a=b\"\n", 2, 1, "params must be a table of strings", ""},
		{"map of numbers", "[profile.work.params]\na = \"b\"\nc = 1\n", 3, 1, "c must be a string", ""},
		{"table for a string", "[profile.work.issuer]\na = \"b\"\n", 1, 15, "issuer must be a string", ""},
		{"default", "default = 1\n", 1, 1, "default must be a string", ""},
		{"profile", "profile = 1\n", 1, 1, "profile must be a table", ""},
		{"array of profiles", "[[profile]]\n", 1, 3, "profile must be a table", ""},
		{"profile is a string", "profile.work = \"x\"\n", 1, 9, "work must be a table", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse("/config.toml", c.text)
			want := &SyntaxError{"/config.toml", c.line, c.column, c.msg, c.hint}
			if !reflect.DeepEqual(err, error(want)) {
				t.Errorf("got %#v\nwant %#v", err, want)
			}
		})
	}
}

// The honest twin: odd, and right.
func TestOddSpellingsLoad(t *testing.T) {
	for _, text := range oddTexts[:len(oddTexts)-1] {
		if _, err := parse("/config.toml", text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := parse("/config.toml", "default = \"nobody\"\n"); err != nil {
		t.Errorf("a default without its profile: %v", err)
	}
}
