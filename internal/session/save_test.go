package session

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"
)

// settled is a login whose settings could be saved.
func settled() error { return nil }

// other is s with the settings of another provider.
func other(s *Session) *Session {
	o := *s
	o.Binding = maps.Clone(s.Binding)
	o.Binding["issuer"] = "https://other.example"
	return &o
}

// A login with other settings has two sessions stored until they are saved: whichever
// settings the machine comes up with, theirs is the one that counts.
func TestSaveWithOtherSettings(t *testing.T) {
	s, _ := newSession(t)
	put(t, s, expires(time.Hour))
	o := other(s)
	err := o.Save(ctx, login("9"), func() error {
		if got := accessToken(load(t, s)); got != "access-1" {
			t.Errorf("with the earlier settings: got %q, want access-1", got)
		}
		if got := accessToken(load(t, o)); got != "access-9" {
			t.Errorf("with the new settings: got %q, want access-9", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := load(t, o); got.AccessToken != "access-9" || got.Earlier != nil {
		t.Errorf("afterwards: got %q, want access-9 alone", got.AccessToken)
	}
	if _, err := s.Load(ctx); kindOf(err) != "binding" {
		t.Errorf("with the earlier settings afterwards: got %v, want a BindingError", err)
	}
}

// What can't be settled leaves what was there, to the byte.
func TestSaveThatCannotSettle(t *testing.T) {
	failed := errors.New("the config file can't be written")
	for name, into := range map[string]func(*Session) *Session{
		"the same settings": func(s *Session) *Session { return s },
		"other settings":    other,
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newSession(t)
			put(t, s, expires(time.Hour))
			before, _ := s.Store.Get(ctx, s.Name)
			if err := into(s).Save(ctx, login("9"), func() error { return failed }); !errors.Is(err, failed) {
				t.Errorf("got %v, want %v", err, failed)
			}
			if after, _ := s.Store.Get(ctx, s.Name); string(after) != string(before) {
				t.Errorf("got %d bytes, want the %d that were there", len(after), len(before))
			}
		})
	}
	t.Run("nothing before", func(t *testing.T) {
		s, _ := newSession(t)
		if err := s.Save(ctx, login("9"), func() error { return failed }); !errors.Is(err, failed) {
			t.Errorf("got %v, want %v", err, failed)
		}
		if _, err := s.Load(ctx); !errors.Is(err, ErrSignedOut) {
			t.Errorf("got %v, want ErrSignedOut", err)
		}
	})
}

// cutShort leaves the store as a login with other settings does that dies before they
// are saved.
func cutShort(t *testing.T, s *Session) {
	t.Helper()
	put(t, s, nil)
	var left []byte
	if err := other(s).Save(ctx, login("9"), func() (err error) {
		left, err = s.Store.Get(ctx, s.Name)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Store.Create(ctx, s.Name, left); err != nil {
		t.Fatal(err)
	}
}

// After a login that was cut short all goes on with the settings that are there.
func TestLoginCutShort(t *testing.T) {
	t.Run("renewal", func(t *testing.T) {
		s, _ := newSession(t)
		cutShort(t, s)
		p := startProvider(t, nil)
		got, err := s.Fresh(ctx, minute, renewAt(p.URL, time.Now))
		if err != nil || got.AccessToken != "access-2" {
			t.Fatalf("got %q, %v, want access-2", accessToken(got), err)
		}
		if _, err := other(s).Load(ctx); kindOf(err) != "binding" {
			t.Errorf("the session that was never settled: got %v, want a BindingError", err)
		}
	})
	t.Run("another login", func(t *testing.T) {
		s, _ := newSession(t)
		cutShort(t, s)
		o := other(s)
		o.Binding["client_id"] = "third"
		if err := o.Save(ctx, login("3"), func() error { load(t, s); return nil }); err != nil {
			t.Fatal(err)
		}
		if got := load(t, o); got.AccessToken != "access-3" || got.Earlier != nil {
			t.Errorf("got %q, want access-3 alone", got.AccessToken)
		}
	})
	t.Run("logout", func(t *testing.T) {
		s, _ := newSession(t)
		cutShort(t, s)
		revoked := map[string]string{}
		_, err := s.Delete(ctx, func(_ context.Context, t *Tokens) error {
			revoked[t.AccessToken] = t.Binding["issuer"]
			return nil
		})
		want := map[string]string{"access-1": "https://id.example", "access-9": "https://other.example"}
		if err != nil || !maps.Equal(revoked, want) {
			t.Errorf("got %v, %v, want both revoked, each at its own provider", len(revoked), err)
		}
	})
}
