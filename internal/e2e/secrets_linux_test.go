package e2e

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/need"
)

// The kinds of secrets. Those of the provider have the names that it gives them.
const (
	accessToken  = "access token"
	refreshToken = "refresh token"
	idToken      = "id token"
	clientSecret = "client secret"
	givenToken   = "AUTHCTL_TOKEN"
	storeKey     = "key of the store"
	storePhrase  = "passphrase of the store"
	tlsKey       = "key of the callback's certificate"
)

var tokenKinds = []string{accessToken, refreshToken, idToken}

// belongings are where a secret may be, and why. Everything else is a finding, and so is
// a line here that no place needs.
var belongings = []struct {
	place string // a pattern
	kinds []string
	why   string
}{
	{`^stdout of (-v )?token( --refresh| --format \w+)?$`, []string{accessToken}, "it is what was asked for"},
	{`^stdout of (-v )?token .*--id-token`, []string{idToken, "nonce"}, "it is what was asked for, and the nonce is one of its claims"},
	{`^stdout of (-v )?token$`, []string{givenToken}, "it is given back as it is"},
	{`^stdout of (-v )?whoami`, []string{"nonce"}, "it is a claim of the ID token, and spent"},
	{`^stderr of (-v )?login .*--no-browser`, []string{"state", "nonce"}, "they are in the address that the person is to open"},
	{`^arguments of browser`, []string{"state", "nonce"}, "they are in the address that it opens"},
	{`^environment of child, ACCESS_TOKEN `, []string{accessToken, givenToken}, "exec hands it over so"},
	{`^environment of (authctl|child|curl), AUTHCTL_TOKEN `, []string{givenToken}, "the user has set it"},
	{`^pipe of (-v )?curl`, []string{accessToken, givenToken}, "curl reads its header there"},
	{`^the provider`, []string{"code", "code verifier", clientSecret, accessToken, refreshToken}, "they are its own"},
	{`^bus of `, append([]string{clientSecret, "nonce", storeKey}, tokenKinds...), "the keychain keeps them; the ID token's claims hold the nonce"},
	{`^the kernel's cache$`, []string{accessToken}, "the profile asks for it, and for no other token"},
	{`^file \S*/keys/authctl$`, []string{storeKey}, "it is the key file"},
	{`^file \S*/keys/\.authctl\.authctl-tmp-[A-Z2-7]+$`, []string{storeKey}, "it becomes the key file"},
	{`^file \S*/tls/localhost\.pem$`, []string{tlsKey}, "it is the certificate's file, 0600"},
	{`^file \S*/tls/\.localhost\.pem\.authctl-tmp-[A-Z2-7]+$`, []string{tlsKey}, "it becomes the certificate's file"},
	{`^file \S*/client-secret$`, []string{clientSecret}, "the user's own, for --client-secret-file"},
}

// belongs reports whether a kind of secret may be in a place, and by which lines.
func (l *life) belongs(kind, place string) (may bool) {
	for _, b := range belongings {
		if slices.Contains(b.kinds, kind) && regexp.MustCompile(b.place).MatchString(place) {
			l.needed[b.place] = true
			may = true
		}
	}
	return may
}

// does runs one command to its end.
func (l *life) does(code int, args ...string) {
	l.t.Helper()
	args = l.spoken(args)
	l.ended(l.watch(l.more, nil, authctl, args...), code, args...)
}

// spoken is a command line, with -v in a life that is verbose.
func (l *life) spoken(args []string) []string {
	if l.verbose {
		return append([]string{"-v"}, args...)
	}
	return args
}

// signsIn is a login. The visit is the test's own, so that it sees the page: the browser
// only hands the URL on.
func (l *life) signsIn(code int, args ...string) {
	l.t.Helper()
	args = l.spoken(append([]string{"login", "--timeout", "1m"}, args...))
	var w *watched
	var asked string
	if slices.Contains(args, "--no-browser") {
		w = l.watch(l.more, nil, authctl, args...)
		asked = w.stderr.await(l.t, `(?m)^(http://\S+)$`)[1]
	} else {
		browser, h := l.handoff()
		args = append(args, "--browser", browser)
		w = l.watch(l.more, nil, authctl, args...)
		asked = h.url(w.process)
	}
	page := visit(l.t, asked)
	<-w.done
	l.learnKeys()
	l.ended(w, code, args...)
	l.look("the page of login", page.URL+"\n"+page.Title+"\n"+page.Text+"\n"+page.Raw)
}

// in puts the provider into one wrong mode while f runs.
func (l *life) in(mode string, f func()) {
	l.p.Set(func(o *idp.Options) { o.Modes[mode] = true })
	f()
	l.p.Set(func(o *idp.Options) { delete(o.Modes, mode) })
}

// live is a whole life: all that authctl does, well and badly.
func (l *life) live(flags ...string) {
	l.t.Helper()
	hello := []string{"curl", "-sS", l.p.Issuer() + "/api/hello"}
	l.scripts(map[string]string{"child": `test -n "$ACCESS_TOKEN"`})
	l.signsIn(0, append([]string{"--issuer", l.p.Issuer(), "--client-id", "demo"}, flags...)...)
	for _, args := range [][]string{
		{"whoami"}, {"whoami", "--json"}, {"whoami", "--claim", "email"}, {"status"}, {"status", "--json"},
		{"token"}, {"token", "--format", "header"}, {"token", "--format", "json"}, {"token", "--format", "env"},
		{"token", "--id-token"}, {"token", "--id-token", "--format", "json"}, {"token", "--refresh"},
		{"profile", "list"}, {"profile", "show"}, {"profile", "set", "--scope", "openid profile email"},
		{"exec", "--", "child"}, hello,
	} {
		l.does(0, args...)
	}
	l.in("token-500", func() { l.does(0, "token", "--refresh") }) // the old one, with a warning
	l.in("token-html", func() { l.does(4, "token", "--refresh") })
	l.in("token-echo", func() { l.does(3, "token", "--refresh") })
	l.in("token-echo", func() { l.signsIn(4) })
	l.in("wrong-nonce", func() { l.signsIn(4) })
	l.in("deny", func() { l.signsIn(4) })
	l.does(3, "token", "--refresh")
	l.signsIn(0, "--no-browser")
	l.more = []string{"AUTHCTL_TOKEN=" + given}
	for _, args := range [][]string{{"token"}, {"exec", "--", "child"}, hello} {
		l.does(0, args...)
	}
	l.signsIn(0, "--json")
	l.more = nil
	l.does(0, "logout")
	l.does(3, "token")
}

const given = "given/token+with=0123456789"

// No secret is anywhere but where it belongs, whatever the store, the client, the
// callback, and the size of the tokens.
func TestSecretsStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	needStrace(t)
	need.Program(t, "secret-tool", "curl")
	var mu sync.Mutex
	needed := map[string]bool{}
	t.Run("lives", func(t *testing.T) {
		eachLife(t, func(l *life) {
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(needed, l.needed)
		})
	})
	for _, b := range belongings {
		if !needed[b.place] && !t.Failed() {
			t.Errorf("nobody needs the line %s", b.place)
		}
	}
}

// eachLife lives one of each kind at the same time.
func eachLife(t *testing.T, lived func(*life)) {
	const secret = "client/secret+with: signs%=and&more"
	for _, tc := range []struct {
		store, auth, scheme string
		bytes               int // of a token
		verbose, caches     bool
	}{
		{"keychain", "", "http", 0, false, false},
		{"keychain", "client_secret_basic", "https", 24 << 10, true, false},
		{"keychain", "client_secret_post", "http", 0, true, true},
		{"file", "", "https", 24 << 10, true, true},
		{"file", "client_secret_basic", "http", 0, false, false},
		{"file", "client_secret_post", "https", 24 << 10, false, false},
		{"passphrase", "client_secret_post", "http", 0, true, false},
	} {
		name := fmt.Sprintf("%s, %s, %s, %d bytes, verbose %t, cached %t", tc.store, cmp.Or(tc.auth, "public"), tc.scheme, tc.bytes, tc.verbose, tc.caches)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			redirect := tc.scheme + "://localhost:" + freePort(t) + "/callback"
			o := idp.Options{TokenBytes: tc.bytes, RedirectURIs: []string{redirect}}
			if tc.auth != "" {
				o.ConfidentialSecret, o.AuthMethods = secret, []string{tc.auth}
			}
			l := newLife(newUser(t), demoProvider(t, o))
			l.verbose, l.caches = tc.verbose, tc.caches
			flags := append(l.storeFlags(tc.store), "--redirect-uri", redirect)
			if tc.caches {
				l.cachesInKernel()
				flags = append(flags, "--kernel-cache")
			}
			if tc.auth != "" {
				file := filepath.Join(l.home, "client-secret")
				if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				flags = append(flags, "--client-secret-file", file)
			}
			l.secrets.Add(givenToken, given)
			if tc.store == "passphrase" {
				l.secrets.Add(storePhrase, passphrase)
				l.secrets.Add(storeKey, l.choosesPassphrase(l.p, append(flags, "--profile", "first")...))
			}
			l.live(flags...)
			t.Logf("looked for %d secrets in %d places", l.secrets.Len(), len(l.places))
			for _, finding := range l.findings {
				t.Error(finding)
			}
			lived(l)
		})
	}
}
