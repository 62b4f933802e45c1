package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// verbs are what the scripts can say beyond testscript's own; those about the provider
// are in provider_test.go.
var verbs = map[string]func(*testscript.TestScript, bool, []string){
	"idp":         idpVerb,
	"idp-tls":     idpTLSVerb,
	"idp-count":   idpCountVerb,
	"idp-await":   idpAwaitVerb,
	"idp-stop":    idpStopVerb,
	"idp-clock":   idpClockVerb,
	"proxy":       proxyVerb,
	"proxy-count": proxyCountVerb,
	"proxy-saw":   proxySawVerb,
	"doctor":      doctorVerb,
	"no-secrets":  noSecretsVerb,
	"exits":       exitsVerb,
	"parallel":    parallelVerb,
	"await":       awaitVerb,
	"perm":        permVerb,
	"keep":        keepVerb,
	"payload":     payloadVerb,
	"listen":      listenVerb,
	"free":        freeVerb,
}

// exitsVerb is `exits CODE CMD ARG…`: exec, and the exit code has to be CODE.
func exitsVerb(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		failed := (*exec.ExitError)(nil)
		if !errors.As(err, &failed) {
			ts.Fatalf("running %s: %v", args[1], err)
		}
		got = failed.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code: got %d, want %d", got, want)
	}
}

// parallelVerb is `parallel N CMD ARG…`, see atonceProgram.
func parallelVerb(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("atonce", args...))
}

// awaitVerb is `await FILE`: what another process is about to write.
func awaitVerb(ts *testscript.TestScript, _ bool, args []string) {
	await(ts, args[0], func() bool {
		_, err := os.Stat(ts.MkAbs(args[0]))
		return err == nil
	})
}

// await returns once there is what another process brings about.
func await(ts *testscript.TestScript, what string, there func() bool) {
	for end := time.Now().Add(20 * time.Second); !there(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("%s never came", what)
		}
	}
}

// permVerb is `perm MODE FILE…`.
func permVerb(ts *testscript.TestScript, _ bool, args []string) {
	for _, file := range args[1:] {
		info, err := os.Stat(ts.MkAbs(file))
		ts.Check(err)
		if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
			ts.Fatalf("%s: got mode %s, want %s", file, got, args[0])
		}
	}
}

// keepVerb is `keep NAME`: what the last command printed, as a variable.
func keepVerb(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// payloadVerb is `payload FILE`: the payload of the JWT that the last command printed,
// and a newline.
func payloadVerb(ts *testscript.TestScript, _ bool, args []string) {
	parts := strings.Split(strings.TrimSpace(ts.ReadFile("stdout")), ".")
	if len(parts) != 3 {
		ts.Fatalf("stdout is no JWT: %d parts", len(parts))
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), append(claims, '\n'), 0o600))
}

// listenVerb is `listen NAME`: this test has a port of 127.0.0.1, and NAME is it.
func listenVerb(ts *testscript.TestScript, _ bool, args []string) {
	l := listen(ts, "127.0.0.1:0")
	ts.Defer(func() { l.Close() })
	ts.Setenv(args[0], port(l))
}

// freeVerb is `free NAME`: a port that nobody has. `free` with a number: that port can
// be had.
func freeVerb(ts *testscript.TestScript, _ bool, args []string) {
	if _, err := strconv.Atoi(args[0]); err == nil {
		ts.Check(listen(ts, "127.0.0.1:"+args[0]).Close())
		return
	}
	l := listen(ts, "127.0.0.1:0")
	ts.Check(l.Close())
	ts.Setenv(args[0], port(l))
}

func listen(ts *testscript.TestScript, addr string) net.Listener {
	l, err := net.Listen("tcp", addr)
	ts.Check(err)
	return l
}

func port(l net.Listener) string { return strconv.Itoa(l.Addr().(*net.TCPAddr).Port) }
