package session

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"
)

// A rule of Fresh: what is stored, what is asked, what the provider does, and
// what comes of it. Generation 1 is stored, 2 is what a renewal brings.
type rule struct {
	name     string
	stored   func(*Tokens) // changes to tokens that are expired; nil: none
	need     Need
	provider func(*provider)
	silent   bool                            // the provider never answers
	session  func(*Session)                  // changes to the session
	want     string                          // access token
	wantErr  string                          // kindOf
	requests int                             // that the provider got
	cached   bool                            // one Get, no lock, no file
	after    func(t *testing.T, now *Tokens) // checks what is stored then
}

var clock = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

func expires(in time.Duration) func(*Tokens) {
	return func(t *Tokens) { t.Expiry, t.IDTokenExpiry = clock.Add(in), clock.Add(in) }
}

func obtained(ago time.Duration, expiresIn time.Duration) func(*Tokens) {
	return func(t *Tokens) {
		expires(expiresIn)(t)
		t.ObtainedAt = clock.Add(-ago)
	}
}

var (
	minute   = Need{MinTTL: time.Minute}
	refresh  = Need{MinTTL: time.Minute, Refresh: true}
	idToken  = Need{MinTTL: time.Minute, IDToken: true}
	started  = 10 * time.Second // before the clock's time
	unknown  = func(t *Tokens) { t.Expiry = time.Time{} }
	noOld    = func(t *Tokens) { t.RefreshToken = "" }
	noID     = func(t *Tokens) { t.IDToken, t.IDTokenExpiry, t.Claims = "", time.Time{}, nil }
	isDead   = func(t *Tokens) { t.RefreshRefused = "invalid_grant: gone" }
	all      = func(fs ...func(*Tokens)) func(*Tokens) { return func(t *Tokens) { each(t, fs) } }
	refusing = func(code string) func(*provider) { return func(p *provider) { p.refuse = code } }
)

func each(t *Tokens, fs []func(*Tokens)) {
	for _, f := range fs {
		f(t)
	}
}

var rules = []rule{
	{name: "life enough", stored: expires(2 * time.Minute), need: minute, want: "access-1", cached: true},
	{name: "just enough", stored: expires(time.Minute), need: minute, want: "access-1", cached: true},
	{name: "just not enough", stored: expires(time.Minute - 1), need: minute, want: "access-2", requests: 1},
	{name: "expired", need: minute, want: "access-2", requests: 1},
	{name: "expires now, and any life will do", stored: expires(0), want: "access-2", requests: 1},
	{name: "a second left, and any life will do", stored: expires(time.Second), want: "access-1", cached: true},
	{name: "unknown expiry", stored: unknown, need: minute, want: "access-1", cached: true},
	{name: "unknown expiry, refresh asked", stored: unknown, need: refresh, want: "access-2", requests: 1},
	{name: "refresh asked", stored: expires(time.Hour), need: refresh, want: "access-2", requests: 1},

	{name: "obtained since the start, refresh asked", stored: obtained(started, time.Hour), need: refresh, want: "access-1", cached: true},
	{name: "obtained since the start, short", stored: obtained(time.Second, 30*time.Second), need: minute, want: "access-1", wantErr: "short", cached: true},
	{name: "obtained since the start, over already", stored: obtained(2*time.Second, -time.Second), need: minute, want: "access-1", wantErr: "short", cached: true},
	{name: "obtained just before the start", stored: obtained(started+1, time.Hour), need: refresh, want: "access-2", requests: 1},
	{name: "obtained since the start, but that is unknown", stored: obtained(time.Second, time.Hour), need: refresh, session: func(s *Session) { s.Started = time.Time{} }, want: "access-2", requests: 1},
	{name: "obtained since the start, and slept through", stored: obtained(5*time.Hour, -4*time.Hour), need: minute, session: startedBefore(6 * time.Hour), want: "access-2", requests: 1},
	{name: "obtained since the start, a short life slept through", stored: obtained(2*time.Minute, -time.Minute), need: minute, session: startedBefore(3 * time.Minute), want: "access-2", requests: 1},
	{name: "obtained since the start, slept through, nothing to renew with", stored: all(obtained(5*time.Hour, -4*time.Hour), noOld), need: minute, session: startedBefore(6 * time.Hour), wantErr: "no refresh token", cached: true},
	{name: "clock put back, refresh asked", stored: obtained(-time.Hour, 2*time.Hour), need: refresh, want: "access-2", requests: 1},
	{name: "clock put back", stored: obtained(-3*time.Hour, 4*time.Hour), need: minute, want: "access-2", requests: 1},
	{name: "clock put back, nothing to renew with", stored: all(obtained(-3*time.Hour, 4*time.Hour), noOld), need: minute, want: "access-1", cached: true},
	{name: "clock put back a little", stored: obtained(-time.Second, time.Hour), need: minute, want: "access-1", cached: true},
	{name: "clock put forward", stored: obtained(48*time.Hour, -47*time.Hour), need: minute, want: "access-2", requests: 1},

	{name: "new token is short", need: minute, provider: func(p *provider) { p.ttl = 5 * time.Second }, want: "access-2", wantErr: "short", requests: 1},
	{name: "answer without a refresh token", need: minute, provider: func(p *provider) { p.noRefresh = true }, want: "access-2", requests: 1, after: holds("refresh-1", "id-2")},
	{name: "answer with a refresh token", need: minute, want: "access-2", requests: 1, after: holds("refresh-2", "id-2")},

	{name: "ID token lasts", stored: all(expires(time.Hour)), need: idToken, want: "access-1", cached: true},
	{name: "ID token over, access token not", stored: func(t *Tokens) { t.Expiry = clock.Add(time.Hour) }, need: idToken, want: "access-2", requests: 1},
	{name: "access token over, ID token not", stored: func(t *Tokens) { t.IDTokenExpiry = clock.Add(time.Hour) }, need: idToken, want: "access-1", cached: true},
	{name: "no ID token yet", stored: noID, need: idToken, want: "access-2", requests: 1},
	{name: "no ID token, nothing to renew with", stored: all(noID, noOld), need: idToken, wantErr: "no ID token", cached: true},
	{name: "ID token over, nothing to renew with", stored: noOld, need: idToken, wantErr: "no refresh token", cached: true},
	{name: "renewal brings no ID token", need: idToken, provider: func(p *provider) { p.noIDToken = true }, wantErr: "no ID token", requests: 1, after: holds("refresh-2", "id-1")},
	{name: "renewal brings no ID token, the old one lasts", stored: expires(time.Hour), need: Need{IDToken: true, Refresh: true}, provider: func(p *provider) { p.noIDToken = true }, wantErr: "no ID token", requests: 1},
	{name: "another's renewal since the start brought no ID token", stored: all(obtained(time.Second, -time.Second), func(t *Tokens) { t.IDTokenKept = true }), need: idToken, wantErr: "no ID token", cached: true},
	{name: "an ID token that a renewal left and that lasts", stored: all(expires(time.Hour), func(t *Tokens) { t.IDTokenKept = true }), need: idToken, want: "access-1", cached: true},

	{name: "no refresh token", stored: noOld, need: minute, wantErr: "no refresh token", cached: true},
	{name: "no refresh token, refresh asked", stored: all(noOld, expires(time.Hour)), need: refresh, wantErr: "no refresh token", cached: true},
	{name: "no refresh token, life enough", stored: all(noOld, expires(time.Hour)), need: minute, want: "access-1", cached: true},
	{name: "refresh token known to be dead", stored: isDead, need: minute, wantErr: "dead", cached: true},
	{name: "refresh token known to be dead, life enough", stored: all(isDead, expires(time.Hour)), need: minute, want: "access-1", cached: true},

	{name: "invalid_grant", need: minute, provider: refusing("invalid_grant"), wantErr: "dead", requests: 1, after: refused("invalid_grant")},
	{name: "invalid_grant, life left", stored: expires(30 * time.Second), need: minute, provider: refusing("invalid_grant"), wantErr: "dead", requests: 1, after: refused("invalid_grant")},
	{name: "another refusal", need: minute, provider: refusing("invalid_client"), wantErr: "failed", requests: 1, after: refused("")},
	{name: "another refusal, life left", stored: expires(30 * time.Second), need: minute, provider: refusing("invalid_client"), wantErr: "failed", requests: 1},
	{name: "unreachable", need: minute, silent: true, wantErr: "unreachable", after: refused("")},
	{name: "unreachable, life left", stored: expires(30 * time.Second), need: minute, silent: true, want: "access-1", wantErr: "stale"},
	{name: "unreachable, life enough, refresh asked", stored: expires(time.Hour), need: refresh, silent: true, want: "access-1", wantErr: "stale"},
	{name: "unreachable, unknown expiry, refresh asked", stored: unknown, need: refresh, silent: true, want: "access-1", wantErr: "stale"},
	{name: "unreachable, only the access token has life left", stored: func(t *Tokens) { t.Expiry = clock.Add(time.Second) }, need: idToken, silent: true, wantErr: "unreachable"},
	{name: "unreachable, no ID token yet", stored: noID, need: idToken, silent: true, wantErr: "unreachable"},

	{name: "another issuer", session: bound("issuer", "https://evil.example"), need: minute, wantErr: "binding", cached: true},
	{name: "another client, life enough", stored: expires(time.Hour), session: bound("client_id", "other"), need: minute, wantErr: "binding", cached: true},
	{name: "an audience more", session: bound("audience", "api"), need: minute, wantErr: "binding", cached: true},
	{name: "an audience less", stored: func(t *Tokens) {
		t.Binding = map[string]string{"issuer": "https://id.example", "client_id": "cli", "audience": "api"}
	}, need: minute, wantErr: "binding", cached: true},
	{name: "an absent setting that is empty", stored: expires(time.Hour), session: bound("audience", ""), need: minute, want: "access-1", cached: true},
}

func holds(refreshToken, idToken string) func(*testing.T, *Tokens) {
	return func(t *testing.T, now *Tokens) {
		if now.RefreshToken != refreshToken || now.IDToken != idToken || now.Scope != "openid" {
			t.Errorf("stored: got %q, %q, %q, want %q, %q, openid", now.RefreshToken, now.IDToken, now.Scope, refreshToken, idToken)
		}
	}
}

func refused(reason string) func(*testing.T, *Tokens) {
	return func(t *testing.T, now *Tokens) {
		if now.RefreshRefused != reason || now.RefreshToken != "refresh-1" {
			t.Errorf("stored: got refused %q of %q, want %q of refresh-1", now.RefreshRefused, now.RefreshToken, reason)
		}
	}
}

func startedBefore(d time.Duration) func(*Session) {
	return func(s *Session) { s.Started = clock.Add(-d) }
}

func bound(key, value string) func(*Session) {
	return func(s *Session) {
		s.Binding = map[string]string{"issuer": "https://id.example", "client_id": "cli"}
		s.Binding[key] = value
	}
}

func TestFresh(t *testing.T) {
	for _, r := range rules {
		t.Run(r.name, r.test)
	}
}

func (r rule) test(t *testing.T) {
	t.Parallel()
	s, store := newSession(t)
	s.Now, s.Started = func() time.Time { return clock }, clock.Add(-started)
	put(t, s, r.stored)
	if r.session != nil {
		r.session(s)
	}
	p := startProvider(t, r.provider)
	endpoint := p.URL
	if r.silent {
		endpoint, _ = silence(t)
	}
	got, err := s.Fresh(ctx, r.need, renewAt(endpoint, s.Now))
	if accessToken(got) != r.want || kindOf(err) != r.wantErr {
		t.Errorf("got %q, %v, want %q, %q", accessToken(got), err, r.want, r.wantErr)
	}
	if p.count() != r.requests {
		t.Errorf("got %d requests, want %d", p.count(), r.requests)
	}
	_, untouched := os.Stat(s.Dir)
	if cached := os.IsNotExist(untouched) && store.gets.Load() == 1; cached != r.cached {
		t.Errorf("got cached %v (%d reads, directory: %v), want %v", cached, store.gets.Load(), untouched, r.cached)
	}
	if r.after != nil {
		r.after(t, load(t, s))
	}
}

func TestFreshNothingUsableStored(t *testing.T) {
	for _, c := range []struct{ name, stored, want string }{
		{"nothing", "", "signed out"},
		{"no JSON", "access-1", "format"},
		{"no version", `{"access_token":"x"}`, "format"},
		{"a later version", `{"version":2,"access_token":["x"]}`, "format"},
		{"no access token", `{"version":1}`, "format"},
		{"a wrong type", `{"version":1,"access_token":"x","expires_at":"tomorrow"}`, "format"},
		{"as it should be", `{"version":1,"access_token":"x","binding":{"issuer":"https://id.example","client_id":"cli"}}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, store := newSession(t)
			if c.stored != "" {
				if err := store.Create(ctx, s.Name, []byte(c.stored)); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := s.Fresh(ctx, minute, nil); kindOf(err) != c.want {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestFreshStoreTrouble(t *testing.T) {
	trouble := errors.New("keychain locked")
	for _, c := range []struct {
		name     string
		fault    func(*faultyStore)
		want     string // access token
		wantErr  string
		requests int
		updates  int32
	}{
		{"none", func(*faultyStore) {}, "access-2", "", 1, 1},
		{"can't be read", func(f *faultyStore) { f.failGet = trouble }, "", "keychain locked", 0, 0},
		{"won't be written", func(f *faultyStore) { f.failReady = trouble }, "", "keychain locked", 0, 0},
		{"one save fails", func(f *faultyStore) { f.failUpdates = 1 }, "access-2", "", 1, 2},
		{"two saves fail", func(f *faultyStore) { f.failUpdates = 2 }, "access-2", "", 1, 3},
		{"every save fails", func(f *faultyStore) { f.failUpdates = 99 }, "", "unsaved", 1, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, store := newSession(t)
			put(t, s, nil)
			c.fault(store)
			p := startProvider(t, nil)
			got, err := s.Fresh(ctx, minute, renewAt(p.URL, time.Now))
			if accessToken(got) != c.want || kindOf(err) != c.wantErr {
				t.Errorf("got %q, %v, want %q, %q", accessToken(got), err, c.want, c.wantErr)
			}
			if p.count() != c.requests || store.updates.Load() != c.updates {
				t.Errorf("got %d requests, %d updates, want %d, %d", p.count(), store.updates.Load(), c.requests, c.updates)
			}
		})
	}
}

func TestDeadIsRememberedOnce(t *testing.T) {
	s, _ := newSession(t)
	put(t, s, nil)
	p := startProvider(t, refusing("invalid_grant"))
	for range 3 {
		_, err := s.Fresh(ctx, minute, renewAt(p.URL, time.Now))
		var d *DeadError
		if !errors.As(err, &d) || d.Reason != "invalid_grant" {
			t.Errorf("got %v, want a dead refresh token", err)
		}
	}
	if p.count() != 1 {
		t.Errorf("got %d requests, want 1", p.count())
	}
	if err := s.Save(ctx, &Tokens{AccessToken: "access-9", RefreshToken: "refresh-9", Expiry: time.Now().Add(time.Hour)}, settled); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Fresh(ctx, minute, nil); accessToken(got) != "access-9" || err != nil {
		t.Errorf("after a login: got %q, %v, want access-9", accessToken(got), err)
	}
}

// Another machine shares the store, but not the lock.
func TestInvalidGrantTakesAnothersNewerTokens(t *testing.T) {
	s, _ := newSession(t)
	put(t, s, nil)
	p := startProvider(t, refusing("invalid_grant"))
	p.rotated = func() {
		put(t, s, func(t *Tokens) {
			t.AccessToken, t.RefreshToken, t.Expiry = "access-2", "refresh-2", time.Now().Add(time.Hour)
		})
	}
	got, err := s.Fresh(ctx, minute, renewAt(p.URL, time.Now))
	if accessToken(got) != "access-2" || err != nil {
		t.Errorf("got %q, %v, want access-2", accessToken(got), err)
	}
	if now := load(t, s); now.RefreshToken != "refresh-2" || now.RefreshRefused != "" {
		t.Errorf("got %q refused %q, want refresh-2 as it was", now.RefreshToken, now.RefreshRefused)
	}
}

func TestCancelDuringRenewalKeepsWhatWasRotated(t *testing.T) {
	interrupted := errors.New("interrupted")
	for _, c := range []struct {
		name  string
		fault int32
		want  string
	}{
		{"saved", 0, "interrupted"},
		{"saved at the second try", 1, "interrupted"},
		{"not saved", 99, "unsaved"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, store := newSession(t)
			put(t, s, nil)
			store.failUpdates = c.fault
			ctx, cancel := context.WithCancelCause(ctx)
			p := startProvider(t, func(p *provider) { p.received = func() { cancel(interrupted) } })
			got, err := s.Fresh(ctx, minute, renewAt(p.URL, time.Now))
			if got != nil || kindOf(err) != c.want {
				t.Errorf("got %q, %v, want %q", accessToken(got), err, c.want)
			}
			want := map[bool]string{true: "refresh-1", false: "refresh-2"}[c.fault == 99]
			if now := load(t, s); now.RefreshToken != want {
				t.Errorf("stored: got %q, want %q", now.RefreshToken, want)
			}
		})
	}
}

func TestCancelledBeforeTheRequestSendsNone(t *testing.T) {
	for _, c := range []struct {
		name string
		at   func(f *faultyStore, cancel func())
	}{
		{"before", func(_ *faultyStore, cancel func()) { cancel() }},
		{"while reading", func(f *faultyStore, cancel func()) { f.reading = cancel }},
		{"while the store is made ready", func(f *faultyStore, cancel func()) { f.preparing = cancel }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, store := newSession(t)
			put(t, s, nil)
			p := startProvider(t, nil)
			cancelled, cancel := context.WithCancel(ctx)
			c.at(store, cancel)
			if _, err := s.Fresh(cancelled, minute, renewAt(p.URL, time.Now)); !errors.Is(err, context.Canceled) || p.count() != 0 {
				t.Errorf("got %v after %d requests, want context canceled after none", err, p.count())
			}
		})
	}
}

// What went wrong before a request is this process's own trouble: nobody else gets it.
func TestPlainErrorIsNoAttempt(t *testing.T) {
	s, _ := newSession(t)
	put(t, s, nil)
	odd := errors.New("no client secret")
	_, err := s.Fresh(ctx, minute, func(context.Context, *Tokens) (*Tokens, error) { return nil, odd })
	if err != odd {
		t.Errorf("got %v, want %v", err, odd)
	}
	if got := s.lastAttempt(); got != (attempt{}) {
		t.Errorf("got %v, want no attempt", got)
	}
}
