package session

import (
	"context"
	"sync/atomic"
	"testing"
	"time"
)

// A jumpy clock can be put forward and back at any time.
type jumpy struct{ offset atomic.Int64 }

func (j *jumpy) now() time.Time       { return clock.Add(time.Duration(j.offset.Load())) }
func (j *jumpy) jump(d time.Duration) { j.offset.Add(int64(d)) }

// The clock jumps while the provider answers: the expiry counts from before. However the
// clock goes on, no token is handed out once it is over by the clock that it is kept by.
func TestClockJumpsDuringARenewal(t *testing.T) {
	for _, c := range []struct {
		name        string
		jump, later time.Duration // during the renewal, and after it
		wantErr     string        // of the renewal
		again       int           // renewals that the next asking takes
	}{
		{"not at all", 0, 30 * time.Minute, "", 0},
		{"not at all, and time goes by", 0, 2 * time.Hour, "", 1},
		{"a little", -30 * time.Second, 30 * time.Minute, "", 0},
		{"back", -5 * time.Hour, 0, "", 1},
		{"back, and time goes by", -5 * time.Hour, 2 * time.Hour, "", 1},
		{"back, and forward again", -5 * time.Hour, 5 * time.Hour, "", 0},
		{"back, and far forward", -5 * time.Hour, 7 * time.Hour, "", 1},
		{"forward", 5 * time.Hour, 0, "short", 1}, // said to be over, and right: it is new
		{"forward, and back again", 5 * time.Hour, -5 * time.Hour, "short", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := newSession(t)
			j := &jumpy{}
			s.Now, s.Started = j.now, clock
			put(t, s, nil)
			p := startProvider(t, nil)
			renew := func(ctx context.Context, old *Tokens) (*Tokens, error) {
				asked := s.now()
				answer, err := renewAt(p.URL, func() time.Time { return asked })(ctx, old)
				if err == nil {
					answer.ObtainedAt = asked
					j.jump(c.jump)
				}
				return answer, err
			}
			if got, err := s.Fresh(ctx, minute, renew); accessToken(got) != "access-2" || kindOf(err) != c.wantErr {
				t.Fatalf("got %q, %v, want access-2, %q", accessToken(got), err, c.wantErr)
			}
			j.jump(c.later)
			s.Started = s.now().Add(time.Millisecond) // another process, a moment later
			c.jump = 0
			got, err := s.Fresh(ctx, minute, renew)
			if err != nil || p.count() != 1+c.again {
				t.Errorf("later: got %v after %d requests, want %d", err, p.count(), 1+c.again)
			}
			if err == nil && !got.Expiry.After(s.now()) {
				t.Errorf("later: got a token that ended at %v, and it is %v", got.Expiry, s.now())
			}
		})
	}
}

// Whoever waits for another's renewal while the laptop sleeps gets no token that is over.
func TestSleepWhileWaiting(t *testing.T) {
	for _, c := range []struct {
		name     string
		sleep    time.Duration
		want     string
		requests int
	}{
		{"awake", 0, "access-9", 0},
		{"asleep for a moment", time.Minute, "access-9", 0},
		{"asleep through the token's life", 3 * time.Hour, "access-2", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := newSession(t)
			j := &jumpy{}
			s.Now, s.Started = j.now, clock
			put(t, s, nil)
			p := startProvider(t, nil)
			unlock, err := s.lock(ctx)
			if err != nil {
				t.Fatal(err)
			}
			type result struct {
				token string
				err   error
			}
			got := make(chan result)
			go func() {
				tokens, err := s.Fresh(ctx, minute, renewAt(p.URL, s.Now))
				got <- result{accessToken(tokens), err}
			}()
			awaitWaiters(t, s, 1)
			put(t, s, func(t *Tokens) {
				t.AccessToken, t.Expiry, t.ObtainedAt = "access-9", clock.Add(time.Hour), clock.Add(time.Millisecond)
			})
			j.jump(time.Millisecond + c.sleep)
			unlock()
			if r := <-got; r.token != c.want || r.err != nil || p.count() != c.requests {
				t.Errorf("got %q, %v after %d requests, want %q after %d", r.token, r.err, p.count(), c.want, c.requests)
			}
		})
	}
}
