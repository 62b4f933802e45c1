package oauth

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// tokenRequest is one request to the token endpoint. x/oauth2 makes the form and
// the client's authentication, and reads the tokens. Between it and the network
// stands tokenRequest, as its http.RoundTripper: it adds what x/oauth2 can't
// send, and lets only a JSON object that is no error through.
type tokenRequest struct {
	client *Client
	op     string
	extra  url.Values // parameters that the form gets, in place of x/oauth2's; nil: none

	sent      time.Time
	expiresIn json.RawMessage
	refused   *Error // the answer's, whatever its status makes of it
	err       error
}

// do runs ask, which is to make x/oauth2 do exactly one request.
func (t *tokenRequest) do(ctx context.Context, ask func(context.Context) (*oauth2.Token, error)) (*Grant, error) {
	if err := checkURL("token endpoint", t.client.Metadata.TokenEndpoint); err != nil {
		return nil, err
	}
	token, err := ask(context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: t}))
	if t.err != nil {
		return nil, t.err
	}
	if err != nil { // its text may hold the answer
		return nil, &CheckError{What: t.op, Why: "the answer holds no access token that can be read"}
	}
	return t.grant(token)
}

func (t *tokenRequest) RoundTrip(r *http.Request) (*http.Response, error) {
	fields, err := t.send(r)
	if err != nil {
		t.err = err
		return nil, err
	}
	// The expiry is ours to count, from before the request was sent; x/oauth2
	// would also stumble over 3600.0.
	t.expiresIn = fields["expires_in"]
	delete(fields, "expires_in")
	if slices.Contains([]string{"false", "null", "0"}, string(fields["error"])) {
		delete(fields, "error") // x/oauth2 wants a string, and some providers say so that there is no error
	}
	body, err := json.Marshal(fields)
	return &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       io.NopCloser(bytes.NewReader(body)),
		Request:    r,
	}, err
}

func (t *tokenRequest) send(r *http.Request) (map[string]json.RawMessage, error) {
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	maps.Copy(form, t.extra)
	request, err := http.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header = r.Header.Clone()
	t.sent = t.client.now().UTC().Round(0) // to be stored: no monotonic clock
	a, err := send(t.client.HTTP, t.op, request)
	if err != nil {
		return nil, err
	}
	fields := a.fields()
	t.client.know(tokensAmong(fields)...)
	if err := a.refusal(); err != nil {
		t.refused = a.oauthError()
		return nil, err
	}
	if fields == nil {
		return nil, &CheckError{What: t.op, Why: "the answer is no JSON object"}
	}
	if name := misread(a.object(), "access_token", "token_type", "expires_in", "refresh_token", "scope", "id_token"); name != "" {
		return nil, &CheckError{What: t.op, Why: "the answer's " + name + " can be read in two ways"}
	}
	return fields, nil
}

// tokensAmong are the members that hold one, such as access_token, and mfa_token in a
// refusal of some providers.
func tokensAmong(fields map[string]json.RawMessage) (tokens []string) {
	for name, raw := range fields {
		var token string
		if strings.HasSuffix(strings.ToLower(name), "token") && json.Unmarshal(raw, &token) == nil {
			tokens = append(tokens, token)
		}
	}
	return tokens
}

// grant checks what RFC 6749 §5.1 says of an answer, but for the ID token.
func (t *tokenRequest) grant(token *oauth2.Token) (*Grant, error) {
	idToken, isText := token.Extra("id_token").(string)
	scope := scopeOf(token.Extra("scope"))
	switch {
	case !isText && token.Extra("id_token") != nil:
		return nil, &CheckError{What: t.op, Why: "the ID token is no string"}
	// DPoP and mac tokens need a key that nobody here has, §7.1. An absent
	// type is a provider's slip that others take for Bearer too.
	case !isBearer(token.Type()):
		return nil, &CheckError{What: t.op, Why: "the token is of type " + printable(token.TokenType) + ", not Bearer"}
	// The tokens will stand in shells, in headers and in other programs' configuration.
	case !isVisible(token.AccessToken), !isVisible(token.RefreshToken), !isVisible(idToken):
		return nil, &CheckError{What: t.op, Why: "a token has a character that no token may have"}
	case !isVisible(strings.ReplaceAll(scope, " ", "")):
		return nil, &CheckError{What: t.op, Why: "the scope has a character that no scope may have"}
	case t.client.echoes(scope):
		return nil, &CheckError{What: t.op, Why: "the scope holds a secret"}
	}
	expiry, err := expiryOf(token.AccessToken, t.expiresIn, t.sent)
	if err != nil {
		return nil, &CheckError{What: t.op, Why: err.Error()}
	}
	return &Grant{
		AccessToken:  token.AccessToken,
		TokenType:    "Bearer",
		Asked:        t.sent,
		Expiry:       expiry,
		RefreshToken: token.RefreshToken,
		Scope:        scope,
		IDToken:      idToken,
	}, nil
}

// isBearer knows the names that Apigee and Azure DevOps have for it, too.
func isBearer(tokenType string) bool {
	return slices.Contains([]string{"bearer", "bearertoken", "jwt-bearer"}, strings.ToLower(tokenType))
}

// scopeOf is a string, RFC 6749 §5.1, which some providers make a list of.
func scopeOf(member any) string {
	list, isList := member.([]any)
	if !isList {
		scope, _ := member.(string)
		return scope
	}
	var scopes []string
	for _, each := range list {
		if scope, isText := each.(string); isText {
			scopes = append(scopes, scope)
		}
	}
	return strings.Join(scopes, " ")
}

// isVisible: only %x21-7E, the narrower of RFC 6749's appendices A.12 and A.4.
func isVisible(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < 0x21 || r > 0x7e })
}
