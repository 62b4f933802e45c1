package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authctl/authctl/internal/callgrind"
	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/keychaintest"
	"github.com/authctl/authctl/internal/need"
)

// kernelCalls are what the kernel is asked for, as strace writes it down.
var kernelCalls = map[string]*regexp.Regexp{
	"programs":                regexp.MustCompile(`^execve(at)?\(`),
	"internet":                regexp.MustCompile(`^socket\(AF_INET|sa_family=AF_INET`),
	"sockets":                 regexp.MustCompile(`^socket\(`),
	"bus connections":         regexp.MustCompile(`^connect\(.*sun_path="[^"]*/run/bus"`),
	"locks":                   regexp.MustCompile(`^flock\(|F_(OFD_)?SETLK`),
	"writes":                  regexp.MustCompile(`^open\w*\(.*O_(WRONLY|RDWR|CREAT)|^(creat|rename|unlink|mkdir|rmdir|link|symlink|f?chmod|f?truncate|fallocate|fsync)\w*\(`),
	"config file reads":       regexp.MustCompile(`^open\w*\(.*/config\.toml"`),
	"sealed files reads":      regexp.MustCompile(`^open\w*\(.*/file/file~default~sealed"`),
	"key file reads":          regexp.MustCompile(`^open\w*\(.*/keys/authctl"`),
	"marks of what is cached": regexp.MustCompile(`^open\w*\(.*/locks/default@\w+\.cached"`),
	"locked key reads":        regexp.MustCompile(`^open\w*\(.*/file/passphrase\.json"`),
	"keyring calls":           regexp.MustCompile(`^(keyctl|add_key|request_key)\(`),
}

// A cached token is one config file, one secret, no lock and no request.
func TestCachedTokenAsksForLittle(t *testing.T) {
	needStrace(t)
	for _, tc := range []struct {
		store string
		want  map[string]int // nothing else, of what kernelCalls lists
	}{
		{"keychain", map[string]int{"programs": 1, "config file reads": 1, "sockets": 1, "bus connections": 1}},
		{"file", map[string]int{"programs": 1, "config file reads": 1, "sealed files reads": 1, "key file reads": 1}},
		{"passphrase", map[string]int{"programs": 1, "config file reads": 1, "sealed files reads": 1, "locked key reads": 1, "keyring calls": 2}},
		{"kernel", map[string]int{"programs": 1, "config file reads": 1, "marks of what is cached": 1, "keyring calls": 2}},
	} {
		t.Run(tc.store, func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			switch tc.store {
			case "passphrase":
				u.choosesPassphrase(demoProvider(t, idp.Options{}))
			case "kernel":
				u.cachesInKernel()
				u.signIn(idp.Options{}, "--kernel-cache")
			default:
				u.signIn(idp.Options{}, u.storeFlags(tc.store)...)
			}
			calls := u.strace("token")
			for name, pattern := range kernelCalls {
				if got := matching(calls, pattern); len(got) != tc.want[name] {
					t.Errorf("%s: got %d, want %d:\n%s", name, len(got), tc.want[name], strings.Join(got, "\n"))
				}
			}
			calls = u.strace("token", "--refresh") // does what the other must not, and is seen to
			for _, name := range []string{"internet", "locks", "writes"} {
				if len(matching(calls, kernelCalls[name])) == 0 {
					t.Errorf("a renewal: got no %s", name)
				}
			}
			if got := matching(calls, kernelCalls["keyring calls"]); tc.want["keyring calls"] == 0 && len(got) > 0 {
				t.Errorf("a renewal: got %q", got)
			}
		})
	}
}

// needStrace: authctl lets nobody look into its memory but root, strace neither.
func needStrace(t testing.TB) {
	t.Helper()
	need.Program(t, "strace")
	if os.Getuid() != 0 {
		need.Missing(t, "root, to look into authctl's memory")
	}
}

// strace runs authctl and returns its system calls on files, descriptors, sockets and keys.
func (u *user) strace(args ...string) (calls []string) {
	u.t.Helper()
	record := filepath.Join(u.t.TempDir(), "calls")
	cmd := u.program("strace", append([]string{"-f", "-qq", "-o", record, "-e", "trace=%file,%desc,%network,keyctl,add_key,request_key,execve,execveat", authctl}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		u.t.Fatalf("strace authctl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	text, err := os.ReadFile(record)
	if err != nil {
		u.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		_, call, _ := strings.Cut(strings.TrimSpace(line), " ") // after the process ID
		calls = append(calls, strings.TrimSpace(call))
	}
	return calls
}

func matching(calls []string, what *regexp.Regexp) (found []string) {
	for _, call := range calls {
		if what.MatchString(call) {
			found = append(found, call)
		}
	}
	return found
}

// most is how many instructions a cached token may take in user space. Other than a time
// they hardly depend on the machine: a cached token that takes more has become slower.
var most = map[string]int64{"keychain": 1_500_000, "file": 1_350_000, "kernel": 1_200_000}

// It doesn't run beside others, and make test runs it alone (a plain go test ./... may see it
// fail): on a busy machine Go's own threads get to do 90,000 to 200,000 instructions more.
func TestCachedTokenTakesFewInstructions(t *testing.T) {
	need.Program(t, callgrind.Program)
	u := newUser(t)
	p := u.signIn(idp.Options{})
	u.signInAt(p, append(u.storeFlags("file"), "--profile", "file")...)
	u.signInAt(p, "--profile", "kernel", "--kernel-cache")
	t.Cleanup(func() { u.must("logout", "--profile", "kernel") }) // nothing of it stays in the kernel
	for store, profile := range map[string]string{"keychain": "default", "file": "file", "kernel": "kernel"} {
		got, err := callgrind.Instructions(u.env, authctl, "token", "--profile", profile)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %v", store, got)
		if got.Least > most[store] {
			t.Errorf("%s: got %v instructions, want %d at most", store, got, most[store])
		}
	}
}

// The keychain is asked once for the secret, over one connection.
func TestCachedTokenReadsTheKeychainOnce(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.signIn(idp.Options{})
	calls := watch(t, u.bus, func() { u.must("token") })
	t.Logf("calls: %v", calls)
	for member, want := range map[string]int{"Hello": 1, "GetSecret": 1, "GetSecrets": 0, "CreateItem": 0, "SetSecret": 0, "Prompt": 0} {
		if got := calls[member]; got != want {
			t.Errorf("%s: got %d calls, want %d", member, got, want)
		}
	}
}

// watch counts the method calls on a bus, by member, while f runs.
func watch(t testing.TB, bus *keychaintest.Bus, f func()) map[string]int {
	t.Helper()
	monitor, own := bus.Connect(), bus.Connect()
	rules := []string{"type='method_call'"}
	if err := monitor.BusObject().Call("org.freedesktop.DBus.Monitoring.BecomeMonitor", 0, rules, uint32(0)).Err; err != nil {
		t.Fatal(err)
	}
	seen := make(chan *dbus.Message, 10000)
	monitor.Eavesdrop(seen)
	defer monitor.Eavesdrop(nil) // Close would close seen, and godbus may send to it still
	f()
	const last = "GetAdtAuditSessionData" // nobody else calls that
	own.BusObject().Call("org.freedesktop.DBus."+last, 0, ":1.0")
	counts := map[string]int{}
	late := time.After(patience)
	for {
		select {
		case m := <-seen:
			member, _ := m.Headers[dbus.FieldMember].Value().(string)
			if member == last {
				return counts
			}
			if m.Type == dbus.TypeMethodCall {
				counts[member]++
			}
		case <-late:
			t.Fatal("the bus shows nothing")
		}
	}
}
