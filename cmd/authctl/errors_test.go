package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/authctl/authctl/internal/callback"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/session"
	"github.com/authctl/authctl/internal/store"
)

// Each typed error has its exit code and, where there is a way out, its hint: hint is a
// part of it, "-" is none.
func TestExplain(t *testing.T) {
	unreachable := &oauth.UnreachableError{Op: "renewal", URL: "https://a.example/token", Err: errors.New("no route")}
	behind := func(err error) error { return &oauth.UnreachableError{Op: "renewal", URL: unreachable.URL, Err: err} }
	untrusted := func(err error) error { return behind(&tls.CertificateVerificationError{Err: err}) }
	named := func(err error) error { return &onProfile{doing: "renewing", name: "work", named: true, err: err} }
	unsaved := func(err error) error {
		return &onProfile{name: "work", named: true, flags: " --issuer https://a.example", err: err}
	}
	atTerminal := func(err error) error {
		return &onProfile{name: "work", named: true, asks: func() bool { return true }, err: err}
	}
	usual := func(err error) error { return &onProfile{doing: "renewing", name: "default", err: err} }
	for name, c := range map[string]struct {
		err  error
		code int
		hint string
	}{
		"anything else":             {errors.New("odd"), 1, "-"},
		"wrong usage":               {&usageError{errors.New("no"), "authctl --help"}, 2, "authctl --help"},
		"broken TOML":               {&config.SyntaxError{Path: "c", Line: 1, Column: 2, Msg: "m", Hint: "did you mean x?"}, 2, "did you mean x?"},
		"an unknown profile":        {&config.UnknownProfileError{Name: "wrok", Nearest: "work"}, 2, `did you mean "work"?`},
		"one like no other":         {&config.UnknownProfileError{Name: "x", Known: []string{"home", "work"}}, 2, "there are: home, work"},
		"one where there is none":   {&config.UnknownProfileError{Name: "x"}, 2, "authctl login --profile x --issuer URL --client-id ID"},
		"a setting with a flag":     {&config.InvalidError{Profile: "work", Key: "client_id", Why: "not set"}, 2, "authctl profile set work --client-id ID (login has the flag too), or the variable AUTHCTL_CLIENT_ID"},
		"a setting without":         {&config.InvalidError{Key: "params", Why: "no"}, 2, "-"},
		"a line that stays":         {&config.EditError{Path: "c", Line: 3, Why: "w"}, 2, "by hand"},
		"a certificate":             {&callback.CertificateError{CertFile: "c", KeyFile: "k", Err: errors.New("no PEM")}, 2, "--tls-cert and --tls-key"},
		"an endpoint that is none":  {&oauth.ConfigError{What: "issuer", Why: "no URL"}, 2, "--issuer"},
		"a redirect URI elsewhere":  {&callback.HostError{RedirectURI: "https://a.example/"}, 2, "--paste"},
		"no profile at all":         {&noProfileError{}, 3, "authctl login --issuer URL --client-id ID"},
		"none that was meant":       {&noProfileError{others: []string{"home", "work"}}, 3, "home, work"},
		"signed out":                {usual(session.ErrSignedOut), 3, "authctl login"},
		"signed out of a named one": {named(session.ErrSignedOut), 3, "authctl login --profile work"},
		"settings not yet saved":    {unsaved(session.ErrSignedOut), 3, "authctl login --profile work --issuer https://a.example"},
		"no keychain for them":      {unsaved(&store.Error{Op: "reading", Err: store.ErrAbsent}), 5, "--issuer https://a.example --store file"},
		"no refresh token":          {named(&session.NoRefreshTokenError{}), 3, "authctl login --profile work"},
		"no ID token":               {named(session.ErrNoIDToken), 3, "authctl login --profile work"},
		"another client's session":  {named(&session.BindingError{Key: "client_id"}), 3, "authctl login --profile work"},
		"a dead refresh token":      {named(&session.DeadError{Reason: "invalid_grant"}), 3, "authctl login --profile work"},
		"a dead one, from another":  {named(&session.RenewalError{Kind: session.Dead, Err: errors.New("invalid_grant")}), 3, "authctl login --profile work"},
		"a session not understood":  {named(&session.FormatError{Why: "damaged"}), 3, "authctl login --profile work"},
		"renewal refused":           {named(&session.RenewalError{Kind: session.Failed, Err: &oauth.Error{Code: "invalid_client"}}), 4, "token --refresh --verbose"},
		"an OAuth error":            {&oauth.Error{Code: "server_says_no"}, 4, "-"},
		"a user who said no":        {&oauth.Error{Code: "access_denied"}, 4, "authctl login again"},
		"a client that needs more":  {&oauth.Error{Code: "invalid_client"}, 4, "--client-secret-file FILE"},
		"a scope":                   {&oauth.Error{Code: "invalid_scope"}, 4, "--scope"},
		"a client without devices":  {&oauth.Error{Op: "device authorization", Code: "unauthorized_client"}, 4, "without --device"},
		"a client, for a device":    {&oauth.Error{Op: "device authorization", Code: "invalid_client"}, 4, "--client-secret-file FILE"},
		"a redirect URI":            {&oauth.Error{Code: "invalid_request"}, 4, "--redirect-uri"},
		"prompt none":               {&oauth.Error{Code: "login_required"}, 4, "--prompt none"},
		"an answer that fails":      {&oauth.CheckError{What: "ID token", Why: "its nonce is not ours"}, 4, "-"},
		"an endpoint without TLS":   {&oauth.InsecureError{URL: "http://a.example"}, 4, "TLS"},
		"a pasted URL of another":   {callback.ErrWrongState, 4, "not of an earlier one"},
		"a bare code":               {callback.ErrBareCode, 4, "the whole address"},
		"no redirect URL":           {callback.ErrNotRedirect, 4, "the whole address"},
		"revocation refused":        {&revocationError{"work", &oauth.Error{Code: "invalid_client"}}, 4, "the provider's own page"},
		"revocation unreachable":    {&revocationError{"work", unreachable}, 6, "the provider's own page"},
		"a locked keychain":         {&store.Error{Op: "reading", Err: store.ErrLocked}, 5, "unlock"},
		"no keychain":               {&store.Error{Op: "reading", Err: store.ErrAbsent}, 5, "--store file --store-key-file FILE"},
		"a keychain that hangs":     {&store.Error{Op: "reading", Err: store.ErrTimeout}, 5, "--store file"},
		"no keychain, a terminal":   {atTerminal(&store.Error{Op: "reading", Err: store.ErrAbsent}), 5, "with a passphrase: authctl login --profile work --store file"},
		"a locked one, a terminal":  {atTerminal(&store.Error{Op: "reading", Err: store.ErrLocked}), 5, "or do without, with a passphrase: authctl login --profile work --store file"},
		"a mute one, a terminal":    {atTerminal(&store.Error{Op: "reading", Err: store.ErrTimeout}), 5, "or do without, with a passphrase: authctl login --profile work --store file"},
		"none was chosen":           {&store.Error{Op: "checking", Err: &store.PassphraseError{Why: "none"}}, 5, "the same command asks again"},
		"no passphrase yet":         {&store.Error{Op: "checking", Err: store.ErrUnchosen}, 2, "with --store-key-file FILE"},
		"a passphrase to give":      {named(&store.Error{Op: "reading", Err: store.ErrUnasked}), 5, "authctl whoami --profile work at a terminal"},
		"one for a login":           {&onProfile{doing: signingIn, name: "work", err: &store.Error{Op: "checking", Err: store.ErrUnasked}}, 5, "the same command at a terminal"},
		"a forgotten passphrase":    {named(&store.Error{Op: "reading", Err: &store.PassphraseError{File: "/a b/p", Why: "wrong"}}), 5, "rm '/a b/p', then authctl login --profile work"},
		"a kernel without keys":     {named(&store.Error{Op: "reading", Err: fmt.Errorf("%w: %w", store.ErrKeyring, syscall.EPERM)}), 5, "authctl login --profile work --store-key-file FILE"},
		"a full disk":               {&store.Error{Op: "saving", Err: &fs.PathError{Op: "write", Path: "p", Err: diskFull}}, 5, "disk is full"},
		"renewed but not saved":     {named(&session.SaveError{Err: &store.Error{Op: "saving", Err: store.ErrLocked}}), 5, "authctl login --profile work"},
		"a lock that can't be":      {&session.LockError{Path: "p", Err: fs.ErrPermission}, 5, "AUTHCTL_STATE_DIR"},
		"no place for devices":      {oauth.ErrNoDeviceAuthorization, 2, "--device-authorization-url"},
		"a code that ran out":       {oauth.ErrExpired, 6, "again"},
		"busy":                      {&session.BusyError{}, 6, "try again"},
		"unreachable":               {unreachable, 6, "network"},
		"an unknown authority":      {untrusted(x509.UnknownAuthorityError{}), 6, "--ca-file FILE"},
		"one at a renewal":          {named(&session.RenewalError{Kind: session.Unreachable, Err: untrusted(x509.UnknownAuthorityError{})}), 6, "--ca-file FILE"},
		"an old certificate":        {untrusted(x509.CertificateInvalidError{Reason: x509.Expired}), 6, "clock"},
		"another host's":            {untrusted(x509.HostnameError{Certificate: &x509.Certificate{}}), 6, "another host's"},
		"a broken one":              {untrusted(x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign}), 6, "has to mend its certificate"},
		"an old TLS":                {behind(oauth.ErrOldTLS), 6, "TLS 1.2"},
		"no TLS":                    {behind(oauth.ErrPlainHTTP), 6, "check the address and its port"},
		"a client certificate":      {behind(&oauth.ClientCertificateError{Err: io.EOF}), 6, "no client certificate"},
		"a proxy's TLS":             {behind(&oauth.ProxyError{Proxy: "p:1", Err: oauth.ErrPlainHTTP}), 6, "HTTPS_PROXY=http://p:1"},
		"behind a proxy":            {behind(&oauth.ProxyError{Proxy: "p:1", Behind: true, Err: oauth.ErrPlainHTTP}), 6, "check the address and its port"},
		"lost behind a proxy":       {behind(&oauth.ProxyError{Proxy: "p:1", Behind: true, Err: io.EOF}), 6, "check the network and the address"},
		"a proxy's credentials":     {behind(&oauth.ProxyError{Proxy: "p:1", Status: 407, Err: errors.New("no")}), 6, "HTTPS_PROXY=http://USER:PASSWORD@p:1,"},
		"a proxy that refuses":      {behind(&oauth.ProxyError{Proxy: "p:1", Status: 403, Err: errors.New("no")}), 6, "NO_PROXY"},
		"a proxy that doesn't find": {behind(&oauth.ProxyError{Proxy: "p:1", Status: 502, Err: errors.New("no")}), 6, "check the network and the address"},
		"a proxy that isn't there":  {behind(&oauth.ProxyError{Proxy: "p:1", Err: syscall.ECONNREFUSED}), 6, "check HTTPS_PROXY"},
		"a proxy that is no URL":    {behind(&usageError{errors.New("no"), "such as http://"}), 2, "such as http://"},
		"renewal unreachable":       {named(&session.RenewalError{Kind: session.Unreachable, Err: unreachable}), 6, "network"},
		"a certificate by its time": {&oauth.UnreachableError{Op: "discovery", URL: "https://a.example", Err: &tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired}}}, 6, "clock"},
		"a certificate by its host": {&oauth.UnreachableError{Op: "discovery", URL: "https://a.example", Err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}, 6, "--ca-file"},
		"a time-out":                {&timeoutError{"no answer"}, 6, "--timeout"},
		"a request in that time":    {&oauth.UnreachableError{Op: "discovery", URL: "https://a.example/", Err: &timeoutError{"no answer"}}, 6, "network"},
		"another time-out":          {context.DeadlineExceeded, 6, "try again"},
		"no locks, for the config":  {fmt.Errorf("locking p: %w", config.ErrNoLocks), 1, "AUTHCTL_STATE_DIR"},
		"no locks, for a session":   {&session.LockError{Path: "p", Err: syscall.ENOLCK}, 5, "AUTHCTL_STATE_DIR"},
		"a port in use":             {&callback.PortError{Addr: "127.0.0.1:1", Err: syscall.EADDRINUSE}, 1, "--redirect-uri"},
		"a port of the system's":    {&callback.PortError{Addr: "127.0.0.1:80", Err: syscall.EACCES}, 1, "above 1023"},
		"a full disk for a file":    {&fs.PathError{Op: "write", Path: "p", Err: diskFull}, 1, "disk is full"},
		"a read-only one":           {&fs.PathError{Op: "open", Path: "p", Err: readOnlyDisk}, 1, "read-only"},
		"somebody else's":           {&fs.PathError{Op: "open", Path: "p", Err: fs.ErrPermission}, 1, permissionHint},
		"Ctrl-C":                    {signalError{syscall.SIGINT}, 130, "-"},
		"Ctrl-C in the middle":      {named(fmt.Errorf("waiting: %w", signalError{syscall.SIGINT})), 130, "-"},
		"terminated":                {signalError{syscall.SIGTERM}, 143, "-"},
		"a hang-up":                 {signalError{syscall.SIGHUP}, 129, "-"},
		"a command not found":       {&commandError{"x", 127, errors.New("command not found")}, 127, "-"},
		"one that can't be run":     {&commandError{"x", 126, fs.ErrPermission}, 126, "-"},
	} {
		t.Run(name, func(t *testing.T) {
			for how, err := range map[string]error{"as it is": c.err, "wrapped": fmt.Errorf("doing: %w", c.err)} {
				message, hint, code := explain(err)
				if code != c.code {
					t.Errorf("%s: exit code: got %d, want %d", how, code, c.code)
				}
				if c.hint == "-" && hint != "" || c.hint != "-" && !strings.Contains(hint, c.hint) {
					t.Errorf("%s: hint: got %q, want %q in it", how, hint, c.hint)
				}
				if message == "" || strings.Contains(message, "\n") {
					t.Errorf("%s: message: got %q, want one line", how, message)
				}
			}
		})
	}
}

func TestReport(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		code int
		want string
	}{
		"one line":         {errors.New("odd"), 1, "authctl: odd\n"},
		"and a hint":       {&timeoutError{"no answer"}, 6, "authctl: no answer\nhint: run authctl login again; --timeout gives more time\n"},
		"lines and colour": {errors.New("a\nb\x1b[31mc"), 1, "authctl: a b[31mc\n"},
		"a quiet child's":  {&exitError{7}, 7, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var w bytes.Buffer
			if code := report(&w, c.err); code != c.code || w.String() != c.want {
				t.Errorf("got %d, %q, want %d, %q", code, w.String(), c.code, c.want)
			}
		})
	}
}
