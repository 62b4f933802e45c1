package e2e

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/idp"
)

// Whoever renews is killed at a moment of chance. What is left is a session that works
// or one that says to sign in, and a lock that is free.
func TestKilledAtAnyMoment(t *testing.T) {
	const rounds = 100
	for _, store := range []string{"keychain", "file"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			// Tokens live shorter than is asked for, so that each command renews.
			p := u.signIn(idp.Options{AccessTTL: 30 * time.Second}, u.storeFlags(store)...)
			seed := uint64(time.Now().UnixNano())
			k := &killer{u: u, p: p, lock: u.lock(), chance: rand.New(rand.NewPCG(seed, 0)), ends: map[string]int{}}
			t.Logf("seed %d", seed)
			k.measure()
			for range rounds {
				k.round()
			}
			t.Logf("of %d rounds, with deaths within %v: %v", rounds, k.span, k.ends)
			if got := k.ends["killed with the lock"]; got < rounds/10 {
				t.Errorf("of those that were killed %d held the lock, want at least %d", got, rounds/10)
			}
		})
	}
}

// storeFlags are login's for one of the stores.
func (u *user) storeFlags(store string) []string {
	switch store {
	case "keychain":
		return nil
	case "passphrase":
		return []string{"--store", "file"}
	}
	return []string{"--store", store, "--store-key-file", filepath.Join(u.home, "keys", "authctl")}
}

// killer kills one renewal a round.
type killer struct {
	u      *user
	p      *idp.Server
	lock   *profileLock
	chance *rand.Rand
	span   time.Duration // of a renewal, and a little
	ends   map[string]int
}

// measure finds out how long a renewal takes here.
func (k *killer) measure() {
	began := time.Now()
	for range 5 {
		k.latency()
		k.u.must("token")
	}
	k.span = time.Since(began) / 5 * 6 / 5
}

func (k *killer) latency() {
	latency := time.Duration(k.chance.Int64N(int64(30 * time.Millisecond)))
	k.p.Set(func(o *idp.Options) { o.Latency = latency })
}

// round kills one of two, the one that holds the lock if there is one; the other has
// to make the best of it.
func (k *killer) round() {
	k.u.t.Helper()
	k.latency()
	both := k.u.crowd(2, "token")
	time.Sleep(time.Duration(k.chance.Int64N(int64(k.span)))) // the moment
	victim, other := both[0], both[1]
	holder, _ := k.lock.look()
	if holder == other.cmd.Process.Pid {
		victim, other = other, victim
	}
	if holder == victim.cmd.Process.Pid {
		k.ends["killed with the lock"]++
	}
	victim.cmd.Process.Signal(syscall.SIGKILL)
	if code := victim.wait(); code != -1 {
		k.ends["ended before"]++
		k.check("the one that was to be killed", code, victim.stdout.String(), victim.stderr.String())
	}
	k.check("the other one", other.wait(), other.stdout.String(), other.stderr.String())
	stdout, stderr, code := k.u.run("token")
	k.ends[fmt.Sprintf("afterwards exit %d", code)]++
	k.check("afterwards", code, stdout, stderr)
	if code == 3 {
		k.u.signInAt(k.p)
	}
}

// check knows two ways to go on: a token, or a word to sign in.
func (k *killer) check(who string, code int, stdout, stderr string) {
	k.u.t.Helper()
	if good := code == 0 && stdout != ""; !good && (code != 3 || stdout != "") {
		k.u.t.Errorf("%s: exit %d with %d characters, want a token or exit 3\n%s", who, code, len(stdout), stderr)
	}
}
