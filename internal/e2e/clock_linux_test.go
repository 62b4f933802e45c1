package e2e

import (
	"testing"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/keychaintest"
)

// The scripts' authctl has a clock that CLOCK puts forward. The released one has none but
// the machine's.
func TestReleasedBinaryHasOneClock(t *testing.T) {
	t.Parallel()
	u := newUserWith(t, keychaintest.Open(t, keychaintest.NoBus))
	u.set("AUTHCTL_STORE=file", "AUTHCTL_STORE_KEY_FILE="+u.home+"/keys/authctl")
	p := u.signIn(idp.Options{})
	token := u.must("token")
	u.set("CLOCK=5h")
	if got := u.must("token"); got != token || p.Count("token/refresh_token") != 0 {
		t.Error("the clock was put forward: the token was renewed")
	}
}
