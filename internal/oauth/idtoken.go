package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// Leeway is how far the provider's clock may be ahead of ours, for iat and nbf. exp
// has none.
const Leeway = 5 * time.Minute

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
	Issuer          string          `json:"iss"`
	Subject         string          `json:"sub"`
	Nonce           string          `json:"nonce"`
	AuthorizedParty string          `json:"azp"`
	AuthTime        json.RawMessage `json:"auth_time"` // seconds since 1970; only a max_age needs it
}

// idTokenClaims are those and the ones that count only when the token comes. go-oidc
// reads exp and iat too, and an overflow turns the farthest future into the past.
type idTokenClaims struct {
	heldClaims
	Expiry    *float64 `json:"exp"`
	IssuedAt  *float64 `json:"iat"`
	NotBefore *float64 `json:"nbf"`
}

// checkIDToken does the checks of OpenID Connect Core 3.1.3.7 and 3.1.3.8 and
// fills grant in. acr is not checked: its values are the provider's own. No ID
// token is fine: plain OAuth 2.0 has none.
func (c *Client) checkIDToken(ctx context.Context, grant *Grant, want expectation) error {
	if grant.IDToken == "" {
		return nil
	}
	var claims idTokenClaims
	token, err := c.verify(ctx, grant.IDToken, want.issuer)
	if err == nil {
		claims, err = c.checkClaims(token, grant.AccessToken, want)
	}
	if err == nil {
		err = c.checkTimes(claims)
		if err != nil && want.held != nil { // a clock is wrong: see Refresh
			grant.IDToken = ""
			return nil
		}
	}
	if err != nil {
		return err
	}
	grant.IDTokenExpiry = bounded(date(*claims.Expiry), c.now())
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
	switch {
	case err != nil && strings.Contains(err.Error(), "unmarshal"): // in the words of Go
		return nil, idTokenError("its claims can't be read")
	case err != nil:
		return nil, idTokenError(strings.TrimPrefix(err.Error(), "oidc: "))
	}
	return token, nil
}

// checkAlgorithm goes before go-oidc, which lets "none" pass where it checks no signature.
func checkAlgorithm(raw string, allowed []jose.SignatureAlgorithm) error {
	if len(allowed) == 0 {
		return idTokenError("the provider lists no algorithm for it that is safe")
	}
	jws, err := jose.ParseSignedCompact(raw, allowed)
	if other := (*jose.ErrUnexpectedSignatureAlgorithm)(nil); errors.As(err, &other) {
		return idTokenError(fmt.Sprintf("it is signed with %q, which is not among %s", other.Got, strings.Join(names(allowed), ", ")))
	}
	if err != nil {
		return idTokenError("it is no signed JWT")
	}
	// What has to be understood isn't (RFC 7515 §4.1.11), but for b64, which no JWT may
	// have (RFC 7797 §7).
	if _, critical := jws.Signatures[0].Protected.ExtraHeaders["crit"]; critical {
		return idTokenError("it has a critical header")
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

// checkClaims is the rest of 3.1.3.7, in its order, and 3.1.3.8, but for the times.
func (c *Client) checkClaims(token *oidc.IDToken, accessToken string, want expectation) (claims idTokenClaims, err error) {
	if claims, err = c.readClaims(token); err != nil {
		return claims, err
	}
	switch {
	case token.Issuer == "":
		return claims, idTokenError("it has no iss")
	case token.Subject == "":
		return claims, idTokenError("it has no sub")
	case claims.AuthorizedParty != "" && claims.AuthorizedParty != c.ID:
		return claims, idTokenError(fmt.Sprintf("its azp is %q, another client", claims.AuthorizedParty))
	case claims.AuthorizedParty == "" && len(token.Audience) > 1:
		return claims, idTokenError("it is for several clients and has no azp")
	case claims.Expiry == nil:
		return claims, idTokenError("it has no exp")
	case claims.IssuedAt == nil:
		return claims, idTokenError("it has no iat")
	case !want.fits(token.Nonce):
		return claims, idTokenError("its nonce is not ours")
	case token.AccessTokenHash != "" && token.VerifyAccessToken(accessToken) != nil:
		return claims, idTokenError("its at_hash does not fit the access token")
	case want.maxAge != nil && !c.isRecent(claims, want):
		return claims, idTokenError(fmt.Sprintf("its auth_time does not show a sign-in within the last %d seconds", *want.maxAge))
	}
	return claims, claims.continues(want.held)
}

// readClaims takes no claim that another reader could take for another, nor one that
// nobody may see.
func (c *Client) readClaims(token *oidc.IDToken) (claims idTokenClaims, err error) {
	var payload json.RawMessage
	var all map[string]any
	if token.Claims(&payload) != nil || token.Claims(&claims) != nil || token.Claims(&all) != nil {
		return claims, idTokenError("its claims can't be read")
	}
	if c.echoes(fmt.Sprint(all)) { // they will be shown
		return claims, idTokenError(c.echoingClaim(all) + " holds a secret")
	}
	if name := misread(payload, "iss", "sub", "aud", "azp", "exp", "iat", "nbf", "nonce", "at_hash", "auth_time"); name != "" {
		return claims, idTokenError("its " + name + " can be read in two ways")
	}
	return claims, nil
}

// echoingClaim is the first of the claims that holds a secret.
func (c *Client) echoingClaim(claims map[string]any) string {
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		if c.echoes(fmt.Sprint(name, " ", claims[name])) {
			return "its " + printable(name)
		}
	}
	return "it"
}

// date is a NumericDate, RFC 7519 §2, to the second, within some 30,000 years.
func date(seconds float64) time.Time {
	return time.Unix(int64(max(-1<<40, min(seconds, 1<<40))), 0)
}

// checkTimes holds the token's times against our clock.
func (c *Client) checkTimes(claims idTokenClaims) error {
	now := c.now()
	switch expiry, issued := date(*claims.Expiry), date(*claims.IssuedAt); {
	case expiry.Before(now):
		return clockError("it expired at", expiry, now)
	case claims.NotBefore != nil && date(*claims.NotBefore).After(now.Add(Leeway)):
		return clockError("it is not valid before", date(*claims.NotBefore), now)
	case issued.After(now.Add(Leeway)):
		return clockError("it was issued in the future, at", issued, now)
	}
	return nil
}

// clockError shows a token's time and ours.
func clockError(why string, t, now time.Time) error {
	why = fmt.Sprintf("%s %s, and the clock says %s", why, t.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	return &CheckError{What: "ID token", Why: why, Clock: true}
}

// isRecent compares auth_time with iat, both of the provider's clock, and allows
// for what passed on ours since the request.
func (c *Client) isRecent(claims idTokenClaims, want expectation) bool {
	authTime, err := number(claims.AuthTime)
	if err != nil || authTime == 0 {
		return false
	}
	age := *claims.IssuedAt - authTime
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

func idTokenError(why string) error { return &CheckError{What: "ID token", Why: why} }
