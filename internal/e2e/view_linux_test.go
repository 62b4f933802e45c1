package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// view is all that can be seen of a session without changing it: what authctl says, and
// which tokens the provider takes.
type view struct {
	token  string // cached, with its newline; empty when it would have to be renewed
	claims string // whoami --json; empty when nobody is signed in
	status string // status --json
	alive  []string
}

func (u *user) view(alive []string) view {
	u.t.Helper()
	v := view{status: u.must("status", "--json"), alive: alive}
	if strings.Contains(v.status, `"signed in"`) {
		v.token = u.must("token")
	}
	claims, stderr, code := u.run("whoami", "--json")
	if code != 0 && code != 3 {
		u.t.Errorf("whoami: exit %d\n%s", code, stderr)
	}
	v.claims = claims
	return v
}

func (v view) String() string {
	return fmt.Sprintf("a token of %d characters, %d tokens alive, claims %q, status %s", len(v.token), len(v.alive), v.claims, v.status)
}

// sameAs reports whether authctl says what it said before.
func (v view) sameAs(before view) bool {
	return v.token == before.token && v.claims == before.claims && v.status == before.status
}

// identity is what a part of a session says of whose it is, and of which sign-in.
type identity struct {
	Subject string `json:"sub"`
	Issued  int64  `json:"iat"`
}

// isWhole reports whether the token, the claims and the status are of one answer of the
// provider's, with tokens that live for ttl. The claims may be kept from the answer before,
// after a renewal without an ID token: they are the same person's then.
func (v view) isWhole(ttl time.Duration, kept bool) bool {
	var claims identity
	if err := json.Unmarshal([]byte(v.claims), &claims); err != nil {
		return false
	}
	token := payload(v.token)
	var all []struct {
		Subject string    `json:"subject"`
		Expires time.Time `json:"expires_at"`
	}
	if err := json.Unmarshal([]byte(v.status), &all); err != nil || len(all) != 1 {
		return false
	}
	life := all[0].Expires.Sub(time.Unix(token.Issued, 0))
	return token.Subject == claims.Subject && all[0].Subject == claims.Subject &&
		(token.Issued == claims.Issued || kept) &&
		life > ttl-time.Minute && life <= ttl && // counted from before it was asked for
		slices.Contains(v.alive, strings.TrimSpace(v.token))
}

// payload is a JWT's, zero for anything else.
func payload(token string) (p identity) {
	parts := strings.Split(strings.TrimSpace(token), ".")
	if len(parts) != 3 {
		return p
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(text, &p) != nil {
		return identity{}
	}
	return p
}
