package store

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/keychaintest"
)

// insideVar holds, in a child's environment, the name of the test that it runs. The
// connection to the session bus is the process's, so each test that needs a bus of
// its own runs in a child.
const insideVar = "AUTHCTL_STORE_TEST_INSIDE"

// inside reports whether the test runs in a child that has a keychain in the given
// mode. Where it doesn't, it starts that child, and the caller returns.
func inside(t *testing.T, mode keychaintest.Mode) bool {
	t.Helper()
	if os.Getenv(insideVar) == t.Name() {
		return true
	}
	again(t, keychaintest.Start(t, mode))
	return false
}

// again runs the test in a child with env added to its environment.
func again(t *testing.T, env []string) {
	t.Helper()
	out, err := child(t.Name(), env).CombinedOutput()
	report(t, out, err)
}

// child is the test binary, about to run the one test.
func child(test string, env []string) *exec.Cmd {
	parts := strings.Split(test, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	cmd := exec.Command(os.Args[0], "-test.run="+strings.Join(parts, "/"), "-test.count=1", "-test.timeout=1m", "-test.v")
	cmd.Env = append(append(os.Environ(), env...), insideVar+"="+test)
	return cmd
}

// report fails the test when its child did, or didn't run it.
func report(t *testing.T, out []byte, err error) {
	t.Helper()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("in a child: %v\n%s", err, out)
	}
}

// keychain returns one that looks for its bus in the environment.
func keychain(t *testing.T, limit int) *Keychain {
	t.Helper()
	return &Keychain{Service: "authctl-test", Dir: t.TempDir() + "/sealed", Limit: limit, Getenv: os.Getenv}
}

// entries lists dir's names; none when it doesn't exist.
func entries(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	names := []string{}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
