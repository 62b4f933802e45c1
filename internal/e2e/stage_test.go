package e2e

import (
	"context"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/robot"
)

// stage is where a hostile provider and authctl meet: a user of their own, and another
// origin, where nothing may ever arrive.
type stage struct {
	t         *testing.T
	provider  *idp.Server
	profile   []string // login's flags for it
	user      *user
	elsewhere atomic.Int64 // requests
}

func newStage(t *testing.T, o idp.Options, tls bool) *stage {
	t.Helper()
	s := &stage{t: t, user: newFileUser(t)}
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { s.elsewhere.Add(1) }))
	t.Cleanup(func() {
		other.Close()
		if n := s.elsewhere.Load(); n > 0 {
			t.Errorf("%d requests went to another origin", n)
		}
	})
	o.Elsewhere, o.OpaqueAccess = other.URL, true // no JWT: a signature less to wait for
	if tls {
		s.behindTLS(o)
		return s
	}
	s.provider = demoProvider(t, o)
	s.profile = []string{"--issuer", s.provider.Issuer(), "--client-id", "demo"}
	return s
}

// behindTLS has the provider where only the user knows its certificate.
func (s *stage) behindTLS(o idp.Options) {
	s.t.Helper()
	s.provider = idp.New(o)
	server := httptest.NewUnstartedServer(s.provider)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	s.t.Cleanup(func() { server.Close(); s.provider.Close() })
	root := filepath.Join(s.user.home, "root.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(root, text, 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.profile = []string{"--issuer", server.URL, "--client-id", "demo", "--ca-file", root}
}

// turn makes the provider wrong in the given ways, separated by spaces, or honest.
func (s *stage) turn(modes string) {
	s.provider.Set(func(o *idp.Options) {
		o.Modes = map[string]bool{}
		for _, mode := range strings.Fields(modes) {
			o.Modes[mode] = true
		}
	})
}

// scene is how a command ended, and the page that the browser ended on, nil if it opened none.
type scene struct {
	stdout, stderr string
	code           int
	page           *robot.Page
}

func (s *stage) run(args ...string) scene {
	s.t.Helper()
	var end scene
	end.stdout, end.stderr, end.code = s.user.run(args...)
	return end
}

// startLogin starts a login and waits for its address, "" when it ends before that.
func (s *stage) startLogin(args ...string) (p *process, address string) {
	s.t.Helper()
	p = s.user.start(nil, append([]string{"login", "--no-browser"}, args...)...)
	if found := p.stderr.search(`(?m)^(http\S+[?&]response_type=code\S*)$`, p.done); found != nil {
		address = found[1]
	}
	return p, address
}

// login signs in, as far as that goes.
func (s *stage) login(args ...string) scene {
	s.t.Helper()
	var end scene
	p, address := s.startLogin(args...)
	if address != "" {
		end.page = s.browse(address)
		if end.page.Status >= http.StatusBadRequest {
			s.t.Fatalf("the browser got %d, %q, and authctl still waits", end.page.Status, end.page.Text)
		}
	}
	end.code = p.wait()
	end.stdout, end.stderr = p.stdout.String(), p.stderr.String()
	return end
}

func (s *stage) browse(address string) *robot.Page {
	s.t.Helper()
	page, err := robot.Visit(context.Background(), address, robot.Options{Timeout: patience, Insecure: true})
	if err != nil {
		s.t.Fatal(err)
	}
	return page
}

// signIn is a login that has to succeed.
func (s *stage) signIn(args ...string) scene {
	s.t.Helper()
	end := s.login(args...)
	s.hidesSecrets(end)
	if end.code != 0 || end.page == nil || end.page.Status != http.StatusOK {
		s.t.Fatalf("an honest provider is refused: exit %d, page %+v\n%s", end.code, end.page, end.stderr)
	}
	return end
}

// token is what `authctl token` prints, which has to be a token.
func (s *stage) token(args ...string) string {
	s.t.Helper()
	end := s.run(append([]string{"token"}, args...)...)
	if end.code != 0 || len(end.stdout) < 20 || strings.Count(end.stdout, "\n") != 1 {
		s.t.Fatalf("token: exit %d and %d bytes, want 0 and a token\n%s", end.code, len(end.stdout), end.stderr)
	}
	return end.stdout
}

// keeps are the user's files that matter, with what is in them: all but the locks and
// what was there beforehand.
func (s *stage) keeps() map[string]string {
	s.t.Helper()
	files := map[string]string{}
	s.user.files(func(path string, content []byte) {
		if filepath.Base(filepath.Dir(path)) != "locks" && filepath.Dir(path) != s.user.home {
			files[path] = string(content)
		}
	})
	return files
}

// lateness is how long a login waits for a provider that never ends.
const lateness = 2 * time.Second
