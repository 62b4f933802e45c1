package idp

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

const (
	openidMetadata = ".well-known/openid-configuration"       // OpenID Connect Discovery 1.0 §4
	oauthMetadata  = ".well-known/oauth-authorization-server" // RFC 8414 §3
)

// url is an endpoint's address.
func (x *exchange) url(endpoint string) string {
	return strings.TrimSuffix(x.issuer, "/") + "/" + endpoint
}

func (x *exchange) metadata(place string) {
	if x.NoDiscovery || x.OAuthMetadataOnly && place == openidMetadata {
		http.NotFound(x.w, x.r)
		return
	}
	m := x.document()
	for _, wrong := range x.wrong() {
		if wrong.page != nil && wrong.page(x) {
			return
		}
		if wrong.metadata != nil {
			wrong.metadata(m)
		}
	}
	x.json(http.StatusOK, m)
}

// document is the metadata, the same for OpenID Connect and RFC 8414.
func (x *exchange) document() map[string]any {
	m := map[string]any{
		"issuer":                                         x.issuer,
		"authorization_endpoint":                         x.url("authorize"),
		"token_endpoint":                                 x.url("token"),
		"jwks_uri":                                       x.url("jwks"),
		"userinfo_endpoint":                              x.url("userinfo"),
		"introspection_endpoint":                         x.url("introspect"),
		"scopes_supported":                               x.scopes(),
		"response_types_supported":                       []string{"code"},
		"response_modes_supported":                       []string{"query", "form_post"},
		"grant_types_supported":                          []string{"authorization_code", "refresh_token"},
		"subject_types_supported":                        []string{"public"},
		"id_token_signing_alg_values_supported":          []string{x.Alg},
		"token_endpoint_auth_methods_supported":          x.authMethods(),
		"code_challenge_methods_supported":               []string{"S256"},
		"claims_supported":                               []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "name", "preferred_username", "email", "email_verified"},
		"authorization_response_iss_parameter_supported": true,
	}
	if !x.NoRevocation {
		m["revocation_endpoint"] = x.url("revoke")
	}
	return m
}

func (x *exchange) jwks() {
	key := x.key(x.Alg)
	x.json(http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}})
}

func (x *exchange) json(status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		panic(err) // only our own maps come here
	}
	x.w.Header().Set("Content-Type", "application/json")
	x.w.WriteHeader(status)
	x.w.Write(append(body, '\n'))
}
