package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"golang.org/x/oauth2"
)

const (
	deviceGrant = "urn:ietf:params:oauth:grant-type:device_code" // RFC 8628 §3.4

	usualInterval   = 5 * time.Second // RFC 8628 §3.5, where the provider names none
	longestInterval = time.Minute
	slowDown        = 5 * time.Second // what slow_down adds, RFC 8628 §3.5
)

// Redeem waits until the person has decided on the other device, and checks the tokens
// as Authorization.Redeem does. It is good for one call, and ends when ctx does.
//
// Errors are *Error (the person said no, or the provider), *CheckError, *InsecureError,
// ErrExpired, the cause of ctx's end, and *UnreachableError when time ran out while the
// provider could not be reached.
func (d *DeviceAuthorization) Redeem(ctx context.Context) (*Grant, error) {
	grant, err := d.redeem(ctx)
	return grant, d.client.secrets().cleanError(err)
}

func (d *DeviceAuthorization) redeem(ctx context.Context) (*Grant, error) {
	grant, err := d.await(ctx)
	if err != nil {
		return nil, err
	}
	c := d.client
	want := expectation{issuer: c.issuer(), maxAge: d.request.MaxAge, asked: d.started}
	return c.accept(ctx, grant, d.scopes, want)
}

// await polls the token endpoint, RFC 8628 §3.4 and §3.5. The first poll comes after an
// interval too: nobody signs in within it, and a provider that counts from when it gave
// the code would make all the others slower. A poll without an answer is made up for by
// the next, after twice the time each time.
func (d *DeviceAuthorization) await(ctx context.Context) (*Grant, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, d.Expires.Sub(d.client.now()), ErrExpired)
	defer cancel()
	wait, lost := d.interval, error(nil)
	for {
		if !pause(ctx, wait) {
			return nil, ended(ctx, lost)
		}
		grant, code, err := d.poll(ctx)
		switch unreachable := (*UnreachableError)(nil); {
		case err == nil:
			return grant, nil
		case code == "authorization_pending":
			wait, lost = d.interval, nil
		case code == "slow_down":
			d.interval += slowDown
			wait, lost = d.interval, nil
		case ctx.Err() != nil:
			return nil, ended(ctx, lost)
		case code == "expired_token", code == "code_expired": // the latter is Microsoft's
			return nil, ErrExpired
		case errors.As(err, &unreachable):
			wait, lost = max(d.interval, min(2*wait, longestInterval)), err
		default:
			return nil, err
		}
	}
}

// pause waits, and reports whether ctx has not ended.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// ended is why the wait is over. That the provider could not be reached at last says
// more than that time ran out.
func ended(ctx context.Context, lost error) error {
	if lost != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return lost
	}
	return context.Cause(ctx)
}

// poll asks once. The error's code is there whatever the status was: Auth0 says
// slow_down with 429. x/oauth2 has no single request for this grant, so Exchange makes
// the one for a code and the form is put right.
func (d *DeviceAuthorization) poll(ctx context.Context) (grant *Grant, code string, err error) {
	form := d.request.resources()
	form["code"] = nil
	form.Set("grant_type", deviceGrant)
	form.Set("device_code", d.code)
	c := d.client
	request := &tokenRequest{client: c, op: "token request", extra: form}
	grant, err = request.do(ctx, func(ctx context.Context) (*oauth2.Token, error) {
		return c.config().Exchange(ctx, "")
	})
	if request.refused != nil {
		code = request.refused.Code
	}
	return grant, code, err
}

// interval is how long to wait between two polls: a courtesy to the provider, so that
// one which can't be read, or is no time, counts as none. More than a minute would be
// a burden on the person.
func interval(raw json.RawMessage) time.Duration {
	n, err := number(raw)
	if err != nil || n <= 0 {
		return usualInterval
	}
	return max(seconds(n, longestInterval), time.Second)
}

func seconds(n float64, limit time.Duration) time.Duration {
	return time.Duration(min(n, limit.Seconds()) * float64(time.Second))
}
