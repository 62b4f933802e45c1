package oauth

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	userCodeLimit = 40             // characters; §6.1 is about eight
	pageLimit     = 2000           // bytes of a page's address
	deviceLife    = 24 * time.Hour // at most, so that no sum overflows
)

// DeviceAuthorization is one attempt at signing in on another device, RFC 8628: what
// to show the person there is, and what is asked for meanwhile.
type DeviceAuthorization struct {
	UserCode        string // to type in or to compare; printable ASCII
	VerificationURI string // the page to do that on
	CompleteURI     string // the same with the code in it; empty: there is none
	Expires         time.Time
	OfflineAsked    bool // offline_access is among the scopes

	client   *Client
	request  Request
	scopes   []string
	code     string        // device_code: who has it gets the tokens
	interval time.Duration // between two polls
	started  time.Time
}

// DeviceAuthorize asks for a code that a person takes to another device, RFC 8628
// §3.1. There is neither a redirect URI nor PKCE, state or nonce: nothing comes back by
// way of a browser, and the tokens go to who has the device code.
//
// Errors are ErrNoDeviceAuthorization, *ConfigError and as Redeem's.
func (c *Client) DeviceAuthorize(ctx context.Context, r Request) (*DeviceAuthorization, error) {
	d, err := c.deviceAuthorize(ctx, r)
	return d, c.secrets().cleanError(err)
}

func (c *Client) deviceAuthorize(ctx context.Context, r Request) (*DeviceAuthorization, error) {
	d := &DeviceAuthorization{client: c, request: r, scopes: c.scopes(r), started: c.now()}
	d.OfflineAsked = slices.Contains(d.scopes, "offline_access")
	form, err := d.form()
	if err != nil {
		return nil, err
	}
	a, err := c.askForCodes(ctx, form)
	if err != nil {
		return nil, err
	}
	if err := d.read(a.object()); err != nil {
		return nil, &CheckError{What: a.op, Why: err.Error()}
	}
	return d, nil
}

func (c *Client) askForCodes(ctx context.Context, form url.Values) (*answer, error) {
	const op = "device authorization"
	endpoint := c.Metadata.DeviceAuthorizationEndpoint
	if endpoint == "" {
		return nil, ErrNoDeviceAuthorization
	}
	if err := checkURL(op+" endpoint", endpoint); err != nil {
		return nil, err
	}
	request, err := c.authenticated(ctx, endpoint, form)
	if err != nil {
		return nil, &ConfigError{op + " endpoint", "no URL"}
	}
	a, err := send(c.HTTP, op, request)
	if err != nil {
		return nil, err
	}
	var code string
	json.Unmarshal(a.fields()["device_code"], &code) // what is no string is refused later
	c.know(code)
	return a, a.refusal()
}

func (d *DeviceAuthorization) form() (url.Values, error) {
	if d.client.ID == "" {
		return nil, &ConfigError{"client ID", "none is set"}
	}
	form, err := d.request.parameters()
	if err == nil && len(d.scopes) > 0 {
		form.Set("scope", strings.Join(d.scopes, " "))
	}
	return form, err
}

// deviceAnswer is RFC 8628 §3.2.
type deviceAnswer struct {
	DeviceCode      string          `json:"device_code"`
	UserCode        string          `json:"user_code"`
	VerificationURI string          `json:"verification_uri"`
	VerificationURL string          `json:"verification_url"` // Google's, from before the RFC
	CompleteURI     string          `json:"verification_uri_complete"`
	ExpiresIn       json.RawMessage `json:"expires_in"`
	Interval        json.RawMessage `json:"interval"`
}

func readDeviceAnswer(body []byte) (answer deviceAnswer, err error) {
	if json.Unmarshal(body, &answer) != nil {
		return answer, errors.New("the answer can't be read")
	}
	if name := misread(body, "device_code", "user_code", "verification_uri", "verification_url",
		"verification_uri_complete", "expires_in", "interval"); name != "" {
		return answer, errors.New("the answer's " + name + " can be read in two ways")
	}
	return answer, nil
}

// read takes what the provider answered. What is wrong is refused and not mended: a
// code that lost a character on the way to the screen would not work.
func (d *DeviceAuthorization) read(body []byte) error {
	answer, err := readDeviceAnswer(body)
	if err != nil {
		return err
	}
	life, err := number(answer.ExpiresIn)
	switch {
	case answer.DeviceCode == "":
		return errors.New("the answer has no device_code")
	case !isUserCode(answer.UserCode):
		return errors.New("user_code is missing, or not fit to be typed")
	case err != nil || life <= 0:
		return errors.New("expires_in is missing, or no time to come")
	}
	d.code, d.UserCode = answer.DeviceCode, answer.UserCode
	d.Expires = d.started.Add(seconds(life, deviceLife))
	d.interval = interval(answer.Interval)
	d.VerificationURI, d.CompleteURI = cmp.Or(answer.VerificationURI, answer.VerificationURL), answer.CompleteURI
	if d.client.echoes(d.UserCode + " " + d.VerificationURI + " " + d.CompleteURI) {
		return errors.New("what it wants shown holds a secret")
	}
	if err := checkShown("verification_uri", d.VerificationURI); err != nil || d.CompleteURI == "" {
		return err
	}
	return checkShown("verification_uri_complete", d.CompleteURI)
}

func isUserCode(s string) bool {
	return strings.TrimSpace(s) != "" && len(s) <= userCodeLimit && isVisible(strings.ReplaceAll(s, " ", ""))
}

// checkShown: what is the address of a page, and one that a screen has room for.
func checkShown(what, uri string) error {
	if len(uri) > pageLimit {
		return fmt.Errorf("%s has %d bytes", what, len(uri))
	}
	return checkPage(what, uri)
}
