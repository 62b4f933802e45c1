// Package need lets a test say which real parts it stands on. Where they are
// missing the test is left out and listed, unless AUTHCTL_TEST_ALL is set (as in
// CI): then it fails, so that nothing is ever skipped there.
package need

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
)

// Program looks names up on PATH and leaves the test out without them.
func Program(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			Missing(t, name)
		}
	}
}

// IPv6 leaves the test out where loopback has no address of IPv6.
func IPv6(t testing.TB) {
	t.Helper()
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		Missing(t, "IPv6 on the loopback interface")
	}
	l.Close()
}

// Missing leaves the test out for want of what. Its line goes to the file that
// AUTHCTL_TEST_LEFT_OUT names, from which `make test` reports at its end.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("AUTHCTL_TEST_ALL") != "" {
		t.Fatalf("this test needs %s, which is missing here", what)
	}
	if path := os.Getenv("AUTHCTL_TEST_LEFT_OUT"); path != "" {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		fmt.Fprintf(f, "%s: needs %s\n", t.Name(), what)
	}
	t.Skipf("needs %s", what)
}
