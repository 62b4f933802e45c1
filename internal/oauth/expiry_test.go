package oauth

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

func TestExpiry(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	jwt := func(exp any) string {
		return sign(signer{jose.HS256, make([]byte, 32), ""}, map[string]any{"exp": exp})
	}
	never := time.Time{}
	for _, test := range []struct {
		name, accessToken, expiresIn string
		want                         time.Time
	}{
		{"number", "x", `3600`, now.Add(time.Hour)},
		{"string", "x", `"3600"`, now.Add(time.Hour)},
		{"float", "x", `3600.0`, now.Add(time.Hour)},
		{"fraction", "x", `3600.9`, now.Add(time.Hour)},
		{"exponent", "x", `36e2`, now.Add(time.Hour)},
		{"absent", "x", ``, never},
		{"null", "x", `null`, never},
		{"empty", "x", `""`, never},
		{"zero", "x", `0`, never},
		{"negative", "x", `-5`, now},
		{"huge", "x", `99999999999999`, now.Add(maxLife)},
		{"beyond float64", "x", `1e999`, now.Add(maxLife)},
		{"huge negative", "x", `-1e999`, now},
		{"JWT", jwt(now.Add(time.Minute).Unix()), ``, now.Add(time.Minute)},
		{"JWT, zero", jwt(now.Add(time.Minute).Unix()), `0`, now.Add(time.Minute)},
		{"JWT, but expires_in counts", jwt(now.Add(time.Minute).Unix()), `3600`, now.Add(time.Hour)},
		{"JWT without exp", jwt(nil), ``, never},
		{"JWT with a word for exp", jwt("soon"), ``, never},
		{"JWT with a negative exp", jwt(-5), ``, never},
		{"JWT with a huge exp", jwt(1e300), ``, now.Add(maxLife)},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := expiryOf(test.accessToken, json.RawMessage(test.expiresIn), now)
			if err != nil || !got.Equal(test.want) {
				t.Errorf("got %v, %v, want %v", got, err, test.want)
			}
		})
	}
	for _, bad := range []string{`"soon"`, `true`, `{}`, `[60]`, `"NaN"`} {
		if got, err := expiryOf("x", json.RawMessage(bad), now); err == nil {
			t.Errorf("%s: got %v, want an error", bad, got)
		}
	}
}

// The token's life began before the request: a slow answer doesn't lengthen it.
func TestExpiryCountsFromTheRequest(t *testing.T) {
	p := newProvider(t)
	c := p.client(t)
	start := time.Now()
	clock := start
	c.Now = func() time.Time { return clock }
	p.token = func(w http.ResponseWriter, r *http.Request) {
		clock = start.Add(20 * time.Second)
		writeJSON(w, p.answer)
	}
	grant, err := p.login(t, c, p.request())
	if err != nil {
		t.Fatal(err)
	}
	if want := start.Add(time.Hour); !grant.Expiry.Equal(want) {
		t.Errorf("got %v, want %v", grant.Expiry, want)
	}
}
