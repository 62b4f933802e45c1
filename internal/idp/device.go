package idp

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
)

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code" // RFC 8628 §3.4

// device is a sign-in that its user goes on with on another device, RFC 8628.
type device struct {
	request
	userCode string
	interval time.Duration // that has to be between two polls
	polled   time.Time
	grant    *grant // once the user has allowed it
	denied   bool
	used     bool
}

// deviceAuthorization is the device authorization endpoint, RFC 8628 §3.1.
func (x *exchange) deviceAuthorization() {
	if x.NoDevice {
		http.NotFound(x.w, x.r)
		return
	}
	if err := x.client(); err != nil {
		x.refuse(err)
		return
	}
	if x.instead(atDevice) {
		return
	}
	answer := x.begin(x.parse(x.r.PostForm))
	x.good(atDevice, x.edited(answer, func(m mode) edit { return m.device }))
}

// begin makes the codes and their answer, RFC 8628 §3.2.
func (x *exchange) begin(req *request) map[string]any {
	req.clientID = x.ClientID // a header may have named it
	req.expires = x.now().Add(x.DeviceTTL)
	d := &device{request: *req, userCode: newUserCode(), interval: cmp.Or(x.Interval, 5*time.Second)}
	code := random(0)
	x.remember("device code", code)
	x.mu.Lock()
	x.devices[code] = d
	x.mu.Unlock()
	answer := map[string]any{
		"device_code": code, "user_code": d.userCode, "expires_in": int64(x.DeviceTTL / time.Second),
		"verification_uri": x.url("device"), "verification_uri_complete": x.url("device") + "?user_code=" + d.userCode,
	}
	if x.Interval > 0 {
		answer["interval"] = int64(x.Interval / time.Second)
	}
	return answer
}

// newUserCode has no vowels, so that it is no word, and 20^8 values: RFC 8628 §6.1.
func newUserCode() string {
	const letters = "BCDFGHJKLMNPQRSTVWXZ"
	code := make([]byte, 8)
	rand.Read(code)
	for i, b := range code {
		code[i] = letters[int(b)%len(letters)]
	}
	return string(code[:4]) + "-" + string(code[4:])
}

// verify is the page for the user code, RFC 8628 §3.3: the code is typed in, or, where
// the address brought it, confirmed (§3.3.1). Then comes the sign-in page.
func (x *exchange) verify() {
	if x.NoDevice || x.r.ParseForm() != nil {
		http.NotFound(x.w, x.r)
		return
	}
	typed := x.r.Form.Get("user_code")
	if x.r.Method != http.MethodPost {
		x.codePage(http.StatusOK, typed, "")
		return
	}
	d := x.waiting(typed)
	if d == nil {
		x.codePage(http.StatusNotFound, typed, "No sign-in waits for this code.")
		return
	}
	req := d.request
	req.device = d
	x.ask(&req)
}

// waiting is the device that shows a code, however that is typed.
func (x *exchange) waiting(typed string) *device {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, d := range x.devices {
		if letters(d.userCode) == letters(typed) && x.now().Before(d.expires) && d.grant == nil && !d.denied {
			return d
		}
	}
	return nil
}

func letters(code string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, code)
}

// decide is the user's word; nil is a no.
func (x *exchange) decide(d *device, user *User) {
	x.mu.Lock()
	d.denied = user == nil
	if user != nil {
		d.grant = &grant{request: d.request, user: user, at: x.now()}
	}
	x.mu.Unlock()
	v := view{Title: "You are signed in", Note: "Close this page and return to your other device."}
	if user == nil {
		v.Title = "Nobody was signed in"
	}
	x.show(http.StatusOK, v)
}

// redeemDevice answers a poll, RFC 8628 §3.5.
func (x *exchange) redeemDevice(f url.Values) (map[string]any, *refusal) {
	for _, wrong := range x.wrong() {
		if wrong.poll != "" {
			return nil, &refusal{400, wrong.poll, "the answer to every poll"}
		}
	}
	x.mu.Lock()
	g, err := x.devices[f.Get("device_code")].poll(x.now())
	x.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return x.issue(g, g.scopes, false), nil
}

func (d *device) poll(now time.Time) (*grant, *refusal) {
	switch {
	case d == nil:
		return nil, badGrant("the device code is not known")
	case d.used:
		return nil, badGrant("the device code has been used")
	case !now.Before(d.expires):
		return nil, &refusal{400, "expired_token", "the device code has expired"}
	}
	early := now.Sub(d.polled) < d.interval
	d.polled = now
	switch {
	case early:
		d.interval += 5 * time.Second
		return nil, &refusal{400, "slow_down", "the interval between two polls is " + d.interval.String() + " now"}
	case d.denied:
		return nil, &refusal{400, "access_denied", "the user said no"}
	case d.grant == nil:
		return nil, &refusal{400, "authorization_pending", "the user has not decided yet"}
	}
	d.used = true
	return d.grant, nil
}
