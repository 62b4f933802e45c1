package wine

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// suites are the packages whose tests mean something else on Windows, with those of them
// that Wine can't run, and why.
var suites = []struct {
	dir  string
	run  string
	skip []string
}{
	{"internal/atomicfile", ".", []string{
		"TestWriteKeepsALink",      // Wine 8 makes no symbolic links
		"TestReadWhileItIsWritten", // nor does it replace a file while it is open
	}},
	{"internal/config", ".", []string{
		"TestUpdateKeepsALink", // the same
	}},
	{"internal/callback", ".", []string{
		"TestWaitingBrowserIsNotShownOut", // hung once in Wine, on a machine with a load of 20; not understood
	}},
	{"internal/store", ".", nil},
	{"internal/session", ".", []string{
		"TestMany.*", "TestFailureOfAnotherAttempt", "TestChangedWhileWaitingIsFresh", "TestSleepWhileWaiting",
		"TestKilled.*", "TestLoginWins.*", "TestLogoutWins.*", "TestWaitersSeeLoginAndLogout", // they wait for minutes where waiters can't be listed
	}},
	{"cmd/authctl", "Test[^S]|TestS[^c]|TestScript/^(login|exec|token|token_renewal|profile_choice|profile_sessions|status|settings)$", []string{
		"TestScriptCurl",             // Wine has none
		"TestScriptIPv6",             // the machine may have none
		"TestLinkedPackages",         // needs Go
		"TestScreenOf",               // a pseudo-terminal of Windows
		"TestChooseWay/.*terminal.*", // the same
	}},
}

// The tests of the packages, built for Windows, pass there.
func TestSuites(t *testing.T) {
	u := newUser(t, "")
	binaries := t.TempDir()
	overlay := u.deletes(binaries)
	for _, s := range suites {
		t.Run(filepath.Base(s.dir), func(t *testing.T) {
			dir := filepath.Join("../../..", filepath.FromSlash(s.dir))
			// Not called authctl.exe, which testscript's binary would take for its program.
			binary := filepath.Join(binaries, strings.ReplaceAll(s.dir, "/", "-")+"-tests.exe")
			build := exec.Command("go", "test", "-c", "-vet=off", "-overlay", overlay, "-ldflags=-checklinkname=0 -s -w", "-o", binary, ".")
			build.Dir = dir
			build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("go test -c: %v\n%s", err, out)
			}
			args := []string{"-c", `umask 077; exec "$0" "$@"`, u.sys.wine, binary, "-test.run=" + s.run, "-test.timeout=3m"}
			if len(s.skip) > 0 {
				args = append(args, "-test.skip=^("+strings.Join(s.skip, "|")+")$")
			}
			cmd := u.sys.unix("sh", args...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// deletes is an overlay (go help build) that gives each suite a file in which os.RemoveAll
// is told to delete as it did before Windows 10: Wine 8 knows no other way, and says so in
// a way that os doesn't expect.
func (u *user) deletes(dir string) string {
	u.t.Helper()
	replace := map[string]string{}
	for _, s := range suites {
		name := filepath.Base(s.dir)
		if strings.HasPrefix(s.dir, "cmd/") {
			name = "main"
		}
		file := filepath.Join(dir, name+".go")
		text := fmt.Sprintf("package %s\n\nimport _ \"unsafe\"\n\n//go:linkname deletesAsBefore internal/syscall/windows.TestDeleteatFallback\nvar deletesAsBefore bool\n\nfunc init() { deletesAsBefore = true }\n", name)
		top, err := filepath.Abs("../../..")
		if err == nil {
			err = os.WriteFile(file, []byte(text), 0o600)
		}
		if err != nil {
			u.t.Fatal(err)
		}
		replace[filepath.Join(top, filepath.FromSlash(s.dir), "deletes_test.go")] = file
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	file := filepath.Join(dir, "overlay.json")
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		u.t.Fatal(err)
	}
	return file
}
