package e2e

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/idp"
)

// hostileDevices are wrong answers to a device that wants to sign in, and to its polls.
func hostileDevices() []hostile {
	return hurried([]hostile{
		{mode: "device-forbidden", code: 4, says: "unauthorized_client: not for this client"},
		{mode: "device-no-code", code: 4, says: "user_code is missing, or not fit to be typed"},
		{mode: "device-escape", code: 4, says: "user_code is missing, or not fit to be typed"},
		{mode: "device-long-code", code: 4, says: "user_code is missing, or not fit to be typed"},
		{mode: "device-http", code: 4, says: "http://device.invalid/ is not https"},
		{mode: "device-script", code: 4, says: "verification_uri_complete.*is no https URL"},
		{mode: "device-over", code: 4, says: "expires_in is missing, or no time to come"},
		{mode: "device-expired", code: 6, says: "the code expired before anybody signed in with it"},
		{mode: "deny", code: 4, says: "access_denied"},
		{mode: "slow-down", code: 6, says: "nobody signed in on the other device within 2s", args: []string{"--timeout", lateness.String()}},
	})
}

// oddDevices are told no interval that can be kept, and keep to the usual one.
func oddDevices() []hostile {
	return hurried([]hostile{
		{mode: "device-impatient"},
		{mode: "device-odd-pace"},
		{mode: "device-form"},
	})
}

// hurried has the honest polls follow each other quickly.
func hurried(rows []hostile) []hostile {
	for i := range rows {
		rows[i].with = func(o *idp.Options) { o.Interval = time.Second }
	}
	return allFrom("device_authorization", rows)
}

// A sign-in on another device leaves nothing behind when the provider is hostile, or
// what was there before.
func TestHostileDevice(t *testing.T) {
	each(t, hostileDevices(), func(s *stage, h hostile) {
		s.turn(h.mode)
		s.isRefused(h, s.loginElsewhere(h.args...))
		if kept := s.keeps(); len(kept) > 0 {
			s.t.Errorf("something is kept: %q", slices.Sorted(maps.Keys(kept)))
		}
		s.turn("")
		s.signInElsewhere()
		kept := s.keeps()
		s.turn(h.mode)
		s.isRefused(h, s.loginElsewhere(append(h.args, "--verbose")...))
		if !maps.Equal(s.keeps(), kept) {
			s.t.Error("the session that was there is not as it was")
		}
		s.token()
	})
}

func TestOddDevice(t *testing.T) {
	each(t, oddDevices(), func(s *stage, h hostile) {
		s.turn(h.mode)
		s.signInElsewhere()
		s.turn("")
		s.signInElsewhere()
	})
}

// loginElsewhere signs in on another device, as far as that goes.
func (s *stage) loginElsewhere(args ...string) scene {
	s.t.Helper()
	p := s.user.start(nil, slices.Concat([]string{"login", "--device"}, s.profile, args)...)
	if found := p.stderr.search(`(?m)^  (http\S+\?user_code=\S+)\n\nWaiting until`, p.done); found != nil {
		s.browse(found[1])
	}
	return scene{code: p.wait(), stdout: p.stdout.String(), stderr: p.stderr.String()}
}

// signInElsewhere has to succeed, and nothing is to be said against it.
func (s *stage) signInElsewhere() {
	s.t.Helper()
	end := s.loginElsewhere()
	if s.says(end, 0, ""); end.code != 0 {
		s.t.Fatalf("an honest provider is refused: exit %d\n%s", end.code, end.stderr)
	}
	s.token()
}
