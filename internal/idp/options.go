package idp

import (
	"cmp"
	"flag"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Options says how the provider behaves. The zero value is a strict OpenID
// provider for a public client.
type Options struct {
	Issuer             string   // issuer URL; a path alone ("/tenant") goes behind the address of Start
	ClientID           string   // "demo" by default
	ConfidentialSecret string   // makes the client a confidential one
	AuthMethods        []string // of a confidential client; client_secret_basic and client_secret_post by default
	RedirectURIs       []string // registered; on http loopback any port matches, RFC 8252 §7.3
	Users              []User   // who can sign in; the page is filled in with the first
	Alg                string   // of ID and access tokens: RS256 (the default), ES256, PS256, EdDSA

	AccessTTL, IDTokenTTL time.Duration // an hour by default
	RefreshTTL            time.Duration // a day by default, from each rotation
	CodeTTL               time.Duration // a minute by default
	DeviceTTL             time.Duration // of a device code, ten minutes by default
	Interval              time.Duration // between a device's polls; left out by default, which means 5 s
	Latency               time.Duration // of the token endpoint, before it carries anything out

	NoRefreshToken    bool   // never give one
	AlwaysRefresh     bool   // give one even without offline_access
	NoRotation        bool   // a refresh token stays good, and a renewal brings no new one
	NoIDToken         bool   // plain OAuth 2.0
	NoExpiresIn       bool   // leave expires_in out
	OpaqueAccess      bool   // access tokens are random text, not JWTs
	AccessToken       string // every access token is this one
	TokenBytes        int    // tokens are at least this long
	NoDiscovery       bool   // 404 for metadata; endpoints at /oauth2/authorize and /oauth2/token too
	OAuthMetadataOnly bool   // metadata at RFC 8414's place only
	NoRevocation      bool   // no revocation endpoint
	Elsewhere         string // another origin, which wrong modes lead to
	NoDevice          bool   // no device authorization endpoint
	Control           bool   // options may be changed over HTTP, below /test/

	Modes map[string]bool // wrong behaviours, by name: see Modes
}

// User is somebody who can sign in.
type User struct {
	Subject, Login, Password, Name, Email string
}

func (o *Options) fill() {
	o.ClientID = cmp.Or(o.ClientID, "demo")
	o.Alg = cmp.Or(o.Alg, "RS256")
	o.AccessTTL = cmp.Or(o.AccessTTL, time.Hour)
	o.IDTokenTTL = cmp.Or(o.IDTokenTTL, time.Hour)
	o.RefreshTTL = cmp.Or(o.RefreshTTL, 24*time.Hour)
	o.CodeTTL = cmp.Or(o.CodeTTL, time.Minute)
	o.Elsewhere = cmp.Or(o.Elsewhere, "https://elsewhere.invalid")
	o.DeviceTTL = cmp.Or(o.DeviceTTL, 10*time.Minute)
	if o.AuthMethods == nil {
		o.AuthMethods = []string{"client_secret_basic", "client_secret_post"}
	}
	if o.RedirectURIs == nil {
		o.RedirectURIs = []string{"http://127.0.0.1/callback", "http://[::1]/callback",
			"http://localhost/callback", "https://localhost:9000/callback"}
	}
	if o.Users == nil {
		o.Users = []User{
			{"248289761001", "ada", "analytical-engine", "Ada Lovelace", "ada@example.com"},
			{"248289761002", "grace", "nanoseconds", "Grace Hopper", "grace@example.com"},
		}
	}
	if o.Modes == nil {
		o.Modes = map[string]bool{}
	}
	for name := range o.Modes {
		if _, ok := modes[name]; !ok {
			panic("idp: unknown mode " + name)
		}
	}
}

func (o *Options) issuerAt(base string) string {
	if strings.Contains(o.Issuer, "://") {
		return o.Issuer
	}
	return base + o.Issuer
}

func issuerPath(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(u.Path, "/")
}

// grantTypes is what grant_types_supported lists.
func (o *Options) grantTypes() []string {
	types := []string{"authorization_code", "refresh_token"}
	if o.NoDevice {
		return types
	}
	return append(types, deviceGrant)
}

// scopes is what scopes_supported lists.
func (o *Options) scopes() []string {
	scopes := []string{"openid", "profile", "email"}
	if o.NoRefreshToken {
		return scopes
	}
	return append(scopes, "offline_access")
}

// Flags registers every option on fs, under the names that the command line and
// the control endpoint share.
func (o *Options) Flags(fs *flag.FlagSet) {
	fs.StringVar(&o.Issuer, "issuer", o.Issuer, "issuer `URL`, or a path behind the listening address")
	fs.StringVar(&o.ClientID, "client-id", o.ClientID, "the client's `ID`")
	fs.StringVar(&o.ConfidentialSecret, "client-secret", o.ConfidentialSecret, "make the client a confidential one with this `secret`")
	fs.Func("auth-method", "client authentication `method`, repeatable", appendTo(&o.AuthMethods))
	fs.Func("redirect-uri", "registered redirect `URI`, repeatable", appendTo(&o.RedirectURIs))
	fs.StringVar(&o.Alg, "alg", o.Alg, "signature `algorithm`: RS256, ES256, PS256, EdDSA")
	fs.DurationVar(&o.AccessTTL, "access-ttl", o.AccessTTL, "life of an access token")
	fs.DurationVar(&o.IDTokenTTL, "id-token-ttl", o.IDTokenTTL, "life of an ID token")
	fs.DurationVar(&o.RefreshTTL, "refresh-ttl", o.RefreshTTL, "life of a refresh token")
	fs.DurationVar(&o.CodeTTL, "code-ttl", o.CodeTTL, "life of an authorization code")
	fs.DurationVar(&o.DeviceTTL, "device-ttl", o.DeviceTTL, "life of a device code")
	fs.DurationVar(&o.Interval, "interval", o.Interval, "between a device's polls; 0: left out")
	fs.DurationVar(&o.Latency, "latency", o.Latency, "how long the token endpoint takes")
	fs.BoolVar(&o.NoRefreshToken, "no-refresh-token", o.NoRefreshToken, "give no refresh token")
	fs.BoolVar(&o.AlwaysRefresh, "always-refresh", o.AlwaysRefresh, "give a refresh token without offline_access")
	fs.BoolVar(&o.NoRotation, "no-rotation", o.NoRotation, "keep the refresh token at a renewal")
	fs.BoolVar(&o.NoIDToken, "no-id-token", o.NoIDToken, "give no ID token")
	fs.BoolVar(&o.NoExpiresIn, "no-expires-in", o.NoExpiresIn, "leave expires_in out")
	fs.BoolVar(&o.OpaqueAccess, "opaque-access", o.OpaqueAccess, "access tokens are no JWTs")
	fs.StringVar(&o.AccessToken, "access-token", o.AccessToken, "every access token is this `text`")
	fs.IntVar(&o.TokenBytes, "token-bytes", o.TokenBytes, "least length of a token, `bytes`")
	fs.BoolVar(&o.NoDiscovery, "no-discovery", o.NoDiscovery, "serve no metadata")
	fs.BoolVar(&o.OAuthMetadataOnly, "oauth-metadata-only", o.OAuthMetadataOnly, "serve RFC 8414 metadata only")
	fs.BoolVar(&o.NoRevocation, "no-revocation", o.NoRevocation, "have no revocation endpoint")
	fs.StringVar(&o.Elsewhere, "elsewhere", o.Elsewhere, "another `origin`, which wrong modes lead to")
	fs.BoolVar(&o.NoDevice, "no-device", o.NoDevice, "have no device authorization endpoint")
	fs.BoolVar(&o.Control, "control", o.Control, "let these be changed by POST to /test/options")
	fs.Func("mode", "wrong behaviour, repeatable; empty for none, one that isn't there to see all", o.setMode)
}

// appendTo replaces the defaults by the first value given and collects the rest.
func appendTo(list *[]string) func(string) error {
	var given []string
	return func(value string) error {
		given = append(given, value)
		*list = given
		return nil
	}
}

func (o *Options) setMode(name string) error {
	if name == "" {
		o.Modes = map[string]bool{}
		return nil
	}
	if _, ok := modes[name]; !ok {
		return fmt.Errorf("no such mode; there are %s", strings.Join(Modes(), ", "))
	}
	if o.Modes == nil {
		o.Modes = map[string]bool{}
	}
	o.Modes[name] = true
	return nil
}
