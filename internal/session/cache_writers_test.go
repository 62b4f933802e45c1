package session

import (
	"context"
	"errors"
	"testing"
	"time"
)

// Two that write at once from two directories, and don't know of each other, are led
// through every order of what they ask of the store and the cache. In the end neither has
// another token in the cache than the store has.
func TestCacheOfTwoDirectories(t *testing.T) {
	signsIn := func(s *Session) error { return s.Save(ctx, login("2"), settled) }
	for name, deed := range map[string]func(*Session) error{
		"a login": func(s *Session) error { return s.Save(ctx, login("3"), settled) },
		"a login, told not to cache": func(s *Session) error {
			s.Caching = false
			return s.Save(ctx, login("3"), settled)
		},
		"a login that can't settle": func(s *Session) error {
			if err := s.Save(ctx, login("3"), func() error { return errDiskFull }); !errors.Is(err, errDiskFull) {
				return err
			}
			return nil
		},
		"a renewal": func(s *Session) error {
			_, err := s.Fresh(ctx, refresh, func(context.Context, *Tokens) (*Tokens, error) { return login("3"), nil })
			return err
		},
		"a logout": func(s *Session) error {
			_, err := s.Delete(ctx, func(context.Context, *Tokens) error { return nil })
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, m := signedIn(t)
			cached, orders := 0, 0
			for next := (order{}); next != nil; orders++ {
				first, second, stored := twoWriters(t, first, m)
				done := inTurn(t, next, [2]*Session{first, second}, signsIn, deed)
				want, err := stored.Load(ctx)
				if err != nil && !errors.Is(err, ErrSignedOut) {
					t.Fatal(err)
				}
				for _, s := range []*Session{first, second} {
					turns(s, func() {})
					if got := s.Cached(Need{}); got != nil {
						cached++
						if accessToken(got) != accessToken(want) {
							t.Fatalf("after %v the cache has %q, the store %q", done, accessToken(got), accessToken(want))
						}
					}
				}
				next = done.following()
			}
			if t.Logf("%d orders, and %d tokens in the cache", orders, cached); cached == 0 {
				t.Error("no order has left a token in the cache")
			}
		})
	}
}

// twoWriters are sessions of one store and one cache, which have a token, and of two directories.
func twoWriters(t *testing.T, s *Session, m *memory) (first, second, plain *Session) {
	t.Helper()
	plain = new(Session)
	*plain = *s
	plain.Started, plain.Store, plain.Cache = time.Time{}, s.Store.(*faultyStore).Store, m
	if err := plain.Save(ctx, login("1"), settled); err != nil {
		t.Fatal(err)
	}
	one, two := *plain, *plain
	two.Dir = s.Dir + "-2"
	return &one, &two, plain
}

// turnCache waits for its turn before each call.
type turnCache struct {
	Cache
	turn func()
}

func (c turnCache) Get(name string) []byte {
	c.turn()
	return c.Cache.Get(name)
}

func (c turnCache) Put(name string, secret []byte, life time.Duration) {
	c.turn()
	c.Cache.Put(name, secret, life)
}

func (c turnCache) Delete(name string) {
	c.turn()
	c.Cache.Delete(name)
}

// turns has s wait before all that it asks of the cache, and writes to the store.
func turns(s *Session, turn func()) {
	if c, ok := s.Cache.(turnCache); ok {
		s.Cache = c.Cache
	}
	if w, ok := s.Store.(*watchedStore); ok {
		s.Store = w.Store
	}
	s.Cache, s.Store = turnCache{s.Cache, turn}, &watchedStore{s.Store, turn}
}

// order is who did one thing after another: 0 or 1, and whether it could have been the other.
type order []step

type step struct {
	who  int
	free bool
}

// following is the next order to try, of which only the beginning is given; nil: that was
// the last.
func (o order) following() order {
	for i := len(o) - 1; i >= 0; i-- {
		if o[i].free && o[i].who == 0 {
			return append(o[:i:i], step{who: 1})
		}
	}
	return nil
}

// inTurn has both do what they do, one thing at a time, in the order that begins with next.
func inTurn(t *testing.T, next order, writers [2]*Session, deeds ...func(*Session) error) (done order) {
	t.Helper()
	events, ended := make(chan int), make(chan int)
	var may [2]chan bool
	for who, s := range writers {
		may[who] = make(chan bool)
		turns(s, func() { events <- who; <-may[who] })
		go func() {
			if err := deeds[who](s); err != nil {
				t.Error(err)
			}
			ended <- who
		}()
	}
	waiting, running := [2]bool{}, 2
	for {
		for ; running > 0; running-- {
			select {
			case who := <-events:
				waiting[who] = true
			case <-ended:
			}
		}
		s := step{free: waiting[0] && waiting[1]}
		switch {
		case !waiting[0] && !waiting[1]:
			return done
		case s.free && len(done) < len(next):
			s.who = next[len(done)].who
		case !waiting[0]:
			s.who = 1
		}
		waiting[s.who], running = false, 1
		may[s.who] <- true
		done = append(done, s)
	}
}
