package main

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/leaktest"
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
	name, args := named(args)
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

// named takes as=NAME off the arguments, which says what provider is meant.
func named(args []string) (name string, rest []string) {
	if len(args) > 0 && strings.HasPrefix(args[0], "as=") {
		return strings.TrimPrefix(args[0], "as="), args[1:]
	}
	return "ISSUER", args
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

// idpCountVerb is `idp-count [as=NAME] ENDPOINT N`: how many requests it has had. `code`,
// `refresh` and `poll` are the token endpoint's grants, `all` is everything.
func idpCountVerb(ts *testscript.TestScript, _ bool, args []string) {
	if got, want := counted(ts, args); got != want {
		ts.Fatalf("requests to %s: got %d, want %d", args[0], got, want)
	}
}

// idpAwaitVerb is `idp-await [as=NAME] ENDPOINT N`: it returns once there were as many.
func idpAwaitVerb(ts *testscript.TestScript, _ bool, args []string) {
	await(ts, "request to "+args[0], func() bool {
		got, want := counted(ts, args)
		return got >= want
	})
}

func counted(ts *testscript.TestScript, args []string) (got, want int) {
	name, args := named(args)
	endpoint := args[0]
	switch endpoint {
	case "code":
		endpoint = "token/authorization_code"
	case "refresh":
		endpoint = "token/refresh_token"
	case "poll":
		endpoint = "token/urn:ietf:params:oauth:grant-type:device_code"
	case "all":
		endpoint = ""
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	return running(ts).one(ts, name).Count(endpoint), want
}

// idpStopVerb is `idp-stop [as=NAME]`: from then on nothing listens there.
func idpStopVerb(ts *testscript.TestScript, _ bool, args []string) {
	name, _ := named(args)
	ts.Check(running(ts).one(ts, name).Close())
}

// idpClockVerb is `idp-clock DURATION`: the provider's clock is put forward, or back.
func idpClockVerb(ts *testscript.TestScript, _ bool, args []string) {
	by, err := time.ParseDuration(args[0])
	ts.Check(err)
	running(ts).one(ts, "ISSUER").Advance(by)
}

// noSecretsVerb is `no-secrets FILE…`: none of the secrets that the providers know is
// in any of the files (stdout and stderr too) or below any of the directories.
func noSecretsVerb(ts *testscript.TestScript, _ bool, args []string) {
	var secrets leaktest.Secrets
	for _, server := range running(ts) {
		for _, secret := range server.Secrets() {
			secrets.Add(server.Kinds()[secret], secret)
		}
	}
	if secrets.Len() == 0 {
		ts.Fatalf("the provider knows no secret yet, so this proves nothing")
	}
	for _, name := range args {
		for file, text := range contents(ts, name) {
			if leaks := secrets.In(text); len(leaks) > 0 {
				ts.Fatalf("%s holds %v, of %d secrets", file, leaks, secrets.Len())
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
