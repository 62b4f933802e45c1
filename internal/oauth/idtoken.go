package oauth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// leeway is how far the provider's clock may be ahead of ours, for iat and nbf. exp
// has none.
const leeway = 5 * time.Minute

// expectation is what an ID token has to fit.
type expectation struct {
	issuer string // empty: any, met for the first time
	nonce  string // as sent; empty: none was
	maxAge *int   // seconds, as asked for; nil: not asked for
	asked  time.Time
	held   *heldClaims // after a renewal: what the last ID token said
}

// fits: after a renewal the nonce may be absent, OpenID Connect Core 12.2.
func (want expectation) fits(nonce string) bool {
	if want.held != nil && (nonce == "" || want.nonce == "") {
		return true
	}
	return nonce == want.nonce
}

// heldClaims are those that are looked at beside what go-oidc reads, and kept for a
// later ID token, OpenID Connect Core 12.2.
type heldClaims struct {
	Issuer          string   `json:"iss"`
	Subject         string   `json:"sub"`
	Nonce           string   `json:"nonce"`
	AuthorizedParty string   `json:"azp"`
	AuthTime        *float64 `json:"auth_time"` // seconds since 1970
	NotBefore       *float64 `json:"nbf"`       // the same
}

// checkIDToken does the checks of OpenID Connect Core 3.1.3.7 and 3.1.3.8 and
// fills grant in. acr is not checked: its values are the provider's own. No ID
// token is fine: plain OAuth 2.0 has none.
func (c *Client) checkIDToken(ctx context.Context, grant *Grant, want expectation) error {
	if grant.IDToken == "" {
		return nil
	}
	token, err := c.verify(ctx, grant.IDToken, want.issuer)
	if err == nil {
		err = c.checkClaims(token, grant.AccessToken, want)
	}
	if err != nil {
		return err
	}
	grant.IDTokenExpiry = bounded(token.Expiry, c.now())
	grant.Issuer, grant.Subject = token.Issuer, token.Subject
	grant.SignatureChecked = c.Metadata.JWKSURI != ""
	return token.Claims(&grant.Claims)
}

// verify does what go-oidc does: signature, iss, aud. Its words on exp and nbf are
// no sentences, so those are checkClaims'. Where no JWKS is known, TLS to the token endpoint stands in for the signature (3.1.3.7, 6), but
// "none" is refused all the same.
func (c *Client) verify(ctx context.Context, raw, issuer string) (*oidc.IDToken, error) {
	algorithms := c.Metadata.algorithms()
	if err := checkAlgorithm(raw, algorithms); err != nil {
		return nil, err
	}
	keys := &keySet{client: c, algorithms: algorithms}
	config := &oidc.Config{
		ClientID:                   c.ID,
		SupportedSigningAlgs:       names(algorithms),
		SkipIssuerCheck:            issuer == "",
		InsecureSkipSignatureCheck: c.Metadata.JWKSURI == "",
		SkipExpiryCheck:            true,
	}
	token, err := oidc.NewVerifier(issuer, keys, config).Verify(ctx, raw)
	if keys.err != nil {
		return nil, keys.err
	}
	if err != nil {
		return nil, idTokenError(strings.TrimPrefix(err.Error(), "oidc: "))
	}
	return token, nil
}

// checkAlgorithm goes before go-oidc, which lets "none" pass where it checks no signature.
func checkAlgorithm(raw string, allowed []jose.SignatureAlgorithm) error {
	if len(allowed) == 0 {
		return idTokenError("the provider lists no algorithm for it that is safe")
	}
	_, err := jose.ParseSignedCompact(raw, allowed)
	if other := (*jose.ErrUnexpectedSignatureAlgorithm)(nil); errors.As(err, &other) {
		return idTokenError(fmt.Sprintf("it is signed with %q, which is not among %s", other.Got, strings.Join(names(allowed), ", ")))
	}
	if err != nil {
		return idTokenError("it is no signed JWT")
	}
	return nil
}

func names(algorithms []jose.SignatureAlgorithm) []string {
	list := make([]string, len(algorithms))
	for i, a := range algorithms {
		list[i] = string(a)
	}
	return list
}

// checkClaims is the rest of 3.1.3.7, in its order, and 3.1.3.8.
func (c *Client) checkClaims(token *oidc.IDToken, accessToken string, want expectation) error {
	var claims heldClaims
	var all map[string]any
	now := c.now()
	if token.Claims(&claims) != nil || token.Claims(&all) != nil {
		return idTokenError("its claims can't be read")
	}
	switch {
	case c.echoes(fmt.Sprint(all)): // they will be shown
		return idTokenError("it holds a secret")
	case token.Issuer == "":
		return idTokenError("it has no iss")
	case token.Subject == "":
		return idTokenError("it has no sub")
	case claims.AuthorizedParty != "" && claims.AuthorizedParty != c.ID:
		return idTokenError(fmt.Sprintf("its azp is %q, another client", claims.AuthorizedParty))
	case claims.AuthorizedParty == "" && len(token.Audience) > 1:
		return idTokenError("it is for several clients and has no azp")
	case token.Expiry.IsZero():
		return idTokenError("it has no exp")
	case token.Expiry.Before(now):
		return idTokenError("it expired at " + beside(token.Expiry, now))
	case claims.NotBefore != nil && *claims.NotBefore > float64(now.Add(leeway).Unix()):
		return idTokenError("it is not valid before " + beside(time.Unix(int64(min(*claims.NotBefore, 1<<40)), 0), now))
	case token.IssuedAt.IsZero():
		return idTokenError("it has no iat")
	case token.IssuedAt.After(now.Add(leeway)):
		return idTokenError("it was issued in the future, at " + beside(token.IssuedAt, now))
	case !want.fits(token.Nonce):
		return idTokenError("its nonce is not ours")
	case token.AccessTokenHash != "" && token.VerifyAccessToken(accessToken) != nil:
		return idTokenError("its at_hash does not fit the access token")
	case want.maxAge != nil && !c.isRecent(token.IssuedAt, claims.AuthTime, want):
		return idTokenError(fmt.Sprintf("its auth_time does not show a sign-in within the last %d seconds", *want.maxAge))
	}
	return claims.continues(want.held)
}

// beside shows a token's time and ours: often it is the clock that is wrong.
func beside(t, now time.Time) string {
	return fmt.Sprintf("%s, and the clock says %s", t.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
}

// isRecent compares auth_time with iat, both of the provider's clock, and allows
// for what passed on ours since the request.
func (c *Client) isRecent(issued time.Time, authTime *float64, want expectation) bool {
	if authTime == nil {
		return false
	}
	age := float64(issued.Unix()) - *authTime
	return age <= float64(*want.maxAge)+c.now().Sub(want.asked).Seconds()+1
}

// continues: a renewal is about the same person at the same provider. Of auth_time
// OpenID Connect Core 12.2 says as much, but that binds the provider: many stamp it
// anew, and to refuse would cost the session over what endangers nobody.
func (claims *heldClaims) continues(held *heldClaims) error {
	switch {
	case held == nil:
		return nil
	case held.Issuer != "" && claims.Issuer != held.Issuer:
		return idTokenError("after the renewal it has another iss")
	case held.Subject != "" && claims.Subject != held.Subject:
		return idTokenError("after the renewal it is about another sub")
	}
	return nil
}

func idTokenError(why string) error { return &CheckError{"ID token", why} }
