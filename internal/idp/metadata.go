package idp

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
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
	if x.instead(atDiscovery) {
		return
	}
	x.good(atDiscovery, x.edited(x.document(), func(m mode) edit { return m.metadata }))
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
		"grant_types_supported":                          x.grantTypes(),
		"subject_types_supported":                        []string{"public"},
		"id_token_signing_alg_values_supported":          []string{x.Alg},
		"token_endpoint_auth_methods_supported":          x.authMethods(),
		"code_challenge_methods_supported":               []string{"S256"},
		"claims_supported":                               []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "name", "preferred_username", "email", "email_verified"},
		"authorization_response_iss_parameter_supported": true,
	}
	if !x.NoDevice {
		m["device_authorization_endpoint"] = x.url("device_authorization")
	}
	if !x.NoRevocation {
		m["revocation_endpoint"] = x.url("revoke")
	}
	return m
}

func (x *exchange) jwks() {
	if x.instead(atKeys) {
		return
	}
	key := x.key(x.Alg)
	set := map[string]any{"keys": []any{key.Public()}}
	x.good(atKeys, x.edited(set, func(m mode) edit { return m.keys }))
}

// good is an endpoint's answer when all is well.
func (x *exchange) good(endpoint string, answer map[string]any) {
	text := string(mustJSON(answer)) + "\n"
	for _, wrong := range x.wrong() {
		if wrong.text != nil {
			text = wrong.text(x, endpoint, text)
		}
	}
	x.write(http.StatusOK, text)
}

func (x *exchange) json(status int, value any) { x.write(status, string(mustJSON(value))+"\n") }

func (x *exchange) write(status int, text string) {
	if x.w.Header().Get("Content-Type") == "" {
		x.w.Header().Set("Content-Type", "application/json")
	}
	x.w.WriteHeader(status)
	io.WriteString(x.w, text)
}

// mustJSON is for our own maps, which can't fail.
func mustJSON(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}
