package idp

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/authctl/authctl/internal/robot"
)

// A mode that changes nothing would prove nothing of a client that bears it. Those that
// answer instead of an endpoint are left out: nobody overlooks them.
func TestEveryModeShows(t *testing.T) {
	c := start(t, Options{Alg: "ES256", OpaqueAccess: true})
	honest := c.trace()
	if again := c.trace(); again != honest {
		t.Fatalf("two honest sign-ins differ:\n%s\n%s", honest, again)
	}
	for name, m := range modes {
		if m.instead != nil {
			continue
		}
		c.only(name)
		if c.trace() == honest {
			t.Errorf("%s: nothing is different", name)
		}
	}
}

// trace is all that a client sees from discovery to renewal, without what is random.
func (c *client) trace() string {
	c.t.Helper()
	_, metadata := c.get(c.issuer + "/" + openidMetadata)
	_, keys := c.get(c.issuer + "/jwks")
	response := c.visit(nil, robot.Options{})
	redirectURI := response.Get("redirect_uri")
	response.Del("redirect_uri")
	seen := []string{metadata, keys, c.device(), c.masked(response.Encode())}
	if response.Get("error") == "" && len(response["code"]) == 1 {
		response.Set("redirect_uri", redirectURI)
		login := c.answer(c.exchange(response, nil))
		refresh, _ := asToken(login, "refresh_token")
		renewal := c.answer(url.Values{"grant_type": {"refresh_token"}, "client_id": {"demo"}, "refresh_token": {refresh}})
		access, _ := asToken(login, "access_token")
		_, userinfo := c.get(c.issuer+"/userinfo", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+url.PathEscape(access)) })
		seen = append(seen, c.masked(login), c.idToken(login, keys), c.masked(renewal), c.idToken(renewal, keys), userinfo)
	}
	return strings.Join(seen, "\n")
}

var honestCode = regexp.MustCompile(`"[A-Z]{4}-[A-Z]{4}"|=[A-Z]{4}-[A-Z]{4}"`)

// device is what a device sees that begins to sign in.
func (c *client) device() string {
	c.t.Helper()
	codes := c.text("device_authorization", url.Values{"client_id": {"demo"}})
	code, _ := asToken(codes, "device_code")
	poll := c.answer(url.Values{"grant_type": {deviceGrant}, "client_id": {"demo"}, "device_code": {code}})
	return honestCode.ReplaceAllString(c.masked(codes), "[a code]") + poll
}

// answer is the token endpoint's, as text.
func (c *client) answer(form url.Values) string {
	c.t.Helper()
	return c.text("token", form)
}

func (c *client) text(endpoint string, form url.Values) string {
	c.t.Helper()
	response, err := http.PostForm(c.issuer+"/"+endpoint, form)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(body)
}

func (c *client) masked(text string) string {
	secrets := c.Secrets()
	for _, secret := range secrets[max(0, len(secrets)-20):] { // a sign-in has fewer
		text = strings.ReplaceAll(text, secret, fmt.Sprintf("[%d bytes]", len(secret)))
	}
	return text
}

func asToken(answer, name string) (token string, ok bool) {
	var object map[string]any
	json.Unmarshal([]byte(answer), &object) // a mode may have broken it
	token, ok = object[name].(string)
	return token, ok
}

// idToken is an answer's ID token: its header, its claims with times as they are from
// now, whether at_hash fits, and whether a published key signed it.
func (c *client) idToken(answer, keys string) string {
	token, _ := asToken(answer, "id_token")
	access, _ := asToken(answer, "access_token")
	var parts []string
	for part := range strings.SplitSeq(token, ".") {
		decoded, _ := decode(part)
		parts = append(parts, string(decoded))
	}
	if len(parts) != 3 {
		return token
	}
	var claims map[string]any
	if json.Unmarshal([]byte(parts[1]), &claims) != nil || strings.Count(parts[1], `"sub"`) > 1 {
		return parts[0] + c.masked(parts[1])
	}
	for name, value := range claims {
		if at, isNumber := value.(float64); isNumber {
			claims[name] = math.Round((at - float64(c.now().Unix())) / 10)
		}
	}
	if claims["at_hash"] == leftHalf(c.Options().Alg, access) {
		claims["at_hash"] = "fits"
	}
	return fmt.Sprint(parts[0], claims, "signed: ", signed(token, keys))
}

func signed(token, keys string) bool {
	var set jose.JSONWebKeySet
	jws, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil || json.Unmarshal([]byte(keys), &set) != nil {
		return false
	}
	for _, key := range set.Keys {
		if _, err := jws.Verify(&key); err == nil {
			return true
		}
	}
	return false
}
