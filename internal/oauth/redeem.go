package oauth

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
)

// Redeem checks an authorization response and turns its code into tokens, which
// it checks too. A code is good for one call.
//
// Errors are *Error (the person said no, or the provider), *CheckError,
// *UnreachableError and *InsecureError.
func (a *Authorization) Redeem(ctx context.Context, params url.Values) (*Grant, error) {
	a.client.know(a.verifier)
	for _, name := range []string{"code", "access_token", "refresh_token", "id_token"} { // a response may have what we never asked for
		a.client.know(params[name]...)
	}
	grant, err := a.redeem(ctx, params)
	return grant, a.client.secrets(a.State, a.Nonce).cleanError(err)
}

func (a *Authorization) redeem(ctx context.Context, params url.Values) (*Grant, error) {
	code, err := a.code(params)
	if err != nil {
		return nil, err
	}
	c := a.client
	request := &tokenRequest{
		client: c,
		op:     "token request",
		extra:  a.request.resources(),
	}
	grant, err := request.do(ctx, func(ctx context.Context) (*oauth2.Token, error) {
		return a.config().Exchange(ctx, code, oauth2.VerifierOption(a.verifier))
	})
	if err != nil {
		return nil, err
	}
	want := expectation{issuer: c.issuer(), nonce: a.Nonce, maxAge: a.request.MaxAge, asked: a.started}
	return c.accept(ctx, grant, a.scopes, want)
}

// accept is the end of every way of signing in: the grant, its ID token checked.
func (c *Client) accept(ctx context.Context, grant *Grant, asked []string, want expectation) (*Grant, error) {
	if grant.Scope == "" {
		grant.Scope = strings.Join(asked, " ") // RFC 6749 §5.1: absent means as asked
	}
	if err := c.checkIDToken(ctx, grant, want); err != nil {
		return nil, err
	}
	return grant, nil
}

// code is the response's code once all that is known of the response fits. The
// state comes first: without it the response is not ours, error or not
// (RFC 6749 §10.12).
func (a *Authorization) code(params url.Values) (string, error) {
	if !a.isOurs(params["state"]) {
		return "", responseError("its state is not ours")
	}
	for _, name := range []string{"code", "iss", "error", "error_description", "error_uri"} {
		if len(params[name]) > 1 { // RFC 6749 §3.1
			return "", responseError("it has " + name + " more than once")
		}
	}
	if err := a.checkIssuer(params); err != nil {
		return "", err
	}
	if params.Get("error") != "" {
		return "", a.refused(params)
	}
	if params.Get("code") == "" {
		return "", responseError("it has no code")
	}
	return params.Get("code"), nil
}

func (a *Authorization) isOurs(states []string) bool {
	return len(states) == 1 && subtle.ConstantTimeCompare([]byte(states[0]), []byte(a.State)) == 1
}

// checkIssuer tells a response of this provider from one of another that the
// person was led to (mix-up), RFC 9207 §2.4. Error responses have iss too.
func (a *Authorization) checkIssuer(params url.Values) error {
	m := a.client.Metadata
	if !params.Has("iss") {
		if m.AuthorizationResponseIssParameterSupported {
			return responseError("it lacks iss, which the provider promises")
		}
		return nil
	}
	iss, want := params.Get("iss"), a.client.issuer()
	if want == "" { // nobody's document: as typed
		iss, want = strings.TrimSuffix(iss, "/"), strings.TrimSuffix(m.Issuer, "/")
	}
	if want != "" && iss != want {
		return responseError(fmt.Sprintf("it comes from the issuer %q, not %q", printable(iss), want))
	}
	return nil
}

func (a *Authorization) refused(params url.Values) error {
	return &Error{
		Op:          "authorization",
		Code:        params.Get("error"),
		Description: params.Get("error_description"),
		URI:         params.Get("error_uri"),
	}
}

func responseError(why string) error { return &CheckError{What: "authorization response", Why: why} }

// issuer is what iss must be: as the provider's document spells it, else what an
// earlier login met. Empty: no login yet, nobody knows. An issuer that was only
// typed is not it: it led to the endpoints, whose iss may well be another.
func (c *Client) issuer() string {
	if c.Metadata.discovered() {
		return c.Metadata.Issuer
	}
	return c.PinnedIssuer
}
