//go:build !darwin && !windows

package store

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/keychaintest"
)

// misbehaviours are services that don't do as they should, what a keychain makes of
// them, and the honest twin.
var misbehaviours = []struct {
	name  string
	start func(*testing.T) []string // returns the child's environment
	run   func(*testing.T, *Keychain)
}{
	{"healthy", serve(keychaintest.Healthy), func(t *testing.T, k *Keychain) { must(t, k.Check(t.Context())) }},
	{"mute", serve(keychaintest.Mute), func(t *testing.T, k *Keychain) { wantSilence(t, k, get) }},
	{"bus mute", muteBus, func(t *testing.T, k *Keychain) { wantSilence(t, k, get) }},
	{"hanging, token", serve(keychaintest.Hang), func(t *testing.T, k *Keychain) { // a read has nothing unlocked
		if err := get(t.Context(), k); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v, want fs.ErrNotExist", err)
		}
	}},
	{"hanging, login", serve(keychaintest.Hang), func(t *testing.T, k *Keychain) { wantSilence(t, k, check) }},
	{"hanging, no lock told", serve(keychaintest.HangNoLocked), func(t *testing.T, k *Keychain) { wantSilence(t, k, check) }},
	{"no lock told", serve(keychaintest.NoLocked), func(t *testing.T, k *Keychain) {
		must(t, k.Check(t.Context()))
		must(t, k.Create(t.Context(), "work", []byte("s")))
		wantSecret(t, k, "work", "s")
	}},
	{"slow, login", serve(keychaintest.Slow), func(t *testing.T, k *Keychain) { must(t, k.Check(t.Context())) }},
	{"slow, token", serve(keychaintest.Slow), func(t *testing.T, k *Keychain) {
		if err := get(t.Context(), k); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v, want fs.ErrNotExist", err)
		}
		must(t, k.Create(t.Context(), "work", []byte("s")))
		wantSecret(t, k, "work", "s")
	}},
	{"dies", serve(keychaintest.Die), func(t *testing.T, k *Keychain) {
		err := k.Create(t.Context(), "work", []byte("s"))
		if !errors.Is(err, ErrAbsent) || !errors.Is(err, ErrInDoubt) {
			t.Errorf("got %v, want ErrAbsent, and a doubt whether it was stored", err)
		}
		if err := k.Create(t.Context(), "work", []byte("s")); !errors.Is(err, ErrAbsent) || errors.Is(err, ErrInDoubt) {
			t.Errorf("without a service: got %v, want ErrAbsent, and no doubt", err)
		}
	}},
	{"dies once", serve(keychaintest.DieOnce), func(t *testing.T, k *Keychain) {
		must(t, k.Create(t.Context(), "work", []byte("s")))
		wantSecret(t, k, "work", "s")
	}},
	{"caller gives up", serve(keychaintest.Mute), func(t *testing.T, k *Keychain) {
		ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer stop()
		if err := get(ctx, k); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrTimeout) {
			t.Errorf("got %v, want the caller's own deadline", err)
		}
	}},
	{"prompt answered", ask(func(s *keychaintest.Service) { s.Answer(true) }), wantPrompt(nil)},
	{"prompt answered late", ask(func(s *keychaintest.Service) {
		time.Sleep(patience + time.Second) // longer than a keychain is waited for
		s.Answer(true)
	}), wantPrompt(nil)},
	{"prompt dismissed", ask(func(s *keychaintest.Service) { s.Answer(false) }), wantPrompt(ErrLocked)},
	{"prompt interrupted", ask(func(*keychaintest.Service) {}), wantPrompt(context.Canceled)},
	{"write's prompt dismissed", dismiss("CreateItem"), func(t *testing.T, k *Keychain) {
		wantLocked(t, k.Create(t.Context(), "work", []byte("s")))
		wantLocked(t, k.Update(t.Context(), "work", []byte("s")))
		wantLocked(t, k.Check(t.Context()))
	}},
	{"deletion's prompt dismissed", dismiss("Delete"), func(t *testing.T, k *Keychain) {
		must(t, k.Create(t.Context(), "work", []byte("s")))
		wantLocked(t, k.Delete(t.Context(), "work"))
		wantSecret(t, k, "work", "s")
	}},
	{"prompt, nobody there", func(t *testing.T) []string {
		bus := keychaintest.Open(t, keychaintest.NoService)
		s := bus.Serve(keychaintest.Ask)
		t.Cleanup(func() {
			if len(s.Asked) != 0 {
				t.Error("a dialog was opened")
			}
		})
		return bus.Env()
	}, func(t *testing.T, k *Keychain) { wantTrouble(t, k, ErrLocked, 5*time.Second) }},
}

// All children wait at the same time, since what is tested is mostly waiting.
func TestMisbehaviour(t *testing.T) {
	type result struct {
		out []byte
		err error
	}
	results := map[string]chan result{}
	if os.Getenv(insideVar) == "" {
		for _, tc := range misbehaviours {
			cmd := child(t.Name()+"/"+strings.ReplaceAll(tc.name, " ", "_"), tc.start(t))
			done := make(chan result, 1)
			results[tc.name] = done
			go func() {
				out, err := cmd.CombinedOutput()
				done <- result{out, err}
			}()
		}
	}
	for _, tc := range misbehaviours {
		t.Run(tc.name, func(t *testing.T) {
			if os.Getenv(insideVar) == t.Name() {
				tc.run(t, keychain(t, 0))
				return
			}
			r := <-results[tc.name]
			report(t, r.out, r.err)
		})
	}
}

func get(ctx context.Context, k *Keychain) error {
	_, err := k.Get(ctx, "work")
	return err
}

func check(ctx context.Context, k *Keychain) error { return k.Check(ctx) }

// serve starts a service with a fault.
func serve(fault keychaintest.Fault) func(*testing.T) []string {
	return func(t *testing.T) []string {
		bus := keychaintest.Open(t, keychaintest.NoService)
		bus.Serve(fault)
		return bus.Env()
	}
}

// muteBus starts a socket that takes connections and never answers.
func muteBus(t *testing.T) []string {
	socket := shortDir(t) + "/bus"
	l, err := net.Listen("unix", socket)
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return []string{"DBUS_SESSION_BUS_ADDRESS=unix:path=" + socket}
}

// ask starts a locked service whose dialog gets an answer.
func ask(answer func(*keychaintest.Service)) func(*testing.T) []string {
	return func(t *testing.T) []string {
		bus := keychaintest.Open(t, keychaintest.NoService)
		s := bus.Serve(keychaintest.Ask)
		go func() {
			<-s.Asked
			answer(s)
		}()
		return bus.Env()
	}
}

// dismiss starts a service that asks before it does one thing, and hears a no.
func dismiss(what string) func(*testing.T) []string {
	return func(t *testing.T) []string {
		bus := keychaintest.Open(t, keychaintest.NoService)
		bus.Serve(keychaintest.Healthy)
		return append(bus.Env(), bus.Tap(func(member string) keychaintest.Verdict {
			if member == what || member == "Prompt" {
				return keychaintest.Dismiss
			}
			return keychaintest.Pass
		}))
	}
}

func wantLocked(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, ErrLocked) {
		t.Errorf("got %v, want ErrLocked", err)
	}
}

// wantSilence wants the first of five to end within 14 s, the others soon, and all within
// 15 s.
func wantSilence(t *testing.T, k *Keychain, op func(context.Context, *Keychain) error) {
	t.Helper()
	start, most := time.Now(), 14*time.Second
	for i := range 5 {
		began := time.Now()
		err := op(t.Context(), k)
		if took := time.Since(began); !errors.Is(err, ErrTimeout) || errors.Is(err, fs.ErrNotExist) || took > most {
			t.Errorf("%d: got %v after %v, want ErrTimeout within %v", i+1, err, took, most)
		}
		most = 500 * time.Millisecond
	}
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("five took %v, want at most 15s", took)
	}
}

// wantPrompt stores with a person there, who is told once, and who interrupts then if
// that is what is wanted.
func wantPrompt(want error) func(*testing.T, *Keychain) {
	return func(t *testing.T, k *Keychain) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		prompts := 0
		k.Prompt = func() {
			prompts++
			if want == context.Canceled {
				stop()
			}
		}
		if err := k.Create(ctx, "work", []byte("s")); !errors.Is(err, want) || prompts != 1 {
			t.Fatalf("got %v after %d prompts, want %v after 1", err, prompts, want)
		}
		if want == nil {
			wantSecret(t, k, "work", "s")
		}
	}
}
