package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/session"
	"github.com/authctl/authctl/internal/store"
)

// secretStore is where a profile's secrets are: a store.Keychain or a store.File.
type secretStore interface {
	session.Store
	Check(context.Context) error
}

// profile is one profile with all its settings, and what they lead to. Nothing
// secret has been read yet.
type profile struct {
	config.Profile
	choice    choice
	flags     config.Settings // laid over the profile
	stateDir  string
	openStore func(config.Profile) secretStore
	secrets   *presentStore
	session   *session.Session
	trace     *trace
	now       func() time.Time
	catch     func() // signals

	takesPassphrase func() bool
}

// asks reports whether the profile could do with a passphrase in place of the keychain.
func (p *profile) asks() bool { return p.StoreKeyFile == "" && p.takesPassphrase() }

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
	p, err := o.build(cmd, c, resolved)
	if err == nil {
		p.flags = flags
	}
	return p, err
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
	return o.buildIn(state, cmd, c, resolved), nil
}

func (o *options) buildIn(state string, cmd *cobra.Command, c choice, resolved config.Profile) *profile {
	p := &profile{
		Profile: resolved, choice: c, stateDir: state, trace: o.newTrace(cmd), now: o.now, catch: o.catch,
		openStore:       func(in config.Profile) secretStore { return o.openStore(cmd, in, state) },
		takesPassphrase: func() bool { return takesPassphrase(cmd) },
	}
	p.secrets = &presentStore{secretStore: p.openStore(resolved), follow: p.follow}
	p.session = &session.Session{
		Name:    secretName(c.name, c.file.Path),
		Store:   p.secrets,
		Dir:     filepath.Join(state, "locks"),
		Binding: binding(resolved),
		Cache:   p.kernelCache(),
		Caching: *resolved.KernelCache,
		Started: o.started,
		Locked:  p.catchUp,
		Now:     o.now,
	}
	return p
}

// openStore is where the profile's secrets are. All profiles share one keychain, so that
// one which doesn't answer is waited for once, and one passphrase, which is asked for once.
func (o *options) openStore(cmd *cobra.Command, p config.Profile, state string) secretStore {
	if p.Store == "file" {
		f := &store.File{Dir: fileStoreDir(state), KeyFile: p.StoreKeyFile}
		if f.KeyFile == "" {
			f.Passphrase = o.passphraseOf(cmd, p, f.Dir)
		}
		return f
	}
	if o.keychain == nil {
		o.keychain = newKeychain(state, unlockPrompt(cmd))
	}
	return o.keychain
}

func fileStoreDir(state string) string { return filepath.Join(state, "file") }

func newKeychain(state string, prompt func()) *store.Keychain {
	return &store.Keychain{Service: "authctl", Dir: filepath.Join(state, "keychain"), Getenv: os.Getenv, Prompt: prompt}
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

// kernelCache is the kernel's copy of the profile's access token. It is good only where the
// same file, profile and settings lead to the same store: whose account it is follows from
// there, see session.Cached.
func (p *profile) kernelCache() session.Cache {
	if runtime.GOOS != "linux" { // a config file may serve on other systems too
		return nil
	}
	cache := p.kernelOf(p.Store)
	if cache.Quiet { // there may be something to forget
		return cache
	}
	var purpose []byte
	for _, place := range []string{p.choice.file.Path, p.choice.name, p.stateDir, p.StoreKeyFile} {
		purpose = strconv.AppendQuote(purpose, place)
	}
	bound := binding(p.Profile)
	for _, key := range slices.Sorted(maps.Keys(bound)) {
		purpose = strconv.AppendQuote(purpose, bound[key])
	}
	cache.For = string(purpose)
	return cache
}

// kernelOf is what the kernel has of the secrets in a store of that kind. From every state
// directory there is one keychain.
func (p *profile) kernelOf(kind string) store.KernelCache {
	place := kind
	if kind == "file" {
		place = fileStoreDir(p.stateDir)
	}
	return store.KernelCache{Place: place, Quiet: !*p.KernelCache}
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
	c := &oauth.Client{ID: t.Binding["client_id"], HTTP: hc, Metadata: at.Metadata, PinnedIssuer: at.PinnedIssuer, Known: tokensOf(t), Now: p.now}
	p.trace.hide(c.Known...)
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
	p.catch()
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
	if refused := (*oauth.Error)(nil); client.Secret != "" && errors.As(err, &refused) && refused.Code == "invalid_client" {
		err = &clientSecretError{err}
	}
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
	if refused := (*oauth.Error)(nil); errors.As(err, &refused) && endsSession(refused) {
		kind = session.Dead
	}
	if unreachable := (*oauth.UnreachableError)(nil); errors.As(err, &unreachable) {
		kind = session.Unreachable
	}
	return &session.RenewalError{Kind: kind, Err: err}
}

// endsSession: nothing but a sign-in helps. RFC 6749 §5.2 has invalid_grant for that; others
// have names of their own, or ask for the person by OpenID Connect Core 3.1.2.6. With a
// status of 5xx that may be somebody else's answer, and is not remembered; nor is an
// invalid_token with 401, as of a gateway that wants one itself (RFC 6750 §3.1).
func endsSession(e *oauth.Error) bool {
	if e.Code == "invalid_token" {
		return e.Status == http.StatusBadRequest
	}
	return e.Code == "invalid_grant" || e.Status < 500 && slices.Contains([]string{
		"bad_refresh_token", "invalid_refresh_token",
		"login_required", "interaction_required", "consent_required", "account_selection_required",
	}, e.Code)
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
		Claims: g.Claims, SignatureChecked: g.SignatureChecked, Scope: g.Scope, ObtainedAt: g.Asked,
	}, nil
}
