package oauth

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// Revoke makes the provider forget a token, RFC 7009. The hint says what it is:
// "refresh_token" or "access_token". A token that the provider doesn't know is
// revoked as well, §2.2; some, Google for one, call it an invalid_token, with 400. With 401
// that is a gateway that wants a token itself, RFC 6750 §3.1.
//
// Errors are ErrNoRevocation and as Redeem's.
func (c *Client) Revoke(ctx context.Context, token, hint string) error {
	c.know(token)
	return c.secrets().cleanError(c.revoke(ctx, token, hint))
}

func (c *Client) revoke(ctx context.Context, token, hint string) error {
	endpoint := c.Metadata.RevocationEndpoint
	if endpoint == "" {
		return ErrNoRevocation
	}
	if err := checkURL("revocation endpoint", endpoint); err != nil {
		return err
	}
	form := url.Values{"token": {token}, "token_type_hint": {hint}}
	r, err := c.authenticated(ctx, endpoint, form)
	if err != nil {
		return &ConfigError{"revocation endpoint", "no URL"}
	}
	// Nothing of it is sent. To net/http it says that the request may be repeated, when a
	// connection that was kept has just ended.
	r.Header["Idempotency-Key"] = nil
	a, err := send(c.HTTP, "revocation", r)
	if err != nil {
		return err
	}
	if refused := a.oauthError(); refused != nil && refused.Code == "invalid_token" && a.status == http.StatusBadRequest {
		return nil
	}
	return a.refusal()
}

// authenticated is a POST of form with the client's authentication, as x/oauth2
// makes it for the token endpoint (RFC 6749 §2.3.1).
func (c *Client) authenticated(ctx context.Context, endpoint string, form url.Values) (*http.Request, error) {
	if c.secretInForm() {
		form.Set("client_id", c.ID)
		if c.Secret != "" {
			form.Set("client_secret", c.Secret)
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if !c.secretInForm() {
		r.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(c.Secret))
	}
	return r, nil
}
