package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// memory is a Cache for as long as the test lives.
type memory struct {
	secrets map[string][]byte
	lives   map[string]time.Duration
}

func (m *memory) Get(name string) []byte { return m.secrets[name] }
func (m *memory) Delete(name string)     { delete(m.secrets, name) }
func (m *memory) Put(name string, secret []byte, life time.Duration) {
	m.secrets[name], m.lives[name] = secret, life
}

// caching gives the session a cache.
func caching(s *Session) *memory {
	m := &memory{map[string][]byte{}, map[string]time.Duration{}}
	s.Cache, s.Caching = m, true
	return m
}

// only is what the cache has; it fails the test when that is more than one thing.
func (m *memory) only(t *testing.T) (secret []byte, life time.Duration) {
	t.Helper()
	if len(m.secrets) > 1 {
		t.Errorf("the cache has %d secrets", len(m.secrets))
	}
	for name := range m.secrets {
		return m.secrets[name], m.lives[name]
	}
	return nil, 0
}

// signedIn is a session that caches, an hour before its token's end, and a store that
// can't be read any more.
func signedIn(t *testing.T) (*Session, *memory) {
	t.Helper()
	s, store := newSession(t)
	m := caching(s)
	s.Now = func() time.Time { return clock }
	login := &Tokens{AccessToken: "access-1", TokenType: "Bearer", Scope: "openid", RefreshToken: "refresh-1", IDToken: "id-1",
		Claims: []byte(`{"sub":"ada"}`), Provider: []byte(`{"token_endpoint":"x"}`), Expiry: clock.Add(time.Hour)}
	if err := s.Save(ctx, login, settled); err != nil {
		t.Fatal(err)
	}
	store.failGet = errors.New("the store was asked")
	return s, m
}

func TestCached(t *testing.T) {
	at := func(after time.Duration) func(*Session, *memory) {
		return func(s *Session, _ *memory) { s.Now = func() time.Time { return clock.Add(after) } }
	}
	for _, c := range []struct {
		name   string
		need   Need
		change func(*Session, *memory)
		cached bool
	}{
		{name: "life enough", need: minute, cached: true},
		{name: "just enough", need: Need{MinTTL: time.Hour}, cached: true},
		{name: "more is asked for", need: Need{MinTTL: time.Hour + 1}},
		{name: "refresh asked", need: refresh},
		{name: "ID token asked", need: idToken},
		{name: "expires now, and the cache still has it", change: at(time.Hour)},
		{name: "clock put back", need: minute, change: at(-time.Hour)},
		{name: "clock put back a little", need: minute, change: at(-time.Second), cached: true},
		{name: "told not to", need: minute, change: func(s *Session, _ *memory) { s.Caching = false }},
		{name: "no cache", need: minute, change: func(s *Session, _ *memory) { s.Cache = nil }},
		{name: "lost", need: minute, change: func(_ *Session, m *memory) { clear(m.secrets) }},
		{name: "cut short", need: minute, change: func(_ *Session, m *memory) {
			for name, secret := range m.secrets {
				m.secrets[name] = secret[:len(secret)/2]
			}
		}},
		{name: "nothing says what counts", need: minute, change: func(s *Session, _ *memory) { os.Remove(filepath.Join(s.Dir, "work.cached")) }},
		{name: "another one counts", need: minute, change: func(s *Session, _ *memory) {
			os.WriteFile(filepath.Join(s.Dir, "work.cached"), []byte("ANOTHER"), 0o600)
		}},
		{name: "half of what counts", need: minute, change: func(s *Session, _ *memory) { os.Truncate(filepath.Join(s.Dir, "work.cached"), 13) }},
		{name: "nothing of what counts", need: minute, change: func(s *Session, _ *memory) { os.Truncate(filepath.Join(s.Dir, "work.cached"), 0) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, m := signedIn(t)
			if c.change != nil {
				c.change(s, m)
			}
			got, err := s.Fresh(ctx, c.need, nil)
			if c.cached && (err != nil || got.AccessToken != "access-1" || got.TokenType != "Bearer" || got.Scope != "openid" || !got.Expiry.Equal(clock.Add(time.Hour))) {
				t.Errorf("got %q, %v, want access-1 and what is said beside it", accessToken(got), err)
			}
			if !c.cached && (err == nil || err.Error() != "the store was asked") {
				t.Errorf("got %q, %v, want the store to be asked", accessToken(got), err)
			}
		})
	}
}

// The cache has the access token, until a minute before its end, and no other secret.
func TestCacheHoldsTheAccessTokenAlone(t *testing.T) {
	s, m := signedIn(t)
	secret, life := m.only(t)
	if life != 59*time.Minute || !strings.Contains(string(secret), "access-1") {
		t.Errorf("got %d bytes for %v, want the access token for 59m", len(secret), life)
	}
	for _, other := range []string{"refresh-1", "id-1", "ada", "token_endpoint"} {
		if strings.Contains(string(secret), other) {
			t.Errorf("%s is in the cache", other)
		}
	}
	if info, err := os.Stat(filepath.Join(s.Dir, "work.cached")); err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" { // which has no modes
		t.Errorf("got %v, %v, want a file of 0600", info, err)
	}
}

func TestNotCached(t *testing.T) {
	for _, c := range []struct {
		name   string
		expiry time.Time
	}{
		{"unknown expiry", time.Time{}},
		{"a minute to live", clock.Add(time.Minute)},
		{"less than a second beyond that", clock.Add(time.Minute + time.Second - 1)},
		{"over", clock.Add(-time.Hour)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := newSession(t)
			m := caching(s)
			s.Now = func() time.Time { return clock }
			if err := s.Save(ctx, &Tokens{AccessToken: "access-1", Expiry: c.expiry}, settled); err != nil {
				t.Fatal(err)
			}
			if secret, life := m.only(t); secret != nil {
				t.Errorf("got %d bytes for %v, want none", len(secret), life)
			}
		})
	}
}

// watchedStore tells of each write before it is made.
type watchedStore struct {
	Store
	writing func()
}

func (w *watchedStore) Create(ctx context.Context, name string, secret []byte) error {
	w.writing()
	return w.Store.Create(ctx, name, secret)
}

func (w *watchedStore) Update(ctx context.Context, name string, secret []byte) error {
	w.writing()
	return w.Store.Update(ctx, name, secret)
}

func (w *watchedStore) Delete(ctx context.Context, name string) error {
	w.writing()
	return w.Store.Delete(ctx, name)
}

// While the store is written, nothing is in the cache that counts; then it is what the
// store has. The former is so also when the process that writes has another directory, is
// told not to cache, or may not use the cache.
func TestCacheFollowsTheStore(t *testing.T) {
	now := func() time.Time { return clock }
	renewal := func(s *Session, code string, t *testing.T) error {
		_, err := s.Fresh(ctx, refresh, renewAt(startProvider(t, refusing(code)).URL, now))
		return err
	}
	for _, c := range []struct {
		name string
		does func(*Session, *testing.T) error
		want string // in the cache then
		err  string
	}{
		{"a login", func(s *Session, _ *testing.T) error { return s.Save(ctx, login("9"), settled) }, "access-9", ""},
		{"a login with other settings", func(s *Session, _ *testing.T) error { return other(s).Save(ctx, login("9"), settled) }, "access-9", ""},
		{"a login that can't settle", func(s *Session, _ *testing.T) error {
			return s.Save(ctx, login("9"), func() error { return errDiskFull })
		}, "", "disk full"},
		{"a renewal", func(s *Session, t *testing.T) error { return renewal(s, "", t) }, "access-2", ""},
		{"a renewal that is refused", func(s *Session, t *testing.T) error { return renewal(s, "invalid_grant", t) }, "", "dead"},
		{"a logout", func(s *Session, _ *testing.T) error {
			_, err := s.Delete(ctx, func(context.Context, *Tokens) error { return nil })
			return err
		}, "", ""},
	} {
		for name, writes := range map[string]func(s *Session, dir string){
			"":                             func(*Session, string) {},
			", told not to cache":          func(s *Session, _ string) { s.Caching = false },
			", that may not use the cache": func(s *Session, _ string) { s.Cache = nil },
			", in another directory":       func(s *Session, dir string) { s.Dir = dir },
			", in another directory, told not to cache": func(s *Session, dir string) { s.Dir, s.Caching = dir, false },
		} {
			t.Run(c.name+name, func(t *testing.T) {
				s, m := signedIn(t)
				if accessToken(s.Cached(Need{})) != "access-1" {
					t.Fatal("the cache has no token to begin with")
				}
				written := 0
				writer := *s
				writer.Started = time.Time{}
				writes(&writer, t.TempDir())
				writer.Store = &watchedStore{s.Store.(*faultyStore).Store, func() {
					written++
					if got := s.Cached(Need{}); got != nil {
						t.Errorf("while the store is written, the cache has %q", accessToken(got))
					}
				}}
				if err := c.does(&writer, t); kindOf(err) != c.err {
					t.Fatalf("got %v, want %q", err, c.err)
				}
				want, here := c.want, c.want
				if !writer.Caching || writer.Cache == nil {
					want = ""
				}
				if want == "" || writer.Dir != s.Dir {
					here = ""
				}
				if got := accessToken(s.Cached(Need{})); got != here || written == 0 {
					t.Errorf("after %d writes the cache has %q, want %q", written, got, here)
				}
				if got := accessToken(writer.Cached(Need{})); got != want {
					t.Errorf("who wrote has %q, want %q", got, want)
				}
				if secret, _ := m.only(t); writer.Cache != nil && (secret != nil) != (want != "") {
					t.Errorf("%d bytes are left behind", len(secret))
				}
			})
		}
	}
}

// A logout forgets what is in the cache when nothing is stored, and when nothing can be.
func TestLogoutForgetsTheCacheInAnyCase(t *testing.T) {
	for name, gone := range map[string]error{"deleted by another program": os.ErrNotExist, "unreadable": errDiskFull} {
		t.Run(name, func(t *testing.T) {
			s, m := signedIn(t)
			store := s.Store.(*faultyStore)
			store.failGet, store.gone = gone, errDiskFull
			_, _ = s.Delete(ctx, nil)
			if secret, _ := m.only(t); secret != nil || s.Cached(Need{}) != nil {
				t.Errorf("%d bytes are left", len(secret))
			}
		})
	}
}
