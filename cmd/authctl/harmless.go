package main

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A view is how much of a value --verbose shows. The name alone doesn't make a value
// harmless: a provider can put anything anywhere, so each has a shape to be of as well.
// What isn't of it is redacted.
type view func(value string) string

func redacted(v string) string { return fmt.Sprintf("[redacted %d bytes]", len(v)) }

// harmlessParameter is the view of what we send, nil for a secret.
func harmlessParameter(name string) view {
	switch name {
	case "redirect_uri", "resource":
		return address
	case "grant_type", "token_type_hint":
		return words
	case "audience", "client_id", "scope":
		return scopes
	}
	return nil
}

// harmlessField is the view of an answer's member, nil for a secret.
func harmlessField(name string) view {
	switch name {
	case "authorization_endpoint", "device_authorization_endpoint", "end_session_endpoint", "introspection_endpoint", "issuer",
		"jwks_uri", "pushed_authorization_request_endpoint", "revocation_endpoint", "token_endpoint", "userinfo_endpoint", "verification_uri":
		return address
	case "authorization_response_iss_parameter_supported", "code_challenge_methods_supported", "grant_types_supported",
		"id_token_signing_alg_values_supported", "response_modes_supported", "response_types_supported",
		"subject_types_supported", "token_endpoint_auth_methods_supported", "token_type":
		return words
	case "scope", "scopes_supported":
		return scopes
	case "expires_in", "interval":
		return number
	case "error":
		return errorCode
	}
	return nil
}

// harmlessHeader is the view of an answer's header, nil for a secret.
func harmlessHeader(name string) view {
	switch name {
	case "Content-Type":
		return mediaType
	case "Date", "Retry-After":
		return moment
	case "Location":
		return address
	case "Www-Authenticate":
		return challenge
	}
	return nil
}

// address is a URL without user, query and fragment, where codes and tokens stand.
func address(value string) string {
	u, err := url.Parse(value)
	if err != nil || !strings.HasPrefix(value, "/") && (u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		return redacted(value)
	}
	shown := (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
	if u.RawQuery != "" {
		shown += "?" + redacted(u.RawQuery)
	}
	return shown
}

// words are names that the RFCs give to what a provider can do.
func words(value string) string {
	return each(value, func(word string) bool {
		switch word {
		case "true", "false", "none", "public", "pairwise", "plain", "S256", "Bearer", "bearer", "DPoP", "mac",
			"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512",
			"authorization_code", "refresh_token", "access_token", "client_credentials", "password", "implicit", "hybrid",
			"urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:jwt-bearer",
			"urn:ietf:params:oauth:grant-type:saml2-bearer", "urn:ietf:params:oauth:grant-type:token-exchange", "urn:openid:params:grant-type:ciba",
			"code", "token", "id_token", "query", "fragment", "form_post", "jwt", "query.jwt", "fragment.jwt", "form_post.jwt",
			"client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth":
			return true
		}
		return false
	})
}

// scopes are as in RFC 6749 §3.3; a client's ID and an audience are of the same characters.
func scopes(value string) string {
	const longest = 100 // bytes of one
	return each(value, func(scope string) bool {
		return len(scope) <= longest && !strings.ContainsFunc(scope, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
	})
}

// each shows the words of value that are harmless.
func each(value string, harmless func(string) bool) string {
	list := strings.Split(value, " ")
	for i, word := range list {
		if !harmless(word) {
			list[i] = redacted(word)
		}
	}
	return strings.Join(list, " ")
}

// number has no more digits than seconds need.
func number(value string) string {
	if len(value) > 12 || strings.Trim(strings.TrimPrefix(value, "-"), "0123456789.") != "" {
		return redacted(value)
	}
	return value
}

// errorCode is one, as in RFC 6749 §5.2, and no text.
func errorCode(value string) string {
	if len(value) > 40 || strings.Trim(value, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return redacted(value)
	}
	return value
}

// moment is a date as in RFC 9110 §5.6.7, or a number of seconds.
func moment(value string) string {
	if _, err := http.ParseTime(value); err != nil {
		return number(value)
	}
	return value
}

func mediaType(value string) string {
	media, _, _ := mime.ParseMediaType(value)
	switch media {
	case "application/json", "application/jwk-set+json", "application/jwt", "application/problem+json",
		"application/x-www-form-urlencoded", "application/xml", "text/html", "text/plain", "text/xml":
		return media
	}
	return redacted(value)
}

// challenge is the scheme of RFC 9110 §11.6.1, and the error of RFC 6750 §3.
func challenge(value string) string {
	scheme, rest, _ := strings.Cut(value, " ")
	if !slices.Contains([]string{"Basic", "Bearer", "DPoP", "Digest", "Negotiate", "NTLM"}, scheme) {
		return redacted(value)
	}
	if _, code, ok := strings.Cut(rest, `error="`); ok {
		code, _, _ = strings.Cut(code, `"`)
		return scheme + " error=" + errorCode(code)
	}
	return scheme
}

// listOf is a member's value as texts: a string's, those of a list of strings, or the
// JSON of anything else.
func listOf(raw json.RawMessage) []string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []string{text}
	}
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return list
	}
	return []string{string(raw)}
}

// secretsOf are the texts of a body that no name on the list stands for, however deep.
func secretsOf(body []byte) (secrets []string) {
	var value any
	if json.Unmarshal(body, &value) == nil {
		return textsOf(value)
	}
	form, _ := url.ParseQuery(string(body)) // of an old provider; nothing of another body is shown
	for _, values := range form {
		secrets = append(secrets, values...)
	}
	return secrets
}

func textsOf(value any) (texts []string) {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		for _, one := range v {
			texts = append(texts, textsOf(one)...)
		}
	case map[string]any:
		for name, one := range v {
			if harmlessField(name) == nil {
				texts = append(texts, textsOf(one)...)
			}
		}
	}
	return texts
}
