package session

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"time"
)

// A Cache keeps secrets for a while, where they are quicker to get at than in a Store, and
// may lose or refuse one at any time. Get returns nil for what it doesn't have. life is in
// whole seconds.
type Cache interface {
	Get(name string) []byte
	Put(name string, secret []byte, life time.Duration)
	Delete(name string)
}

// cacheMargin is how long before its end an access token is out of the cache.
const cacheMargin = time.Minute

// Cached returns the access token that the cache has, with what is said beside it and
// nothing else, if it meets need; nil: the store is to be asked.
//
// A file beside the lock names what counts in the cache. Every write to the store takes it
// away first, also by a process that may not use the cache or was told not to, so that a
// token never outlives its session there: not as another account's either, whose name
// nobody knows before the session is read.
func (s *Session) Cached(need Need) *Tokens {
	if !s.Caching || s.Cache == nil || need.Refresh || need.IDToken {
		return nil
	}
	name := s.cacheName()
	if name == "" {
		return nil
	}
	t, err := decode(s.Cache.Get(name))
	if err != nil || s.isFromFuture(t) || !s.lasts(t, need) {
		return nil
	}
	return t
}

// cacheName is what the file says; empty: nothing counts.
func (s *Session) cacheName() string {
	path, err := s.path(".cached")
	if err != nil {
		return ""
	}
	name, _ := os.ReadFile(path)
	return string(name)
}

// cache copies the access token of t, which is stored. The caller holds the lock, and has
// called Uncache before it stored t.
func (s *Session) cache(t *Tokens) {
	life := (t.Expiry.Sub(s.now()) - cacheMargin).Truncate(time.Second)
	if !s.Caching || s.Cache == nil || t.Expiry.IsZero() || life <= 0 {
		return
	}
	part := Tokens{Version: version, AccessToken: t.AccessToken, TokenType: t.TokenType, Expiry: t.Expiry, Scope: t.Scope, ObtainedAt: t.ObtainedAt}
	secret, err := part.encode()
	if err != nil {
		return
	}
	path, err := s.path(".cached")
	name := rand.Text()
	if err != nil || writeNew(path, []byte(name)) != nil {
		return
	}
	s.Cache.Put(name, secret, life)
}

// Uncache forgets what is in the cache. Only an error leaves something there that counts.
func (s *Session) Uncache() error {
	path, err := s.path(".cached")
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); err != nil {
		return nil // nobody finds it
	}
	if name := s.cacheName(); name != "" && s.Cache != nil {
		s.Cache.Delete(name)
	}
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) { // a logout begins without the lock
		return err
	}
	return nil
}
