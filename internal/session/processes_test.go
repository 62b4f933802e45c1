package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A job is what a child process does: this test binary again, told by its environment.
type job struct {
	Secrets, Dir string // of the fileStore, of the session
	Endpoint     string
	Timeout      time.Duration // of the request
	Need         Need
	FailUpdates  int32 // the first so many
}

// A result is what it prints.
type result struct{ Token, Err, Text string }

const jobVariable = "SESSION_TEST_JOB"

func TestMain(m *testing.M) {
	if given := os.Getenv(jobVariable); given != "" {
		work(given)
		return
	}
	os.Exit(m.Run())
}

// work says that it is there, waits for the end of its input, and asks for tokens.
func work(given string) {
	var j job
	if err := json.Unmarshal([]byte(given), &j); err != nil {
		panic(err)
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	store := &faultyStore{Store: fileStore{j.Secrets}, failUpdates: j.FailUpdates}
	s := &Session{Name: "work", Store: store, Dir: j.Dir, Binding: binding, Started: time.Now()}
	tokens, err := s.Fresh(context.Background(), j.Need, renewWithin(j.Timeout, j.Endpoint, time.Now))
	r := result{Token: accessToken(tokens), Err: kindOf(err)}
	if err != nil {
		r.Text = err.Error()
	}
	json.NewEncoder(os.Stdout).Encode(r)
}

// A child is a process at work.
type child struct {
	cmd *exec.Cmd
	out *json.Decoder
}

func jobOf(s *Session, endpoint string, need Need) job {
	return job{Secrets: s.Store.(*faultyStore).Store.(fileStore).dir, Dir: s.Dir, Endpoint: endpoint, Need: need, Timeout: 30 * time.Second}
}

// start starts n processes and returns when all are ready; closing begin sets them off.
func start(t *testing.T, n int, j job) (children []child, begin io.Closer) {
	t.Helper()
	stdin, begin, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	given, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), jobVariable+"="+string(given))
		cmd.Stdin, cmd.Stderr = stdin, os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		if _, err := io.ReadFull(out, make([]byte, len("ready\n"))); err != nil {
			t.Fatal(err)
		}
		children = append(children, child{cmd, json.NewDecoder(out)})
	}
	return children, begin
}

func (c child) result(t *testing.T) result {
	t.Helper()
	var r result
	if err := c.out.Decode(&r); err != nil {
		t.Fatalf("a process said nothing: %v, %v", err, c.cmd.Wait())
	}
	return r
}

// same fails the test unless all children got want, but for its text, which they share.
func same(t *testing.T, children []child, want result) {
	t.Helper()
	for i, c := range children {
		got := c.result(t)
		if i == 0 && want.Text == "" {
			want.Text = got.Text
		}
		if got != want {
			t.Errorf("process %d: got %+v, want %+v", i, got, want)
		}
	}
}

func TestManyProcessesRenewOnce(t *testing.T) {
	for _, c := range []struct {
		name string
		need Need
		want result
	}{
		{"expired", minute, result{Token: "access-2"}},
		{"refresh asked", refresh, result{Token: "access-2"}},
		{"ID token", idToken, result{Token: "access-2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := newSession(t)
			put(t, s, nil)
			p := startProvider(t, func(p *provider) { p.received = func() { time.Sleep(300 * time.Millisecond) } }) // a slow one
			children, begin := start(t, 64, jobOf(s, p.URL, c.need))
			begin.Close()
			same(t, children, c.want)
			if p.count() != 1 {
				t.Errorf("got %d requests, want 1", p.count())
			}
		})
	}
}

// Tokens may live shorter than is asked, and even be over before the last of
// those who waited has read them.
func TestManyProcessesRenewOnceForShortTokens(t *testing.T) {
	for _, ttl := range []time.Duration{30 * time.Second, time.Millisecond} {
		t.Run(ttl.String(), func(t *testing.T) {
			s, _ := newSession(t)
			put(t, s, nil)
			p := startProvider(t, func(p *provider) { p.ttl, p.received = ttl, func() { awaitWaiters(t, s, 63) } })
			children, begin := start(t, 64, jobOf(s, p.URL, minute))
			begin.Close()
			for i, c := range children {
				if got := c.result(t); got.Token != "access-2" || got.Err != "short" {
					t.Errorf("process %d: got %+v, want access-2, short", i, got)
				}
			}
			if p.count() != 1 {
				t.Errorf("got %d requests, want 1", p.count())
			}
		})
	}
}

// All wait for the lock when the first attempt begins, and take its failure.
func TestManyProcessesFailOnce(t *testing.T) {
	quiet, connections := silence(t)
	for _, c := range []struct {
		name string
		n    int
		job  func(*job)
		code string // what the provider answers
		want string
	}{
		{"provider never answers", 64, func(j *job) { j.Endpoint, j.Timeout = quiet, time.Second }, "", "unreachable"},
		{"refused", 16, func(*job) {}, "invalid_client", "failed"},
		{"invalid_grant", 16, func(*job) {}, "invalid_grant", "dead"},
		{"invalid_grant, which can't be remembered", 16, func(j *job) { j.FailUpdates = 99 }, "invalid_grant", "dead"},
		{"store can't be written", 16, func(j *job) { j.FailUpdates = 99 }, "", "unsaved"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := newSession(t)
			put(t, s, nil)
			p := startProvider(t, refusing(c.code))
			j := jobOf(s, p.URL, minute)
			c.job(&j)
			before := connections()
			unlock, err := s.lock(ctx)
			if err != nil {
				t.Fatal(err)
			}
			children, begin := start(t, c.n, j)
			begin.Close()
			awaitWaiters(t, s, c.n)
			unlock()
			same(t, children, result{Err: c.want})
			if got := p.count() + connections() - before; got != 1 {
				t.Errorf("got %d requests, want 1", got)
			}
		})
	}
}

// Kill -9 at any moment leaves a session that works or that is known to be dead,
// and no lock that is stuck.
func TestKilledAnywhere(t *testing.T) {
	const rounds = 60
	ends := map[string]int{}
	for range rounds {
		s, _ := newSession(t)
		put(t, s, nil)
		pause := func() { time.Sleep(rand.N(5 * time.Millisecond)) }
		p := startProvider(t, func(p *provider) { p.received, p.rotated = pause, pause })
		children, begin := start(t, 3, jobOf(s, p.URL, minute))
		begin.Close()
		time.Sleep(rand.N(25 * time.Millisecond)) // the moment
		for _, c := range children[:2] {
			c.cmd.Process.Kill()
		}
		last := children[2].result(t)
		ends["the one left alone: "+last.Token+last.Err]++
		s.LockTimeout = 10 * time.Second
		s.Started = time.Now()
		got, err := s.Fresh(ctx, minute, renewAt(p.URL, time.Now))
		if err != nil && kindOf(err) != "dead" {
			t.Fatalf("afterwards: got %v, want tokens or a dead session", err)
		}
		if accessToken(got) != last.Token || kindOf(err) != last.Err {
			t.Errorf("afterwards: got %q, %v, want %+v as before", accessToken(got), err, last)
		}
	}
	t.Logf("of %d rounds: %v", rounds, ends)
}

func TestKilledWhileRenewing(t *testing.T) {
	for _, c := range []struct {
		name     string
		rotated  bool // the provider has, when the process dies
		want     result
		requests int
	}{
		{"before the provider rotates", false, result{Token: "access-2"}, 1},
		{"after the provider has rotated", true, result{Err: "dead"}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := newSession(t)
			put(t, s, nil)
			hold := newHold(t)
			p := startProvider(t, func(p *provider) {
				if c.rotated {
					p.rotated = hold.once
				} else {
					p.received = hold.once
				}
			})
			first, begin := start(t, 1, jobOf(s, p.URL, minute))
			begin.Close()
			<-hold.reached
			waiting, begin := start(t, 8, jobOf(s, p.URL, minute))
			begin.Close()
			awaitWaiters(t, s, 8)
			first[0].cmd.Process.Kill()
			first[0].cmd.Wait()
			same(t, waiting, c.want)
			if p.count() != c.requests {
				t.Errorf("got %d requests, want %d", p.count(), c.requests)
			}
		})
	}
}

// A hold stops whoever reaches it first until it is released.
type hold struct {
	taken            atomic.Bool
	over             <-chan struct{} // the test is
	reached, release chan struct{}
}

func newHold(t *testing.T) *hold {
	return &hold{over: t.Context().Done(), reached: make(chan struct{}), release: make(chan struct{})}
}

func (h *hold) once() {
	if h.taken.CompareAndSwap(false, true) {
		close(h.reached)
		select {
		case <-h.release:
		case <-h.over:
		}
	}
}

func TestLoginWinsOverARenewalInFlight(t *testing.T) {
	s, _ := newSession(t)
	put(t, s, nil)
	hold := newHold(t)
	p := startProvider(t, func(p *provider) { p.received = hold.once })
	first, begin := start(t, 1, jobOf(s, p.URL, minute))
	begin.Close()
	<-hold.reached

	saved := make(chan error)
	go func() { saved <- s.Save(ctx, login("9"), settled) }()
	awaitWaiters(t, s, 1)
	close(hold.release)
	same(t, first, result{Token: "access-2"})
	if err := <-saved; err != nil {
		t.Fatal(err)
	}
	if got := load(t, s); got.RefreshToken != "refresh-9" {
		t.Errorf("after the login: got %q, want refresh-9", got.RefreshToken)
	}
}

func TestLogoutWinsOverARenewalInFlight(t *testing.T) {
	s, _ := newSession(t)
	put(t, s, nil)
	hold := newHold(t)
	p := startProvider(t, func(p *provider) { p.received = hold.once })
	first, begin := start(t, 1, jobOf(s, p.URL, minute))
	begin.Close()
	<-hold.reached

	revoked := make(chan string, 1)
	gone := make(chan error)
	go func() {
		_, err := s.Delete(ctx, func(_ context.Context, t *Tokens) error { revoked <- t.RefreshToken; return nil })
		gone <- err
	}()
	awaitWaiters(t, s, 1)
	close(hold.release)
	same(t, first, result{Token: "access-2"})
	if err := <-gone; err != nil {
		t.Fatal(err)
	}
	if got := <-revoked; got != "refresh-2" {
		t.Errorf("revoked: got %q, want what the renewal brought", got)
	}
	if _, err := s.Load(ctx); !errors.Is(err, ErrSignedOut) {
		t.Errorf("got %v, want signed out", err)
	}
}

// Those who wait while somebody else logs in or out get what is there afterwards.
func TestWaitersSeeLoginAndLogout(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*Session) error
		want result
	}{
		{"login", func(s *Session) error { return saveLocked(s, login("9")) }, result{Token: "access-9"}},
		{"logout", func(s *Session) error { return s.Store.Delete(ctx, s.Name) }, result{Err: "signed out"}},
		{"login with other settings", func(s *Session) error {
			other := *s
			other.Binding = map[string]string{"issuer": "https://other.example", "client_id": "cli"}
			return saveLocked(&other, login("9"))
		}, result{Err: "binding"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := newSession(t)
			put(t, s, nil)
			p := startProvider(t, nil)
			unlock, err := s.lock(ctx)
			if err != nil {
				t.Fatal(err)
			}
			waiting, begin := start(t, 4, jobOf(s, p.URL, refresh))
			begin.Close()
			awaitWaiters(t, s, 4)
			if err := c.do(s); err != nil {
				t.Fatal(err)
			}
			unlock()
			same(t, waiting, c.want)
			if p.count() != 0 {
				t.Errorf("got %d requests, want none", p.count())
			}
		})
	}
}

// saveLocked is Save for who holds the lock.
func saveLocked(s *Session, t *Tokens) error {
	return s.create(ctx, s.stamp(t))
}

// Nothing that is left behind holds a secret, whatever was done.
func TestStateHoldsNoSecret(t *testing.T) {
	s, _ := newSession(t)
	put(t, s, nil)
	p := startProvider(t, func(p *provider) { p.noRefresh = true })
	if _, err := s.Fresh(ctx, minute, renewAt(p.URL, time.Now)); err != nil {
		t.Fatal(err)
	}
	s.Started = time.Now()
	refused := startProvider(t, refusing("invalid_grant"))
	if _, err := s.Fresh(ctx, refresh, renewAt(refused.URL, time.Now)); kindOf(err) != "dead" {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(s.Dir, "*"))
	if err != nil || len(files) != 2 {
		t.Fatalf("got %v, %v, want a lock and an attempt", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"access-", "refresh-", "id-"} {
			if strings.Contains(string(data), secret) {
				t.Errorf("%s: got %q, want no token in it", file, data)
			}
		}
	}
}
