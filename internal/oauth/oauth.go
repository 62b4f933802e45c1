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

	// PinnedIssuer is the iss that an earlier login met, for a provider
	// without metadata, whose issuer nobody else tells. Empty: none yet.
	PinnedIssuer string

	Now func() time.Time // nil: time.Now
}

// Grant is what the token endpoint gave, checked.
type Grant struct {
	AccessToken  string    // only %x21-7E, as are the other tokens
	TokenType    string    // "Bearer"
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

// secrets are more and the client's own.
func (c *Client) secrets(more ...string) secrets {
	return append(more, c.Secret)
}

// secretInForm: a public client sends its ID in the form. One with a secret
// uses HTTP Basic, which is the default of RFC 8414 §2, unless the provider
// lists only the form.
func (c *Client) secretInForm() bool {
	methods := c.Metadata.TokenEndpointAuthMethodsSupported
	return c.Secret == "" ||
		slices.Contains(methods, "client_secret_post") && !slices.Contains(methods, "client_secret_basic")
}
