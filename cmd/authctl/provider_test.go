package main

import (
	"encoding/base64"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/authctl/authctl/internal/idp"
)

// providers are a script's, by the variable that names the issuer.
type providers map[string]*idp.Server

func running(ts *testscript.TestScript) providers {
	return ts.Value("providers").(providers)
}

func (all providers) one(ts *testscript.TestScript, name string) *idp.Server {
	if all[name] == nil {
		ts.Fatalf("there is no provider %s yet: idp comes first", name)
	}
	return all[name]
}

// idpVerb is `idp [as=NAME] [OPTION[=VALUE]…]`: it starts the provider that $ISSUER
// (or $NAME) names, or changes the one that runs. An OPTION is a flag of demo-idp's;
// `ttl` is the access token's life. The one without as= is in authctl's environment,
// so that a plain `authctl login` signs in there.
func idpVerb(ts *testscript.TestScript, _ bool, args []string) {
	name := "ISSUER"
	if len(args) > 0 && strings.HasPrefix(args[0], "as=") {
		name, args = strings.TrimPrefix(args[0], "as="), args[1:]
	}
	all := running(ts)
	if all[name] != nil {
		all[name].Set(func(o *idp.Options) { ts.Check(setOptions(o, args)) })
		return
	}
	var o idp.Options
	ts.Check(setOptions(&o, args))
	all[name] = idp.New(o)
	issuer, err := all[name].Start()
	ts.Check(err)
	ts.Defer(func() { all[name].Close() })
	ts.Setenv(name, issuer)
	if name == "ISSUER" {
		ts.Setenv("AUTHCTL_ISSUER", issuer)
		ts.Setenv("AUTHCTL_CLIENT_ID", all[name].Options().ClientID)
	}
}

// idpTLSVerb is `idp-tls FILE`: it starts the provider that $ISSUER names behind TLS,
// and FILE is the certificate that nobody trusts without it.
func idpTLSVerb(ts *testscript.TestScript, _ bool, args []string) {
	server := idp.New(idp.Options{})
	listener := httptest.NewUnstartedServer(server)
	listener.Config.ErrorLog = log.New(io.Discard, "", 0) // whoever doesn't trust it hangs up
	listener.StartTLS()
	ts.Defer(listener.Close)
	running(ts)["ISSUER"] = server
	ts.Setenv("ISSUER", listener.URL)
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: listener.Certificate().Raw})
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), root, 0o600))
}

func setOptions(o *idp.Options, args []string) error {
	fs := flag.NewFlagSet("idp", flag.ContinueOnError)
	o.Flags(fs)
	for _, arg := range args {
		name, value, given := strings.Cut(arg, "=")
		if !given {
			value = "true"
		}
		switch name {
		case "rotate":
			name, value = "no-rotation", "false"
		case "ttl":
			name = "access-ttl"
		}
		if err := fs.Set(name, value); err != nil {
			return fmt.Errorf("idp %s: %w", arg, err)
		}
	}
	return nil
}

// idpCountVerb is `idp-count ENDPOINT N`: how many requests it has had. `code` and
// `refresh` are the token endpoint's two grants, `all` is everything.
func idpCountVerb(ts *testscript.TestScript, _ bool, args []string) {
	if got, want := counted(ts, args); got != want {
		ts.Fatalf("requests to %s: got %d, want %d", args[0], got, want)
	}
}

// idpAwaitVerb is `idp-await ENDPOINT N`: it returns once there were as many.
func idpAwaitVerb(ts *testscript.TestScript, _ bool, args []string) {
	await(ts, "request to "+args[0], func() bool {
		got, want := counted(ts, args)
		return got >= want
	})
}

func counted(ts *testscript.TestScript, args []string) (got, want int) {
	endpoint := args[0]
	switch endpoint {
	case "code":
		endpoint = "token/authorization_code"
	case "refresh":
		endpoint = "token/refresh_token"
	case "all":
		endpoint = ""
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	return running(ts).one(ts, "ISSUER").Count(endpoint), want
}

// idpStopVerb is `idp-stop`: from then on nothing listens there.
func idpStopVerb(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(running(ts).one(ts, "ISSUER").Close())
}

// noSecretsVerb is `no-secrets FILE…`: none of the secrets that the providers know is
// in any of the files (stdout and stderr too) or below any of the directories.
func noSecretsVerb(ts *testscript.TestScript, _ bool, args []string) {
	var secrets []string
	for _, server := range running(ts) {
		secrets = append(secrets, server.Secrets()...)
	}
	if len(secrets) == 0 {
		ts.Fatalf("the provider knows no secret yet, so this proves nothing")
	}
	for _, name := range args {
		for file, text := range contents(ts, name) {
			if i, form := leak(text, secrets); i >= 0 {
				ts.Fatalf("%s holds secret %d of %d (%d bytes), %s", file, i+1, len(secrets), len(secrets[i]), form)
			}
		}
	}
}

// contents are a file's, or those of all files below a directory.
func contents(ts *testscript.TestScript, name string) map[string]string {
	if name == "stdout" || name == "stderr" {
		return map[string]string{name: ts.ReadFile(name)}
	}
	all := map[string]string{}
	ts.Check(filepath.WalkDir(ts.MkAbs(name), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		all[path] = path + "\n" + string(text)
		return err
	}))
	return all
}

// leak looks for the secrets as they are, URL-encoded, and inside base64 of any
// alignment. The index is -1 when there are none.
func leak(text string, secrets []string) (index int, form string) {
	for i, secret := range secrets {
		for form, forms := range map[string][]string{
			"as it is": {secret}, "URL-encoded": {url.QueryEscape(secret), url.PathEscape(secret)}, "in base64": inBase64(secret),
		} {
			for _, f := range forms {
				if strings.Contains(text, f) {
					return i, form
				}
			}
		}
	}
	return -1, ""
}

// inBase64 is how secret looks inside base64 of a longer text: three ways, by where it
// begins, without the characters at its ends that its neighbours have a part in.
func inBase64(secret string) []string {
	var forms []string
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for offset, lost := range []int{0, 2, 3} {
			whole := (offset + len(secret)) / 3 * 3 // of the padded text, in whole groups
			if whole <= offset {
				continue
			}
			forms = append(forms, encoding.EncodeToString([]byte(strings.Repeat("x", offset) + secret)[:whole])[lost:])
		}
	}
	return forms
}

// A check that finds nothing proves nothing unless it would have found it.
func TestLeakIsFound(t *testing.T) {
	const secret = "s3cr3t/with+signs=and more"
	for name, text := range map[string]string{
		"as it is":         "token " + secret + ".",
		"in a query":       "?token=" + url.QueryEscape(secret),
		"in base64":        base64.StdEncoding.EncodeToString([]byte("client:" + secret + "!")),
		"in base64, one":   base64.StdEncoding.EncodeToString([]byte("x" + secret)),
		"in base64, two":   base64.StdEncoding.EncodeToString([]byte("xx" + secret + "yy")),
		"in URL's base64":  base64.RawURLEncoding.EncodeToString([]byte("xyz?" + secret)),
		"at the beginning": base64.RawURLEncoding.EncodeToString([]byte(secret)),
	} {
		t.Run(name, func(t *testing.T) {
			if i, _ := leak(text, []string{"another", secret}); i != 1 {
				t.Errorf("got %d, want 1: not found in %q", i, text)
			}
		})
	}
	if i, form := leak("[redacted 26 bytes] s3cr3t", []string{secret}); i != -1 {
		t.Errorf("got %d, %s in text without the secret", i, form)
	}
}
