package oauth

import (
	"crypto/rand"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// Request is what to ask a person's consent for.
type Request struct {
	RedirectURI string
	Scopes      []string
	Offline     bool // add offline_access, where the provider lists it
	Audience    string
	Resources   []string          // RFC 8707
	Params      map[string]string // more parameters of the request

	// OpenID Connect Core 3.1.2.1; empty or nil: not sent.
	Prompt, LoginHint, ACRValues string
	MaxAge                       *int // seconds
}

// Authorization is one attempt at signing in: the URL to open, and what the
// response to it is checked against.
type Authorization struct {
	URL          string
	State, Nonce string // of this attempt alone; no nonce: none was sent
	OfflineAsked bool   // offline_access is among the scopes

	client   *Client
	request  Request
	scopes   []string
	verifier string
	started  time.Time
}

// reserved are the parameters that tie a response to its request. A setting
// must not replace them.
func reserved(param string) bool {
	switch param {
	case "response_type", "client_id", "redirect_uri", "scope", "state", "nonce",
		"code_challenge", "code_challenge_method", "request", "request_uri":
		return true
	}
	return false
}

// Authorize prepares an authorization request with PKCE (RFC 7636), state and,
// for OpenID Connect, a nonce: 256 random bits each.
func (c *Client) Authorize(r Request) (*Authorization, error) {
	if c.ID == "" {
		return nil, &ConfigError{"client ID", "none is set"}
	}
	if c.Metadata.RequirePushedAuthorizationRequests {
		return nil, ErrPushedAlone
	}
	a := &Authorization{
		State:    random(),
		client:   c,
		request:  r,
		scopes:   c.scopes(r),
		verifier: oauth2.GenerateVerifier(),
		started:  c.now(),
	}
	a.OfflineAsked = slices.Contains(a.scopes, "offline_access")
	if slices.Contains(a.scopes, "openid") {
		a.Nonce = random()
	}
	parameters, err := r.parameters()
	if err != nil {
		return nil, err
	}
	a.URL = a.config().AuthCodeURL(a.State, a.options()...)
	if len(parameters) > 0 {
		a.URL += "&" + parameters.Encode()
	}
	a.URL = harmlessInQuotes(a.URL)
	return a, nil
}

// harmlessInQuotes encodes what ends a shell's quotes or means something within them, which
// the provider's part of the URL may have: some browsers' commands give their argument to
// a shell, wslview to PowerShell.
func harmlessInQuotes(address string) string {
	return strings.NewReplacer(`"`, "%22", "$", "%24", "'", "%27", "`", "%60", `\`, "%5C").Replace(address)
}

// scopes adds offline_access only where it is known: a provider may refuse a
// scope that it doesn't have.
func (c *Client) scopes(r Request) []string {
	scopes := slices.Clone(r.Scopes)
	if r.Offline && slices.Contains(c.Metadata.ScopesSupported, "offline_access") &&
		!slices.Contains(scopes, "offline_access") {
		scopes = append(scopes, "offline_access")
	}
	return scopes
}

// parameters are what r asks for beside the scope, the same for every way of asking.
func (r Request) parameters() (url.Values, error) {
	values := r.resources()
	for name, value := range r.Params {
		if reserved(name) {
			return nil, &ConfigError{"parameter " + name, "it is authctl's own"}
		}
		values.Add(name, value)
	}
	maxAge := ""
	if r.MaxAge != nil {
		maxAge = strconv.Itoa(*r.MaxAge)
	}
	for _, p := range [][2]string{
		{"audience", r.Audience},
		{"prompt", r.Prompt},
		{"login_hint", r.LoginHint},
		{"acr_values", r.ACRValues},
		{"max_age", maxAge},
	} {
		if p[1] != "" {
			values.Set(p[0], p[1])
		}
	}
	return values, nil
}

// resources are what x/oauth2 can't send: it repeats no parameter.
func (r Request) resources() url.Values {
	values := url.Values{}
	if len(r.Resources) > 0 {
		values["resource"] = slices.Clone(r.Resources)
	}
	return values
}

func (a *Authorization) options() []oauth2.AuthCodeOption {
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(a.verifier)}
	if a.Nonce != "" {
		options = append(options, oauth2.SetAuthURLParam("nonce", a.Nonce))
	}
	return options
}

func (a *Authorization) config() *oauth2.Config {
	config := a.client.config()
	config.RedirectURL = a.request.RedirectURI
	config.Scopes = a.scopes
	return config
}

// random is 256 bits in base64url.
func random() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b)
}
