package oauth

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// Userinfo asks who the access token is about, OpenID Connect Core 5.3: a JSON
// object, as the provider sent it. A signed one (application/jwt) is refused, and
// whether there is a sub is the caller's to see: plain OAuth 2.0 has no name for
// who it is about.
func (c *Client) Userinfo(ctx context.Context, accessToken string) (json.RawMessage, error) {
	c.know(accessToken)
	claims, err := c.userinfo(ctx, accessToken)
	return claims, c.secrets().cleanError(err)
}

func (c *Client) userinfo(ctx context.Context, accessToken string) (json.RawMessage, error) {
	endpoint := c.Metadata.UserinfoEndpoint
	if endpoint == "" {
		return nil, &ConfigError{"userinfo endpoint", "neither discovered nor set"}
	}
	if err := checkURL("userinfo endpoint", endpoint); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, nil)
	if err != nil {
		return nil, &ConfigError{"userinfo endpoint", "no URL"}
	}
	r.Header.Set("Authorization", "Bearer "+accessToken)
	a, err := send(c.HTTP, "userinfo", r)
	if err != nil {
		return nil, err
	}
	if err := a.refusal(); err != nil {
		return nil, err
	}
	var object map[string]any
	if json.Unmarshal(a.body, &object) != nil || object == nil {
		return nil, &CheckError{What: "userinfo", Why: "the answer is no JSON object"}
	}
	if c.echoes(fmt.Sprint(object)) {
		return nil, &CheckError{What: "userinfo", Why: "the answer holds a secret"}
	}
	return a.body, nil
}
