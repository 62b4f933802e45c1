package main

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/authctl/authctl/internal/need"
)

// programs are on PATH in every script: authctl itself, and those that play a browser,
// a person and a crowd. Each is a copy of this test's binary under another name.
var programs = map[string]func(){
	"authctl":  authctlProgram,
	"browser":  browserProgram,
	"paster":   pasterProgram,
	"visitor":  visitorProgram,
	"phone":    phoneProgram,
	"child":    childProgram,
	"atonce":   atonceProgram,
	"tmpfs":    tmpfsProgram,
	"readonly": readonlyProgram,
	"hosts":    hostsProgram,
	"offline":  offlineProgram,
	"nokeyctl": nokeyctlProgram,
}

// authctlProgram is authctl by a clock that is wrong by $CLOCK, a duration, if that is
// set. Nothing but this test knows the variable.
func authctlProgram() {
	wrong := time.Duration(0)
	if given := os.Getenv("CLOCK"); given != "" {
		var err error
		wrong, err = time.ParseDuration(given)
		exitOn(err)
	}
	now := func() time.Time { return time.Now().Add(wrong) }
	os.Exit(run(os.Args[1:], now, os.Stdin, os.Stdout, os.Stderr))
}

func TestMain(m *testing.M) { testscript.Main(m, programs) }

// TestScript runs testdata/script/*.txtar, which need nothing but this package.
func TestScript(t *testing.T) { scripts(t, "script") }

// TestScriptCurl runs the system's curl.
func TestScriptCurl(t *testing.T) {
	need.Program(t, "curl")
	scripts(t, "curl")
}

// TestScriptIPv6 runs what needs an address of IPv6.
func TestScriptIPv6(t *testing.T) {
	need.IPv6(t)
	scripts(t, "ipv6")
}

// scripts runs testdata/DIR/*.txtar. Each script has a home of its own, an empty config,
// the sealed file as its store, and the browser that presses the provider's button. Its
// verbs are in verbs_test.go.
func scripts(t *testing.T, dir string) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", dir),
		RequireExplicitExec: true,
		Setup:               home,
		Cmds:                verbs,
	})
}

// home is what a script starts with: $CONFIG names the config file and $STATE the
// state directory, neither of which is there yet.
func home(env *testscript.Env) error {
	work := env.WorkDir
	env.Values["providers"] = providers{}
	env.Values["network"] = &network{}
	config := map[string]string{
		"windows": filepath.Join(work, "config"),
		"darwin":  filepath.Join(work, "home", "Library", "Application Support"),
	}[runtime.GOOS]
	if config == "" {
		config = filepath.Join(work, "config")
	}
	for name, value := range map[string]string{
		"HOME":                   filepath.Join(work, "home"),
		"XDG_CONFIG_HOME":        config,
		"APPDATA":                config,
		"XDG_STATE_HOME":         filepath.Join(work, "state"),
		"CONFIG":                 filepath.Join(config, "authctl", "config.toml"),
		"STATE":                  filepath.Join(work, "state", "authctl"),
		"AUTHCTL_STORE":          "file",
		"AUTHCTL_STORE_KEY_FILE": filepath.Join(work, "store.key"),
		"BROWSER":                "browser",
		"TZ":                     "UTC",
		"GORACE":                 "atexit_sleep_ms=0",
	} {
		env.Setenv(name, value)
	}
	for _, dir := range []string{filepath.Join(work, "home"), filepath.Join(config, "authctl")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	return nil
}
