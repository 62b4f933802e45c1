package e2e

import (
	"syscall"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/idp"
)

// Whoever renews is stopped, as by Ctrl-Z, with the answer on its way. Others wait, and
// all have its result when it goes on.
func TestRenewalIsStopped(t *testing.T) {
	for _, store := range []string{"keychain", "file"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			p := u.signInExpired(idp.Options{}, u.storeFlags(store)...)
			p.Set(func(o *idp.Options) { o.Latency = 500 * time.Millisecond })
			holder := u.start(nil, "token")
			eventually(t, "the request is sent", func() bool { return renewals(p) == 1 })
			holder.cmd.Process.Signal(syscall.SIGSTOP)
			all := u.crowd(8, "token")
			u.lock().await(8)
			holder.cmd.Process.Signal(syscall.SIGCONT)
			token := alike(t, append(all, holder), 0, "")
			if got := renewals(p); got != 1 || token == "" {
				t.Errorf("got %d renewals and %d characters, want 1 and a token", got, len(token))
			}
		})
	}
}
