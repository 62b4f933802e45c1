package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// timed answers without a network, and remembers when it was asked: time in a bubble
// stands still while there is a network to wait for.
type timed struct {
	answers []http.HandlerFunc
	asked   []time.Time
}

func (n *timed) RoundTrip(r *http.Request) (*http.Response, error) {
	n.asked = append(n.asked, time.Now())
	w := httptest.NewRecorder()
	n.answers[len(n.asked)-1](w, r)
	if w.Code == 999 {
		return nil, errors.New("connection reset")
	}
	return w.Result(), nil
}

// authorize begins a sign-in that says interval and lives for ten minutes.
func (n *timed) authorize(t *testing.T, interval string) *DeviceAuthorization {
	t.Helper()
	first := `{"device_code":"the-device-code","user_code":"A","verification_uri":"https://a.example","expires_in":600,"interval":` + interval + `}`
	n.answers = slices.Insert(n.answers, 0, reply(200, "", first))
	c := minimalClient()
	c.Metadata.DeviceAuthorizationEndpoint = "https://auth.example.com/device_authorization"
	c.HTTP = HTTPClient(n)
	d, err := c.DeviceAuthorize(t.Context(), Request{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// How long it waits before each poll, in seconds.
func TestPace(t *testing.T) {
	pending, slow, lost := refusal(400, "authorization_pending"), refusal(400, "slow_down"), refusal(999, "")
	for _, test := range []struct {
		name, interval string
		polls          []http.HandlerFunc // before the tokens come
		want           []int
	}{
		{"5 s unless told otherwise", "null", []http.HandlerFunc{pending, pending}, []int{5, 5, 5}},
		{"as told", "7", []http.HandlerFunc{pending, pending}, []int{7, 7, 7}},
		{"slow_down is for good", "1", []http.HandlerFunc{pending, slow, pending, pending}, []int{1, 1, 6, 6, 6}},
		{"slow_down twice", "1", []http.HandlerFunc{slow, slow, pending}, []int{1, 6, 11, 11}},
		{"slow_down with 429 (Auth0)", "5", []http.HandlerFunc{refusal(429, "slow_down"), pending}, []int{5, 10, 10}},
		{"a lost answer slows one poll", "5", []http.HandlerFunc{lost, pending, pending}, []int{5, 10, 5, 5}},
		{"more and more, to a minute", "5", []http.HandlerFunc{lost, lost, lost, lost, lost, lost, pending}, []int{5, 10, 20, 40, 60, 60, 60, 5}},
		{"never below the interval", "60", []http.HandlerFunc{slow, lost, pending}, []int{60, 65, 65, 65}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := &timed{answers: append(test.polls, reply(200, "", `{"access_token":"x"}`))}
				if _, err := network.authorize(t, test.interval).Redeem(t.Context()); err != nil {
					t.Fatal(err)
				}
				var got []int
				for i := range len(network.asked) - 1 {
					got = append(got, int(network.asked[i+1].Sub(network.asked[i]).Seconds()))
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("got %v, want %v", got, test.want)
				}
			})
		})
	}
}

// Why time ran out: whose it was, or that nobody was there at last.
func TestTimeRunsOut(t *testing.T) {
	impatient := errors.New("the person has no more time")
	pending, lost := refusal(400, "authorization_pending"), refusal(999, "")
	for _, test := range []struct {
		name    string
		last    http.HandlerFunc // the answer to every poll
		timeout time.Duration    // the caller's
		after   time.Duration
		want    error // nil: an UnreachableError
	}{
		{"the code's", pending, time.Hour, 10 * time.Minute, ErrExpired},
		{"the code's, with nobody there", lost, time.Hour, 10 * time.Minute, nil},
		{"the caller's", pending, time.Minute, time.Minute, impatient},
		{"the caller's, with nobody there", lost, time.Minute, time.Minute, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := &timed{answers: slices.Repeat([]http.HandlerFunc{test.last}, 600)}
				d, start := network.authorize(t, "5"), time.Now()
				ctx, cancel := context.WithTimeoutCause(t.Context(), test.timeout, impatient)
				defer cancel()
				_, err := d.Redeem(ctx)
				if test.want == nil {
					wantUnreachable(t, err, "connection reset")
				} else if err != test.want {
					t.Errorf("got %v, want %v", err, test.want)
				}
				if took := time.Since(start); took != test.after {
					t.Errorf("after %v, want %v", took, test.after)
				}
			})
		})
	}
}
