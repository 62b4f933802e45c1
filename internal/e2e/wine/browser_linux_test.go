package wine

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/idp"
)

// Without --browser and BROWSER the address goes to the program that Windows has for its
// scheme. One that is too long for that is printed, and opened by a program that is named.
func TestSystemBrowser(t *testing.T) {
	u := newUser(t, "")
	_, issuer := provider(t, idp.Options{})
	if out, err := u.sys.unix(u.sys.wine, "reg", "add", `HKLM\Software\Classes\http\shell\open\command`, "/f", "/ve", "/d",
		fmt.Sprintf(`"%s\person.exe" visit "%%1"`, programs)).CombinedOutput(); err != nil {
		t.Fatalf("reg: %v\n%s", err, out)
	}
	u.set("BROWSER=", "SEEN="+u.home+`\seen.txt`)
	u.authctl(0, "login", "--issuer", issuer, "--client-id", "demo")
	u.saw(300)
	long := []string{"login", "--param", "ballast=" + strings.Repeat("x", 3<<10)}
	r := u.authctl(6, append(long, "--timeout", "2s")...)
	if !strings.Contains(r.stderr, "too many for Windows to open") || !strings.Contains(r.stderr, strings.Repeat("x", 3<<10)) {
		t.Errorf("a long address: login says %q", r.stderr)
	}
	u.authctl(0, append(long, "--browser", fmt.Sprintf(`"%s\person.exe" visit`, programs))...)
	u.saw(3 << 10)
	u.authctl(0, "logout")
}

// saw wants that the browser got an address of at least so many characters.
func (u *user) saw(least int) {
	u.t.Helper()
	await(u.t, "the page", func() bool { return u.exists("seen.txt") })
	length := 0
	if _, err := fmt.Sscan(u.read(u.home+`\seen.txt`), &length); err != nil || length < least {
		u.t.Errorf("the browser got %d characters, %v, want %d and more", length, err, least)
	}
	os.Remove(u.file("seen.txt"))
}

func (u *user) exists(name string) bool {
	_, err := os.Stat(u.file(name))
	return err == nil
}

// A batch file would take the & of an address for the end of a command, and run what comes
// after it: the address is printed instead.
func TestBatchFileIsNoBrowser(t *testing.T) {
	u := newUser(t, "")
	_, issuer := provider(t, idp.Options{})
	u.write(u.home+`\open.bat`, "@echo ran > "+u.home+"\\ran.txt\r\n")
	u.set("BROWSER=" + u.home + `\open.bat`)
	r := u.authctl(6, "login", "--issuer", issuer, "--client-id", "demo", "--timeout", "3s")
	if !strings.Contains(r.stderr, "cmd.exe can't take an address") || !strings.Contains(r.stderr, "Open this address yourself") {
		t.Errorf("login says %q", r.stderr)
	}
	if u.exists("ran.txt") {
		t.Error("the batch file has run")
	}
}
