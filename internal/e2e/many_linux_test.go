package e2e

import (
	"slices"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/idp"
)

// However many ask at once, all get the one token, cached or renewed by one request; none
// is told to sign in. A hundred wait no longer than if they came one after the other.
func TestAnyNumberAtOnce(t *testing.T) {
	for _, store := range []string{"keychain", "file"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			p := u.signIn(idp.Options{}, u.storeFlags(store)...)
			alone := u.alone(20)
			for _, n := range []int{100, 256, 1000} {
				cached := u.sameToken(n)
				if longest := 100 * alone * 2; n == 100 && cached > longest { // 2: the machine has other work as well
					t.Errorf("99 of 100 took up to %v, want %v at most; one alone takes %v", cached, longest, alone)
				}
				u.expire(p)
				before := renewals(p)
				expired := u.sameToken(n)
				if got := renewals(p) - before; got != 1 {
					t.Errorf("%d found it expired: got %d requests, want 1", n, got)
				}
				t.Logf("99 of 100 of %d took up to %v with a cached token, %v with an expired one", n, cached, expired)
			}
			if u.bus.KeyringDied() {
				t.Error("gnome-keyring has died of it")
			}
		})
	}
}

// alone is the median time of n processes one after the other.
func (u *user) alone(n int) time.Duration {
	var all []*process
	for range n {
		p := u.start(nil, "token")
		p.wait()
		all = append(all, p)
	}
	alike(u.t, all, 0, "")
	return percentile(all, 50)
}

// sameToken starts n processes at once, which have to print one token, and returns how
// long 99 % of them took at the most.
func (u *user) sameToken(n int) time.Duration {
	u.t.Helper()
	all := u.crowd(n, "token")
	if token := alike(u.t, all, 0, ""); len(token) < 20 {
		u.t.Errorf("got a token of %d characters", len(token))
	}
	return percentile(all, 99)
}

// percentile is of how long processes took that have ended.
func percentile(all []*process, percent int) time.Duration {
	var took []time.Duration
	for _, p := range all {
		took = append(took, p.took)
	}
	slices.Sort(took)
	return took[(len(took)-1)*percent/100]
}

// expire has the user's token renewed by one that is over when it comes.
func (u *user) expire(p *idp.Server) {
	u.t.Helper()
	p.Set(func(o *idp.Options) { o.Modes["past-expires-in"] = true })
	u.must("token", "--refresh")
	p.Set(func(o *idp.Options) { delete(o.Modes, "past-expires-in") })
}
