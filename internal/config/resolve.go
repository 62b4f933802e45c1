package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"
)

// InvalidError is a setting whose value can't be used, or that has none.
type InvalidError struct {
	Profile string // may be empty
	Key     string
	Value   string // what to show of it: never a password in a URL or a parameter's value
	Why     string
	Missing bool // it has no value and must have one
}

func (e *InvalidError) Error() string {
	msg := e.Key
	if e.Value != "" {
		msg += fmt.Sprintf(" %q", e.Value)
	}
	msg += ": " + e.Why
	if e.Profile != "" {
		msg = fmt.Sprintf("profile %q: %s", e.Profile, msg)
	}
	return msg
}

func (p Profile) invalid(key, value, why string) error {
	return &InvalidError{Profile: p.Name, Key: key, Value: value, Why: why}
}

func (p Profile) missing(key, why string) error {
	return &InvalidError{Profile: p.Name, Key: key, Why: why, Missing: true}
}

// Resolve returns a copy with the built-in defaults filled in, after checking that
// all of it can be used together. Errors: *InvalidError; one that says Missing only
// when nothing that is there is wrong.
func (p Profile) Resolve() (Profile, error) {
	p = p.clone()
	p.fill()
	var missing error
	for _, check := range []func(*Profile) error{
		(*Profile).checkIssuer, (*Profile).checkEndpoints, (*Profile).checkClient, (*Profile).checkScopes, (*Profile).checkRedirect,
		(*Profile).checkResources, (*Profile).checkParams, (*Profile).checkStore,
	} {
		var invalid *InvalidError
		switch err := check(&p); {
		case errors.As(err, &invalid) && invalid.Missing:
			missing = cmp.Or(missing, err)
		case err != nil:
			return Profile{}, err
		}
	}
	if missing != nil {
		return Profile{}, missing
	}
	return p, nil
}

// WithDefaults returns a copy with the built-in defaults filled in and nothing checked,
// for what needs only some of the settings.
func (p Profile) WithDefaults() Profile {
	p = p.clone()
	p.fill()
	return p
}

func (p *Profile) fill() {
	if p.Scopes == nil {
		p.Scopes = []string{"openid", "profile", "email"}
	}
	if p.Offline == nil {
		yes := true
		p.Offline = &yes
	}
	if p.RedirectURI == "" {
		p.RedirectURI = "http://127.0.0.1/callback"
	}
	if p.Store == "" {
		p.Store = "keychain"
	}
	if p.HasPassphrase() && p.StoreTimeout == "" {
		p.StoreTimeout = "8h"
	}
	if p.KernelCache == nil {
		p.KernelCache = new(bool)
	}
}

func (p *Profile) checkIssuer() error {
	if p.Issuer == "" && (p.AuthorizationURL == "" || p.TokenURL == "") {
		return p.missing("issuer", "not set, and needed unless authorization_url and token_url both are")
	}
	if p.Issuer != "" {
		url := issuerOf(p.Issuer)
		if why := checkIssuer(url); why != "" {
			return p.invalid("issuer", Shown(p.Issuer), why)
		}
		p.Issuer = url
	}
	return nil
}

func (p *Profile) checkEndpoints() error {
	for _, s := range p.table() {
		if at, ok := s.at.(*string); ok && strings.HasSuffix(s.Name, "_url") && *at != "" {
			if why := checkEndpoint(*at); why != "" {
				return p.invalid(s.Name, Shown(*at), why)
			}
		}
	}
	return nil
}

func (p *Profile) checkClient() error {
	if p.ClientID == "" {
		return p.missing("client_id", "not set: the provider gives one when authctl is registered there")
	}
	// RFC 6749 appendix A.1
	if strings.ContainsFunc(p.ClientID, func(r rune) bool { return r < ' ' || r > '~' }) {
		return p.invalid("client_id", p.ClientID, "it has a character that no client ID may have")
	}
	return nil
}

// checkScopes also drops what is there twice.
func (p *Profile) checkScopes() error {
	once := []string{}
	for _, s := range p.Scopes {
		// RFC 6749 §3.3: %x21 / %x23-5B / %x5D-7E
		bad := func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }
		if s == "" || strings.ContainsFunc(s, bad) {
			return p.invalid("scopes", s, "no scope is empty or has a space, a quote or a backslash in it")
		}
		if !slices.Contains(once, s) {
			once = append(once, s)
		}
	}
	p.Scopes = once
	return nil
}

func (p *Profile) checkRedirect() error {
	if why := checkRedirectURI(p.RedirectURI); why != "" {
		return p.invalid("redirect_uri", Shown(p.RedirectURI), why)
	}
	switch {
	case p.TLSCert == "" && p.TLSKey == "":
		return nil
	case p.TLSCert == "":
		return p.missing("tls_cert", "not set, though tls_key is")
	case p.TLSKey == "":
		return p.missing("tls_key", "not set, though tls_cert is")
	case !strings.HasPrefix(strings.ToLower(p.RedirectURI), "https:"):
		return p.invalid("tls_cert", p.TLSCert, "it is of no use: redirect_uri "+Shown(p.RedirectURI)+" is not https")
	}
	return nil
}

func (p *Profile) checkResources() error {
	for _, r := range p.Resources {
		if why := checkAbsolute(r); why != "" { // RFC 8707 §2
			return p.invalid("resources", Shown(r), why)
		}
	}
	return nil
}

// checkParams keeps the parameters that carry a login's safety, or have a setting
// of their own, out of reach.
func (p *Profile) checkParams() error {
	for _, name := range slices.Sorted(maps.Keys(p.Params)) {
		value := p.Params[name]
		switch name {
		case "":
			return p.invalid("params", "", "a parameter has no name")
		case "response_type", "client_id", "redirect_uri", "scope", "state", "nonce",
			"code_challenge", "code_challenge_method", "code_verifier", "grant_type", "code", "device_code",
			"client_secret", "client_assertion", "client_assertion_type", "refresh_token",
			"request", "request_uri": // RFC 9101 §4: these would replace all the others
			return p.invalid("params", name, "authctl sets this parameter itself")
		case "audience", "resource":
			return p.invalid("params", name, "this parameter has a setting of its own")
		case "response_mode":
			if value != "query" && value != "form_post" {
				return p.invalid("params", name, "authctl can receive only query and form_post")
			}
		}
	}
	return nil
}

func (p *Profile) checkStore() error {
	switch {
	case p.Store != "keychain" && p.Store != "file":
		return p.invalid("store", p.Store, "it must be keychain or file")
	case p.HasPassphrase() && runtime.GOOS != "linux": // its kernel alone keeps a key for a user
		return p.missing("store_key_file", "not set, and needed for the store \"file\"")
	case p.StoreTimeout != "" && p.PassphraseTimeout() == 0:
		return p.invalid("store_timeout", p.StoreTimeout, "it must be a duration from 1s to 8760h, such as 30m or 8h")
	}
	return nil
}

// HasPassphrase reports whether the store's key is locked by a passphrase.
func (p Profile) HasPassphrase() bool { return p.Store == "file" && p.StoreKeyFile == "" }

// PassphraseTimeout is how long a passphrase that was given is good for; zero when the
// setting is none. A year is far below what the kernel counts to.
func (p Profile) PassphraseTimeout() time.Duration {
	d, err := time.ParseDuration(p.StoreTimeout)
	if err != nil || d < time.Second || d > 365*24*time.Hour {
		return 0
	}
	return d
}
