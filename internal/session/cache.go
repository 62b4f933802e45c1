package session

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"time"
)

// A Cache keeps secrets for a while, where they are quicker to get at than in a Store, and
// may lose or refuse one at any time. Whoever has the same Store has the same Cache. Get
// returns nil for what it doesn't have. life is in whole seconds.
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
// Every write to the store takes away what is in the cache, whoever put it there, from
// whatever directory, so that a token never outlives its session: not as another account's
// either, whose name nobody knows before the session is read. A process that may not use
// the cache can't do that. So what is there counts only where a file beside the lock has
// the mark that it begins with, and every write takes that file away too.
func (s *Session) Cached(need Need) *Tokens {
	if !s.Caching || s.Cache == nil || need.Refresh || need.IDToken {
		return nil
	}
	path, err := s.path(".cached")
	if err != nil {
		return nil
	}
	mark, _ := os.ReadFile(path)
	if len(mark) == 0 {
		return nil
	}
	secret, counts := bytes.CutPrefix(s.Cache.Get(s.Name), mark)
	if !counts {
		return nil
	}
	t, err := decode(secret)
	if err != nil || s.isFromFuture(t) || !s.lasts(t, need) {
		return nil
	}
	return t
}

// storing has write store t, whose access token counts in the cache then; t is nil where
// there is to be none. The caller holds the lock.
//
// Another directory has another lock, so two may do this at once. Each puts its token into
// the cache before it stores it, and lets it count only if it is there still; otherwise
// nothing may be there. So whatever they do between each other, in the end nothing counts
// but what was stored last, unless one of the two is killed between its store and that.
func (s *Session) storing(t *Tokens, write func() error) error {
	_ = s.Uncache() // an error is the caller's to ask for: a renewal has no reason to lose what came
	mark := s.offer(t)
	err := write()
	if err != nil || !s.count(mark) {
		s.forget()
	}
	return err
}

// offer puts the access token of t into the cache, where it doesn't count yet. mark is nil
// when it didn't.
func (s *Session) offer(t *Tokens) (mark []byte) {
	if t == nil || !s.Caching || s.Cache == nil || t.Expiry.IsZero() {
		return nil
	}
	life := (t.Expiry.Sub(s.now()) - cacheMargin).Truncate(time.Second)
	part := Tokens{Version: version, AccessToken: t.AccessToken, TokenType: t.TokenType, Expiry: t.Expiry, Scope: t.Scope, ObtainedAt: t.ObtainedAt}
	secret, err := part.encode()
	if err != nil || life <= 0 {
		return nil
	}
	mark = []byte(rand.Text())
	s.Cache.Put(s.Name, append(mark, secret...), life)
	return mark
}

// count makes what was offered count, if it is there still.
func (s *Session) count(mark []byte) (counts bool) {
	path, err := s.path(".cached")
	return err == nil && mark != nil && bytes.HasPrefix(s.Cache.Get(s.Name), mark) && writeNew(path, mark) == nil
}

// Uncache forgets what is in the cache. Only an error leaves something there that counts.
func (s *Session) Uncache() error {
	s.forget()
	path, err := s.path(".cached")
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); err != nil {
		return nil // nothing counts, also where Remove would fail for that nothing can be written
	}
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) { // a logout begins without the lock
		return err
	}
	return nil
}

func (s *Session) forget() {
	if s.Cache != nil {
		s.Cache.Delete(s.Name)
	}
}
