package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/atomicfile"
)

var ctx = context.Background()

// fileStore keeps secrets in plain files.
type fileStore struct{ dir string }

func (f fileStore) path(name string) string { return filepath.Join(f.dir, name) }

func (f fileStore) Get(_ context.Context, name string) ([]byte, error) {
	return os.ReadFile(f.path(name))
}

func (f fileStore) Create(ctx context.Context, name string, secret []byte) error {
	return f.Update(ctx, name, secret)
}

func (f fileStore) Update(ctx context.Context, name string, secret []byte) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return atomicfile.Write(f.path(name), secret)
}

func (f fileStore) Delete(ctx context.Context, name string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := os.Remove(f.path(name)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (f fileStore) TakeBack(ctx context.Context, name string) error { return f.Delete(ctx, name) }

func (f fileStore) Ready(context.Context, string) error {
	_, err := os.Stat(f.dir)
	return err
}

// faultyStore counts what is asked of a Store and can fail it.
type faultyStore struct {
	Store
	gets, updates            atomic.Int32
	failUpdates              int32 // the first so many
	failGet, failReady, gone error
	reading, preparing       func() // called when it is read, or asked whether it is ready
}

func (f *faultyStore) Get(ctx context.Context, name string) ([]byte, error) {
	f.gets.Add(1)
	if f.reading != nil {
		f.reading()
	}
	if f.failGet != nil {
		return nil, f.failGet
	}
	return f.Store.Get(ctx, name)
}

func (f *faultyStore) Update(ctx context.Context, name string, secret []byte) error {
	if f.updates.Add(1) <= f.failUpdates {
		return errDiskFull
	}
	return f.Store.Update(ctx, name, secret)
}

func (f *faultyStore) Ready(ctx context.Context, name string) error {
	if f.preparing != nil {
		f.preparing()
	}
	if f.failReady != nil {
		return f.failReady
	}
	return f.Store.Ready(ctx, name)
}

func (f *faultyStore) Delete(ctx context.Context, name string) error {
	if f.gone != nil {
		return f.gone
	}
	return f.Store.Delete(ctx, name)
}

var errDiskFull = errors.New("disk full")

// provider is a token endpoint with rotation: a refresh token that comes twice
// ends its family.
type provider struct {
	*httptest.Server
	ttl       time.Duration // of access and ID tokens
	noRefresh bool          // answers bring no new refresh token
	noIDToken bool
	refuse    string // an OAuth error for every request
	received  func() // called before a request changes anything
	rotated   func() // called after, before the answer

	mu       sync.Mutex
	requests int
	current  int // the generation whose refresh token is good
	ended    bool
}

// startProvider starts one whose current refresh token is refresh-1, as changed by configure.
func startProvider(t *testing.T, configure func(*provider)) *provider {
	p := &provider{ttl: time.Hour, current: 1, received: func() {}, rotated: func() {}}
	if configure != nil {
		configure(p)
	}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.received()
	generation, code := p.rotate(r.FormValue("refresh_token"))
	p.rotated()
	if code != "" {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":%q}`, code)
		return
	}
	answer := map[string]any{"access_token": fmt.Sprint("access-", generation), "expires_in": p.ttl.Seconds()}
	if !p.noRefresh {
		answer["refresh_token"] = fmt.Sprint("refresh-", generation)
	}
	if !p.noIDToken {
		answer["id_token"] = fmt.Sprint("id-", generation)
	}
	json.NewEncoder(w).Encode(answer)
}

func (p *provider) rotate(token string) (generation int, code string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests++
	switch {
	case p.refuse != "":
		return 0, p.refuse
	case p.ended || token != fmt.Sprint("refresh-", p.current):
		p.ended = true
		return 0, "invalid_grant"
	}
	if p.noRefresh {
		return p.current + 1, ""
	}
	p.current++
	return p.current, ""
}

func (p *provider) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests
}

// renewAt is a Renew that speaks to a provider, by the given clock.
func renewAt(endpoint string, now func() time.Time) Renew {
	return renewWithin(time.Second, endpoint, now)
}

func renewWithin(timeout time.Duration, endpoint string, now func() time.Time) Renew {
	client := &http.Client{Timeout: timeout, Transport: &http.Transport{DisableKeepAlives: true}}
	return func(ctx context.Context, old *Tokens) (*Tokens, error) {
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old.RefreshToken}}
		request, err := http.NewRequestWithContext(ctx, "POST", endpoint, strings.NewReader(form.Encode()))
		if err != nil {
			return nil, err
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := client.Do(request)
		if err != nil {
			return nil, &RenewalError{Kind: Unreachable, Err: err}
		}
		defer response.Body.Close()
		return tokensOf(response, now())
	}
}

func tokensOf(response *http.Response, now time.Time) (*Tokens, error) {
	var answer struct {
		Error        string  `json:"error"`
		AccessToken  string  `json:"access_token"`
		RefreshToken string  `json:"refresh_token"`
		IDToken      string  `json:"id_token"`
		ExpiresIn    float64 `json:"expires_in"`
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, &RenewalError{Kind: Unreachable, Err: err}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, errors.New("the answer is no JSON")
	}
	switch answer.Error {
	case "":
	case "invalid_grant":
		return nil, &RenewalError{Kind: Dead, Err: errors.New(answer.Error)}
	default:
		return nil, &RenewalError{Kind: Failed, Err: errors.New(answer.Error)}
	}
	expiry := now.Add(time.Duration(answer.ExpiresIn * float64(time.Second)))
	return &Tokens{
		AccessToken: answer.AccessToken, RefreshToken: answer.RefreshToken, Expiry: expiry,
		IDToken: answer.IDToken, IDTokenExpiry: expiry,
	}, nil
}

// silence is the address of a listener that accepts and never answers, and the
// number of connections that it has had.
func silence(t *testing.T) (address string, connections func() int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int32
	var open sync.WaitGroup
	open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			n.Add(1)
			t.Cleanup(func() { c.Close() })
		}
	})
	t.Cleanup(func() { l.Close(); open.Wait() })
	return "http://" + l.Addr().String(), func() int { return int(n.Load()) }
}

var binding = map[string]string{"issuer": "https://id.example", "client_id": "cli"}

// newSession is a session in a directory of its own.
func newSession(t *testing.T) (*Session, *faultyStore) {
	dir := t.TempDir()
	secrets := filepath.Join(dir, "secrets")
	if err := os.Mkdir(secrets, 0o700); err != nil {
		t.Fatal(err)
	}
	store := &faultyStore{Store: fileStore{secrets}}
	return &Session{
		Name: "work", Store: store, Dir: filepath.Join(dir, "state"), Binding: binding,
		Started: time.Now(), LockTimeout: time.Minute,
	}, store
}

// put stores tokens of the first generation, an hour old and expired, as changed
// by edit, without a trace in the session's directory.
func put(t *testing.T, s *Session, edit func(*Tokens)) {
	t.Helper()
	now := s.now()
	tokens := &Tokens{
		Version: version, Binding: binding, AccessToken: "access-1", RefreshToken: "refresh-1",
		Expiry: now.Add(-time.Minute), ObtainedAt: now.Add(-time.Hour),
		IDToken: "id-1", IDTokenExpiry: now.Add(-time.Minute), Claims: json.RawMessage(`{"sub":"ada"}`), Scope: "openid",
	}
	if edit != nil {
		edit(tokens)
	}
	secret, err := tokens.encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Store.Create(ctx, s.Name, secret); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, s *Session) *Tokens {
	t.Helper()
	tokens, err := s.Load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// kindOf names an error by its type.
func kindOf(err error) string {
	var (
		renewal *RenewalError
		lock    *LockError
	)
	switch {
	case err == nil:
		return ""
	case errors.Is(err, ErrSignedOut):
		return "signed out"
	case errors.Is(err, ErrNoRefreshToken):
		return "no refresh token"
	case errors.Is(err, ErrNoIDToken):
		return "no ID token"
	case errors.As(err, new(*StaleError)):
		return "stale"
	case errors.As(err, new(*ShortError)):
		return "short"
	case errors.As(err, new(*DeadError)):
		return "dead"
	case errors.As(err, new(*SaveError)):
		return "unsaved"
	case errors.As(err, new(*BindingError)):
		return "binding"
	case errors.As(err, new(*FormatError)):
		return "format"
	case errors.As(err, new(*BusyError)):
		return "busy"
	case errors.As(err, &lock) && lock.Unsupported():
		return "no locks"
	case errors.As(err, &lock):
		return "lock"
	case errors.As(err, &renewal) && renewal.Kind == Unreachable:
		return "unreachable"
	case errors.As(err, &renewal) && renewal.Kind == Failed:
		return "failed"
	}
	return err.Error()
}

func accessToken(t *Tokens) string {
	if t == nil {
		return ""
	}
	return t.AccessToken
}
