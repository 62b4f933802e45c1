package main

import (
	"testing"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/session"
)

// A session that is over is remembered as over, so it takes an answer that is sure to be
// the provider's.
func TestRenewalError(t *testing.T) {
	for _, test := range []struct {
		code   string
		status int
		want   session.Kind
	}{
		{"invalid_grant", 400, session.Dead},
		{"invalid_grant", 500, session.Dead},
		{"bad_refresh_token", 200, session.Dead},
		{"invalid_refresh_token", 200, session.Dead},
		{"interaction_required", 400, session.Dead},
		{"login_required", 401, session.Dead},
		{"invalid_token", 400, session.Dead},
		{"invalid_token", 401, session.Failed},
		{"invalid_token", 502, session.Failed},
		{"login_required", 503, session.Failed},
		{"invalid_client", 401, session.Failed},
		{"invalid_scope", 400, session.Failed},
	} {
		failed, ok := renewalError(&oauth.Error{Op: "renewal", Code: test.code, Status: test.status}).(*session.RenewalError)
		if !ok || failed.Kind != test.want {
			t.Errorf("%s with %d: got %+v, want the kind %d", test.code, test.status, failed, test.want)
		}
	}
}
