package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/authctl/authctl/internal/config"
)

// setting is a setting as it is typed: the flag is --NAME, the variable AUTHCTL_NAME.
// Its kind of value is the config's to know. The word in backquotes stands for the
// value in the help.
type setting struct {
	name, key, help string
}

var settings = []setting{
	{"issuer", "issuer", "the provider's `URL`; a bare host means https://HOST"},
	{"authorization-url", "authorization_url", "authorization endpoint's `URL`, for a provider without discovery"},
	{"token-url", "token_url", "token endpoint's `URL`, for a provider without discovery"},
	{"jwks-url", "jwks_url", "`URL` of the provider's keys, where discovery doesn't tell"},
	{"userinfo-url", "userinfo_url", "userinfo endpoint's `URL`, where discovery doesn't tell"},
	{"revocation-url", "revocation_url", "revocation endpoint's `URL`, where discovery doesn't tell"},
	{"device-authorization-url", "device_authorization_url", "device authorization endpoint's `URL`, where discovery doesn't tell"},
	{"client-id", "client_id", "`ID` of the client that is registered with the provider"},
	{"scope", "scopes", "`SCOPE` to ask for; repeat it, or separate with spaces (default openid profile email)"},
	{"offline", "offline", "ask for a refresh token with offline_access, where the provider lists it (default true)"},
	{"redirect-uri", "redirect_uri", "`URI` to come back to: no port means any free one, https listens with TLS (default http://127.0.0.1/callback)"},
	{"tls-cert", "tls_cert", "certificate `FILE` for an https redirect URI (default self-signed, made once)"},
	{"tls-key", "tls_key", "private key `FILE` of --tls-cert"},
	{"audience", "audience", "`AUDIENCE` parameter, for providers that want one"},
	{"resource", "resources", "`URI` of a resource to ask for (RFC 8707); repeat it for more"},
	{"param", "params", "another parameter of the authorization request, as `NAME=VALUE`; repeat it for more"},
	{"ca-file", "ca_file", "PEM `FILE` of more trusted roots for the provider"},
	{"store", "store", "`STORE` for the tokens: keychain or file (default keychain)"},
	{"store-key-file", "store_key_file", "`FILE` of 32 random bytes for --store file; login makes it when absent (default a passphrase, on Linux)"},
	{"store-timeout", "store_timeout", "`DURATION` for which the kernel keeps the key of --store file; then its passphrase is asked for again (default 8h)"},
	{"kernel-cache", "kernel_cache", "on Linux, keep each new access token in the kernel too, until a minute before it expires, though the keychain be locked meanwhile (default false)"},
}

// placeholder stands for the value in the help.
func (s setting) placeholder() string {
	_, word, _ := strings.Cut(s.help, "`")
	word, _, _ = strings.Cut(word, "`")
	return word
}

// kind is what its value is made of.
func (s setting) kind() config.Kind { return s.kindIn(config.Keys()) }

func (s setting) kindIn(keys []config.Key) config.Kind {
	for _, k := range keys {
		if k.Name == s.key {
			return k.Kind
		}
	}
	panic("authctl: a flag for a setting that the config doesn't have: " + s.key)
}

// settingFlags are the setting flags of one command.
type settingFlags struct {
	cmd        *cobra.Command
	lists      map[string]*[]string
	secretFile string
}

func addSettingFlags(cmd *cobra.Command) *settingFlags {
	f := &settingFlags{cmd: cmd, lists: map[string]*[]string{}}
	keys := config.Keys() // once: this is done whatever the command, and token is to be quick
	for _, s := range settings {
		kind := s.kindIn(keys)
		switch kind {
		case config.Bool:
			cmd.Flags().Var(new(onOff), s.name, s.help)
			cmd.Flags().Lookup(s.name).NoOptDefVal = "true"
		case config.List, config.Map:
			f.lists[s.name] = cmd.Flags().StringArray(s.name, nil, s.help)
		default:
			cmd.Flags().String(s.name, "", s.help)
		}
		switch {
		case s.name == "store":
			cmd.RegisterFlagCompletionFunc(s.name, cobra.FixedCompletions([]string{"keychain", "file"}, cobra.ShellCompDirectiveNoFileComp))
		case kind != config.Path:
			cmd.RegisterFlagCompletionFunc(s.name, cobra.NoFileCompletions)
		}
	}
	cmd.Flags().StringVar(&f.secretFile, "client-secret-file", "", "`FILE` of the client secret, for a provider that demands one; kept in the store, never in the config")
	return f
}

// onOff is a switch that can be unset too, by nothing after its "=".
type onOff string

func (v *onOff) Set(text string) error {
	*v = onOff(text)
	if text == "" {
		return nil
	}
	_, err := strconv.ParseBool(text)
	return err
}

func (v *onOff) String() string { return string(*v) }

func (v *onOff) Type() string { return "bool" }

// given is what was typed: the settings to lay over the profile and to save. An
// empty value unsets.
func (f *settingFlags) given() (config.Settings, error) {
	got := config.Settings{}
	for _, s := range settings {
		typed := f.cmd.Flags().Lookup(s.name)
		if !typed.Changed {
			continue
		}
		values := []string{typed.Value.String()}
		if l := f.lists[s.name]; l != nil {
			values = *l
		}
		v, err := s.parse(values)
		if err != nil {
			return nil, &usageError{err: errorf("--%s: %v", s.name, err)}
		}
		got[s.key] = v
	}
	return got, nil
}

// typed is what was typed, as it would be typed again. What may hold a secret, a
// parameter's value or a URL's query, is left out.
func (f *settingFlags) typed() string {
	var words strings.Builder
	for _, s := range settings {
		flag := f.cmd.Flags().Lookup(s.name)
		if !flag.Changed {
			continue
		}
		values := []string{flag.Value.String()}
		if l := f.lists[s.name]; l != nil {
			values = *l
		}
		for _, v := range values {
			words.WriteString(" --" + s.name + s.separator() + shellWord(s.shown(v)))
		}
	}
	if f.secretFile != "" {
		words.WriteString(" --client-secret-file " + shellWord(f.secretFile))
	}
	return words.String()
}

// separator stands between the flag and its value: a flag that is a switch takes only
// one value of its own, after "=".
func (s setting) separator() string {
	if s.kind() == config.Bool {
		return "="
	}
	return " "
}

func (s setting) shown(value string) string {
	if name, _, ok := strings.Cut(value, "="); ok && s.kind() == config.Map {
		return name + "=…"
	}
	if strings.Contains(value, "://") {
		return config.Shown(value)
	}
	return value
}

// fromEnvironment is what the AUTHCTL_ variables set; it is never saved.
func fromEnvironment() (config.Settings, error) {
	got := config.Settings{}
	for _, s := range settings {
		value := os.Getenv(s.variable())
		if value == "" || s.kind() == config.Map {
			continue
		}
		v, err := s.parse([]string{value})
		if err != nil {
			return nil, &usageError{err: errorf("%s: %v", s.variable(), err)}
		}
		got[s.key] = v
	}
	return got, nil
}

// variable is the environment's name of a setting, by its flag's. Every token looks for all.
func (s setting) variable() string {
	name := []byte("AUTHCTL_" + s.name)
	for i, c := range name {
		switch {
		case c == '-':
			name[i] = '_'
		case 'a' <= c && c <= 'z':
			name[i] = c - 'a' + 'A'
		}
	}
	return string(name)
}

// parse turns what was typed into the value that the profile keeps. A file is relative
// to the working directory when typed, so its path is kept absolute.
func (s setting) parse(values []string) (any, error) {
	v, err := config.Parse(s.key, values)
	if file, ok := v.(string); ok && file != "" && s.kind() == config.Path {
		return filepath.Abs(file)
	}
	return v, err
}
