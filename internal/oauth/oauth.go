// Package oauth speaks OAuth 2.0 and OpenID Connect to one provider: it finds
// the provider's endpoints, sends a person there, redeems what comes back,
// renews and revokes. It checks everything that it hands on. It stores nothing,
// opens no browser and listens on no port: that is the caller's.
package oauth

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"golang.org/x/oauth2"
)

// Client is one registered client of one provider. It is for one goroutine.
type Client struct {
	ID     string
	Secret string       // empty: a public client, as native apps are (RFC 8252 §8.4)
	HTTP   *http.Client // from HTTPClient

	// Metadata is where the provider is and what it can do, from Discover.
	// The key that an ID token was checked with is put into its Keys.
	Metadata *Metadata

	// Known are secrets that the provider knows from before and may echo: no error holds
	// one. What passes through the client is added.
	Known Secrets

	// PinnedIssuer is the iss that an earlier login met, for a provider
	// without metadata, whose issuer nobody else tells. Empty: none yet.
	PinnedIssuer string

	Now func() time.Time // nil: time.Now
}

// Grant is what the token endpoint gave, checked.
type Grant struct {
	AccessToken  string    // only %x21-7E, as are the other tokens
	TokenType    string    // "Bearer"
	Asked        time.Time // when it was asked for, by our clock: what Expiry counts from
	Expiry       time.Time // of the access token; zero: unknown
	RefreshToken string    // after a refresh: the new one, or the old one when it goes on
	Scope        string    // as granted, separated by spaces

	// Empty when no ID token came.
	IDToken          string
	IDTokenExpiry    time.Time
	Claims           json.RawMessage // the ID token's payload as the provider sent it
	Issuer, Subject  string          // its iss and sub
	SignatureChecked bool            // false: no JWKS is known, TLS vouches for it
}

func (c *Client) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// config is c for x/oauth2. Its AuthStyle is never the zero one, which would
// try both styles and so spend a one-time code on the first.
func (c *Client) config() *oauth2.Config {
	style := oauth2.AuthStyleInHeader
	if c.secretInForm() {
		style = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{
		ClientID:     c.ID,
		ClientSecret: c.Secret,
		Endpoint: oauth2.Endpoint{
			AuthURL:   c.Metadata.AuthorizationEndpoint,
			TokenURL:  c.Metadata.TokenEndpoint,
			AuthStyle: style,
		},
	}
}

// know adds what is about to be sent, or has come.
func (c *Client) know(secrets ...string) {
	c.Known = append(slices.Clip(c.Known), secrets...)
}

// secrets are all that the provider may echo: what is known, the client's own, and more.
func (c *Client) secrets(more ...string) Secrets {
	return append(append(slices.Clip(c.Known), c.Secret), more...)
}

// echoes reports whether what the provider tells to be shown, a person's name or a scope,
// gives away a secret. What is short may be in it by chance.
func (c *Client) echoes(text string) bool {
	return slices.DeleteFunc(c.secrets(), func(secret string) bool { return len(secret) < longSecret }).In(text)
}

// secretInForm: a public client sends its ID in the form. One with a secret
// uses HTTP Basic, which is the default of RFC 8414 §2, unless the provider
// lists only the form.
func (c *Client) secretInForm() bool {
	methods := c.Metadata.TokenEndpointAuthMethodsSupported
	return c.Secret == "" ||
		slices.Contains(methods, "client_secret_post") && !slices.Contains(methods, "client_secret_basic")
}
