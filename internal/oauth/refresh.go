package oauth

import (
	"context"
	"encoding/json"
	"net/url"

	"golang.org/x/oauth2"
)

// Held is what is kept of an earlier grant and needed to renew it.
type Held struct {
	RefreshToken string
	Scope        string          // as granted; what an answer without scope means
	Audience     string          // as it was asked for
	Resources    []string        // as they were asked for
	Claims       json.RawMessage // of the ID token; nil: there was none
}

// Refresh renews a grant, RFC 6749 §6, by one request. A new ID token has to be
// about the same person at the same issuer. When it needs a key that can't be
// had now, or is over or yet to come by our clock, which may be wrong, the grant comes
// without it: the old refresh token may be spent already, and the new one must not be
// lost over that.
//
// Errors are as Redeem's; a refresh token that no longer counts is an *Error, with the code
// invalid_grant as a rule.
func (c *Client) Refresh(ctx context.Context, h Held) (*Grant, error) {
	c.know(h.RefreshToken)
	grant, err := c.refresh(ctx, h)
	return grant, c.secrets().cleanError(err)
}

func (c *Client) refresh(ctx context.Context, h Held) (*Grant, error) {
	want, err := c.expect(h)
	if err != nil {
		return nil, err
	}
	request := &tokenRequest{
		client: c,
		op:     "renewal",
		extra:  h.extra(),
	}
	grant, err := request.do(ctx, func(ctx context.Context) (*oauth2.Token, error) {
		return c.config().TokenSource(ctx, &oauth2.Token{RefreshToken: h.RefreshToken}).Token()
	})
	if err != nil {
		return nil, err
	}
	if grant.Scope == "" {
		grant.Scope = h.Scope
	}
	err = c.checkIDToken(ctx, grant, want)
	if isAboutKeys(err) {
		grant.IDToken = ""
		return grant, nil
	}
	if err != nil {
		return nil, err
	}
	return grant, nil
}

// expect is what a new ID token has to fit, known before anything is spent.
func (c *Client) expect(h Held) (expectation, error) {
	var held heldClaims
	if len(h.Claims) > 0 && json.Unmarshal(h.Claims, &held) != nil {
		return expectation{}, &ConfigError{"stored claims", "they can't be read"}
	}
	want := expectation{issuer: c.issuer(), nonce: held.Nonce, held: &held}
	if want.issuer == "" {
		want.issuer = held.Issuer
	}
	return want, nil
}

func (h Held) extra() url.Values {
	extra := url.Values{}
	if h.Audience != "" {
		extra.Set("audience", h.Audience)
	}
	if len(h.Resources) > 0 {
		extra["resource"] = h.Resources // RFC 8707 §2.2
	}
	return extra
}
