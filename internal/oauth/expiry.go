package oauth

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// maxLife bounds what a provider says of a token's life, so that no sum
// overflows and every time can be written as RFC 3339.
const maxLife = 10 * 365 * 24 * time.Hour

// expiryOf is when an access token ends, counted from before it was asked for:
//
//   - expires_in (seconds, RFC 6749 §5.1), a number or a numeric string; more
//     than ten years count as ten, a negative one as over already
//   - absent or zero: unknown, so the token's own exp if it is a JWT
//   - no exp either: the zero time, nobody knows
func expiryOf(accessToken string, expiresIn json.RawMessage, sent time.Time) (time.Time, error) {
	seconds, err := number(expiresIn)
	if err != nil {
		return time.Time{}, errors.New("expires_in is no number")
	}
	if seconds == 0 {
		return bounded(jwtExpiry(accessToken), sent), nil
	}
	life := time.Duration(min(max(seconds, 0), maxLife.Seconds()) * float64(time.Second))
	return sent.Add(life.Truncate(time.Second)), nil
}

// number reads 3600, 3600.0 and "3600"; absent, null and "" are 0.
func number(raw json.RawMessage) (float64, error) {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		text = string(raw)
	}
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if errors.Is(err, strconv.ErrRange) {
		err = nil // n is infinite, which is only large
	}
	if math.IsNaN(n) {
		err = errors.New("not a number")
	}
	return n, err
}

// jwtExpiry reads exp of an access token, which is not meant for us to read, so
// that its signature is not checked: who could forge it could change expires_in.
func jwtExpiry(accessToken string) time.Time {
	algorithms := []jose.SignatureAlgorithm{
		jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
		jose.ES256, jose.ES384, jose.ES512, jose.EdDSA, jose.HS256, jose.HS384, jose.HS512,
	}
	jws, err := jose.ParseSignedCompact(accessToken, algorithms)
	if err != nil {
		return time.Time{}
	}
	var claims struct {
		Expiry json.RawMessage `json:"exp"`
	}
	if json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &claims) != nil {
		return time.Time{}
	}
	seconds, err := number(claims.Expiry)
	if err != nil || seconds <= 0 {
		return time.Time{}
	}
	return time.Unix(int64(min(seconds, 1<<40)), 0)
}

// bounded keeps a time that is not the zero one within maxLife from now.
func bounded(t, now time.Time) time.Time {
	if limit := now.Add(maxLife); t.After(limit) {
		t = limit
	}
	return t.UTC()
}
