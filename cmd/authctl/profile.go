package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/session"
	"github.com/authctl/authctl/internal/store"
)

// choice is which profile a command is about, before its settings are complete.
type choice struct {
	name    string
	from    string // what chose it, for messages; "" when nothing did and it is the last resort
	file    *config.File
	written config.Profile // as in the file; only its name when it isn't there
	exists  bool           // in the file
}

// choose finds the profile: --profile, AUTHCTL_PROFILE, the nearest .authctl.toml,
// `default` in the config file, "default".
func (o *options) choose() (choice, error) {
	path, err := o.configPath()
	if err != nil {
		return choice{}, err
	}
	file, err := config.Load(path)
	if err != nil {
		return choice{}, unreadable(err)
	}
	name, from, err := o.chosenName(file)
	if err != nil {
		return choice{}, unreadable(err)
	}
	return choose(file, name, from)
}

// unreadable is a config file that can't be read: wrong configuration.
func unreadable(err error) error {
	if system := (*fs.PathError)(nil); errors.As(err, &system) {
		return &usageError{err: errorf("reading the configuration: %w", err), hint: machineHint(err)}
	}
	return err
}

func choose(file *config.File, name, from string) (choice, error) {
	if !config.ValidName(name) {
		return choice{}, &usageError{err: errorf("%q is no profile name", name), hint: "a name has a-z, 0-9, '.', '_' and '-', 64 at most, and starts with a letter or digit"}
	}
	c := choice{name: name, from: from, file: file, written: config.Profile{Name: name}}
	p, err := file.Profile(name)
	if unknown := (*config.UnknownProfileError)(nil); errors.As(err, &unknown) {
		return c, nil
	}
	if err != nil {
		return choice{}, err
	}
	c.written, c.exists = p, true
	return c, nil
}

func (o *options) chosenName(file *config.File) (name, from string, err error) {
	if o.profile != "" {
		return o.profile, "--profile", nil
	}
	if name := os.Getenv("AUTHCTL_PROFILE"); name != "" {
		return name, "AUTHCTL_PROFILE", nil
	}
	if dir, err := os.Getwd(); err == nil {
		name, from, err := config.NameFrom(dir)
		if err != nil || name != "" {
			return name, from, err
		}
	}
	if file.Default != "" {
		return file.Default, file.Path, nil
	}
	return "default", "", nil
}

// isDefault reports whether the profile is the one that is used where nothing else
// chooses.
func (c choice) isDefault() bool {
	if c.file.Default != "" {
		return c.name == c.file.Default
	}
	return c.name == "default"
}

// secretStore is where a profile's secrets are: a store.Keychain or a store.File.
type secretStore interface {
	session.Store
	Check(context.Context) error
}

// profile is one profile with all its settings, and what they lead to. Nothing
// secret has been read yet.
type profile struct {
	config.Profile
	choice     choice
	configFlag string // as typed, for hints
	stateDir   string
	secrets    secretStore
	session    *session.Session
	trace      *trace
}

// open is the profile that a command works on, as the file and the environment
// have it.
func (o *options) open(cmd *cobra.Command) (*profile, error) {
	c, err := o.choose()
	if err != nil {
		return nil, err
	}
	return o.wireExisting(cmd, c)
}

// wireExisting is wire for the commands that need a profile to be there.
func (o *options) wireExisting(cmd *cobra.Command, c choice) (*profile, error) {
	p, err := o.wire(cmd, c, nil)
	if err != nil {
		return nil, c.incomplete(err)
	}
	return p, nil
}

// wire lays the environment and then the flags over the profile and builds what
// the settings lead to: config → store → session.
func (o *options) wire(cmd *cobra.Command, c choice, flags config.Settings) (*profile, error) {
	resolved, err := c.resolved(flags)
	if err != nil {
		return nil, err
	}
	return o.build(cmd, c, resolved)
}

// wireStored is wire for signing out, which works with settings that can't be used any
// more: whom to tell is in the session, and only the store has to be known.
func (o *options) wireStored(cmd *cobra.Command, c choice) (*profile, error) {
	p, err := o.wireExisting(cmd, c)
	invalid := (*config.InvalidError)(nil)
	if !errors.As(err, &invalid) || invalid.Key == "store" || invalid.Key == "store_key_file" {
		return p, err
	}
	settings, err := c.settings(nil)
	if err != nil {
		return nil, err
	}
	return o.build(cmd, c, settings.WithDefaults())
}

func (o *options) build(cmd *cobra.Command, c choice, resolved config.Profile) (*profile, error) {
	state, err := stateDir()
	if err != nil {
		return nil, err
	}
	secrets := o.openStore(cmd, resolved, state)
	return &profile{
		Profile: resolved, choice: c, stateDir: state, configFlag: o.config, trace: o.newTrace(cmd), secrets: secrets,
		session: &session.Session{
			Name:    secretName(c.name, c.file.Path),
			Store:   secrets,
			Dir:     filepath.Join(state, "locks"),
			Binding: binding(resolved),
			Started: o.started,
		},
	}, nil
}

// settings is the profile with the environment and then the flags laid over it,
// before the built-in defaults.
func (c choice) settings(flags config.Settings) (config.Profile, error) {
	env, err := fromEnvironment()
	if err != nil {
		return config.Profile{}, err
	}
	p, err := c.written.With(env)
	if err != nil {
		return config.Profile{}, err
	}
	return p.With(flags)
}

// resolved is settings with the built-in defaults, when all of it can be used.
func (c choice) resolved(flags config.Settings) (config.Profile, error) {
	p, err := c.settings(flags)
	if err != nil {
		return config.Profile{}, err
	}
	return p.Resolve()
}

// incomplete says what a missing setting means: a profile that was named and is
// nowhere is unknown, and one that nobody named was never signed in to.
func (c choice) incomplete(err error) error {
	invalid := (*config.InvalidError)(nil)
	if c.exists || !errors.As(err, &invalid) || !invalid.Missing {
		return err
	}
	if _, unknown := c.file.Profile(c.name); c.from != "" {
		return unknown
	}
	return &noProfileError{others: c.file.Names()}
}

// openStore is where the profile's secrets are. All profiles share one keychain, so that
// one which doesn't answer is waited for once.
func (o *options) openStore(cmd *cobra.Command, p config.Profile, state string) secretStore {
	if p.Store == "file" {
		return &store.File{Dir: filepath.Join(state, "file"), KeyFile: p.StoreKeyFile}
	}
	if o.keychain == nil {
		o.keychain = &store.Keychain{Service: "authctl", Dir: filepath.Join(state, "keychain"), Getenv: os.Getenv, Prompt: unlockPrompt(cmd)}
	}
	return o.keychain
}

// checkKeyFile keeps the key from lying beside what it seals.
func checkKeyFile(p config.Profile, state string) error {
	if p.Store != "file" || !within(state, p.StoreKeyFile) {
		return nil
	}
	return &usageError{
		err:  errorf("the key file %s is in authctl's own state directory, beside what it seals", p.StoreKeyFile),
		hint: "choose a --store-key-file elsewhere, for example on another volume or in your own key directory",
	}
}

// within reports whether path is inside dir, symbolic links resolved where they
// exist.
func within(dir, path string) bool {
	rel, err := filepath.Rel(resolved(dir), resolved(path))
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// resolved follows the links of the part of path that exists.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if parent := filepath.Dir(path); parent != path {
		return filepath.Join(resolved(parent), filepath.Base(path))
	}
	return path
}

// binding is what a session stands for. After a change of any of it the stored
// one no longer counts, so that an edited config can't send a refresh token to
// another host.
func binding(p config.Profile) map[string]string {
	return map[string]string{
		"issuer":                   strings.TrimSuffix(p.Issuer, "/"),
		"client_id":                p.ClientID,
		"authorization_url":        p.AuthorizationURL,
		"token_url":                p.TokenURL,
		"jwks_url":                 p.JWKSURL,
		"userinfo_url":             p.UserinfoURL,
		"revocation_url":           p.RevocationURL,
		"device_authorization_url": p.DeviceAuthorizationURL,
		"audience":                 p.Audience,
		"resources":                strings.Join(p.Resources, " "),
	}
}

// endpoints are those that the profile sets itself.
func (p *profile) endpoints() oauth.Endpoints {
	return oauth.Endpoints{
		Authorization: p.AuthorizationURL, Token: p.TokenURL, JWKS: p.JWKSURL,
		Userinfo: p.UserinfoURL, Revocation: p.RevocationURL, DeviceAuthorization: p.DeviceAuthorizationURL,
	}
}

// provider is the part of a session that says whom to ask: the metadata as it was
// at login, so that a renewal needs no discovery.
type provider struct {
	*oauth.Metadata
	PinnedIssuer string `json:"authctl_pinned_issuer,omitempty"` // iss of the first ID token
	Confidential bool   `json:"authctl_confidential,omitempty"`  // the client has a secret, in the store
}

// pinned is what the session's provider was at login.
func pinned(t *session.Tokens) (provider, error) {
	var p provider
	if err := json.Unmarshal(t.Provider, &p); err != nil || p.Metadata == nil {
		return provider{}, &session.FormatError{Why: "its provider is not readable"}
	}
	return p, nil
}

// client speaks to the session's provider, with the client's secret if it has one.
func (p *profile) client(ctx context.Context, t *session.Tokens, at provider) (*oauth.Client, error) {
	hc, err := p.httpClient()
	if err != nil {
		return nil, err
	}
	c := &oauth.Client{ID: t.Binding["client_id"], HTTP: hc, Metadata: at.Metadata, PinnedIssuer: at.PinnedIssuer}
	if at.Confidential {
		if c.Secret, err = clientSecret(ctx, p.secrets, p.session.Name, t.Binding); err != nil {
			return nil, err
		}
		if c.Secret == "" {
			return nil, &usageError{err: errorf("profile %q: its client secret is no longer in the store", p.Name), hint: "authctl profile set " + p.Name + " --client-secret-file FILE"}
		}
		p.trace.hide(c.Secret)
	}
	return c, nil
}

// renew is the session's way to the provider.
func (p *profile) renew(ctx context.Context, old *session.Tokens) (*session.Tokens, error) {
	at, err := pinned(old)
	if err != nil {
		return nil, err
	}
	client, err := p.client(ctx, old, at)
	if err != nil {
		return nil, err
	}
	grant, err := client.Refresh(ctx, oauth.Held{
		RefreshToken: old.RefreshToken, Scope: old.Scope, Claims: idTokenClaims(old),
		Audience: p.Audience, Resources: p.Resources,
	})
	if err != nil {
		return nil, renewalError(err)
	}
	return p.tokens(grant, at)
}

// idTokenClaims are those that the next ID token must agree with; what the userinfo
// endpoint said are none.
func idTokenClaims(t *session.Tokens) json.RawMessage {
	if t.IDToken == "" {
		return nil
	}
	return t.Claims
}

// renewalError says which of the three kinds of failure it was. The session acts
// on the kind and passes the text on to every process that waited.
func renewalError(err error) error {
	kind := session.Failed
	if refused := (*oauth.Error)(nil); errors.As(err, &refused) && refused.Code == "invalid_grant" {
		kind = session.Dead
	}
	if unreachable := (*oauth.UnreachableError)(nil); errors.As(err, &unreachable) {
		kind = session.Unreachable
	}
	return &session.RenewalError{Kind: kind, Err: err}
}

// tokens are what a login or a renewal brought, in the form that is kept.
func (p *profile) tokens(g *oauth.Grant, at provider) (*session.Tokens, error) {
	if g.Issuer != "" {
		at.PinnedIssuer = g.Issuer
	}
	pin, err := json.Marshal(at)
	if err != nil {
		return nil, err
	}
	return &session.Tokens{
		Binding: p.session.Binding, Provider: pin,
		AccessToken: g.AccessToken, TokenType: g.TokenType, Expiry: g.Expiry,
		RefreshToken: g.RefreshToken, IDToken: g.IDToken, IDTokenExpiry: g.IDTokenExpiry,
		Claims: g.Claims, SignatureChecked: g.SignatureChecked, Scope: g.Scope,
	}, nil
}
