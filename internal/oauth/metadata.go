package oauth

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// Values of Metadata.Source when there is no document.
const (
	SourceConfigured   = "configured"
	SourceDefaultPaths = "default paths"
)

// Endpoints are the ones that were set by hand; empty: not set.
type Endpoints struct {
	Authorization, Token, JWKS, Userinfo, Revocation, DeviceAuthorization string
}

// Metadata is what is known of a provider. Its JSON, in the names of RFC 8414
// §2 and OpenID Connect Discovery §3, is kept with a session: pinned endpoints
// need no second discovery.
type Metadata struct {
	Issuer                      string `json:"issuer,omitempty"` // without a document: as typed, which need not be what iss says
	AuthorizationEndpoint       string `json:"authorization_endpoint,omitempty"`
	TokenEndpoint               string `json:"token_endpoint,omitempty"`
	JWKSURI                     string `json:"jwks_uri,omitempty"`
	UserinfoEndpoint            string `json:"userinfo_endpoint,omitempty"`
	RevocationEndpoint          string `json:"revocation_endpoint,omitempty"`
	DeviceAuthorizationEndpoint string `json:"device_authorization_endpoint,omitempty"`

	// RFC 9126 §5. Nothing is sent there yet.
	PushedAuthorizationRequestEndpoint string `json:"pushed_authorization_request_endpoint,omitempty"`
	RequirePushedAuthorizationRequests flag   `json:"require_pushed_authorization_requests,omitempty"`

	TokenEndpointAuthMethodsSupported []string `json:"token_endpoint_auth_methods_supported,omitempty"`
	CodeChallengeMethodsSupported     []string `json:"code_challenge_methods_supported,omitempty"`
	ScopesSupported                   []string `json:"scopes_supported,omitempty"`
	IDTokenSigningAlgValuesSupported  []string `json:"id_token_signing_alg_values_supported,omitempty"`

	// RFC 9207 §3: the provider promises iss in every authorization response.
	AuthorizationResponseIssParameterSupported bool `json:"authorization_response_iss_parameter_supported,omitempty"`

	// Source is the URL of the document, or SourceConfigured or SourceDefaultPaths.
	Source string `json:"authctl_source"`

	// Keys is the JWK set with the one key that the last ID token was checked
	// with, so that a renewal fetches keys only after they changed.
	Keys json.RawMessage `json:"authctl_keys,omitempty"`
}

// flag is true, in quotes or without; whatever else somebody writes is false. It is for what
// nothing safe depends on.
type flag bool

func (f *flag) UnmarshalJSON(text []byte) error {
	*f = flag(strings.Trim(string(text), `"`) == "true")
	return nil
}

// parse reads a document. What it can't say about itself is not taken from it.
func parse(document []byte, source string) (m *Metadata, err error) {
	const none = "is no provider's metadata"
	err = json.Unmarshal(document, &m)
	wrong, twice := (*json.UnmarshalTypeError)(nil), misread(document)
	switch {
	case errors.As(err, &wrong) && wrong.Field != "":
		return nil, errors.New(none + ": its " + wrong.Field + " is of another type")
	case err != nil || m == nil || m.Issuer == "":
		return nil, errors.New(none)
	case twice != "":
		return nil, errors.New(none + ": its " + printable(twice) + " can be read in two ways")
	}
	m.Source, m.Keys = source, nil
	return m, nil
}

func (m *Metadata) override(e Endpoints) {
	for _, o := range []struct {
		endpoint *string
		explicit string
	}{
		{&m.AuthorizationEndpoint, e.Authorization},
		{&m.TokenEndpoint, e.Token},
		{&m.JWKSURI, e.JWKS},
		{&m.UserinfoEndpoint, e.Userinfo},
		{&m.RevocationEndpoint, e.Revocation},
		{&m.DeviceAuthorizationEndpoint, e.DeviceAuthorization},
	} {
		if o.explicit != "" {
			*o.endpoint = o.explicit
		}
	}
}

// checkPlain: plain http on loopback is for a provider that is there itself. The
// document of any other must not have a code or a refresh token sent to whatever
// program has a port on this machine.
// What was set by hand goes before it.
func (m *Metadata) checkPlain(issuer string, explicit Endpoints) error {
	if strings.HasPrefix(issuer, "http:") {
		return nil
	}
	for _, endpoint := range []struct{ url, explicit string }{
		{m.AuthorizationEndpoint, explicit.Authorization}, {m.TokenEndpoint, explicit.Token}, {m.JWKSURI, explicit.JWKS},
		{m.UserinfoEndpoint, explicit.Userinfo}, {m.RevocationEndpoint, explicit.Revocation}, {m.DeviceAuthorizationEndpoint, explicit.DeviceAuthorization},
	} {
		if endpoint.explicit == "" && strings.HasPrefix(strings.ToLower(endpoint.url), "http:") {
			return &InsecureError{printable(endpoint.url)}
		}
	}
	return nil
}

// check: the two endpoints that a login needs are there, all are safe to speak
// to, and S256 is not ruled out. A document that lists no PKCE method at all
// says nothing: Microsoft's doesn't, and has S256 all the same.
func (m *Metadata) check(explicit Endpoints) error {
	for _, endpoint := range []struct {
		what, url, explicit string
		needed              bool
	}{
		{"authorization endpoint", m.AuthorizationEndpoint, explicit.Authorization, true},
		{"token endpoint", m.TokenEndpoint, explicit.Token, true},
		{"JWKS", m.JWKSURI, explicit.JWKS, false},
		{"userinfo endpoint", m.UserinfoEndpoint, explicit.Userinfo, false},
		{"revocation endpoint", m.RevocationEndpoint, explicit.Revocation, false},
		{"device authorization endpoint", m.DeviceAuthorizationEndpoint, explicit.DeviceAuthorization, false},
	} {
		if endpoint.url == "" && !endpoint.needed {
			continue
		}
		err := checkURL(endpoint.what, endpoint.url)
		if endpoint.url == "" {
			err = &ConfigError{endpoint.what, "neither discovered nor set"}
		}
		if setting := (*ConfigError)(nil); errors.As(err, &setting) && endpoint.explicit == "" && m.discovered() {
			return &CheckError{What: "discovery", Why: setting.Error()} // nobody set it: it is the document's
		}
		if err != nil {
			return err
		}
	}
	if methods := m.CodeChallengeMethodsSupported; len(methods) > 0 && !slices.Contains(methods, "S256") {
		return &CheckError{What: "discovery", Why: "the provider offers PKCE without S256: " + printable(strings.Join(methods, " "))}
	}
	return nil
}

// discovered: there is a document, so what it says of the issuer is the rule.
func (m *Metadata) discovered() bool {
	return m.Source != SourceConfigured && m.Source != SourceDefaultPaths
}

// algorithms are those that an ID token may be signed with: of the provider's
// list, RS256 when its document has none (OpenID Connect Core 3.1.3.7, 7), but
// never "none" and never an HMAC, whatever it lists.
func (m *Metadata) algorithms() []jose.SignatureAlgorithm {
	asymmetric := []jose.SignatureAlgorithm{
		jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
		jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
	}
	switch listed := m.IDTokenSigningAlgValuesSupported; {
	case !m.discovered() || m.JWKSURI == "":
		return asymmetric
	case len(listed) == 0:
		return []jose.SignatureAlgorithm{jose.RS256}
	default:
		return slices.DeleteFunc(asymmetric, func(a jose.SignatureAlgorithm) bool {
			return !slices.Contains(listed, string(a))
		})
	}
}
