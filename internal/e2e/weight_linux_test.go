package e2e

import (
	"go/version"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/need"
)

// What authctl may weigh, on a 64-bit PC. Measured: 9.0 MiB (8.97) and 6.9 MiB; a Go program that
// does nothing has 1.6 MiB resident, and nearly all of the rest is the program itself, a part
// of which each package that is linked reads in when it starts.
const (
	mostSize     = 9 << 20 // bytes
	mostResident = 7 << 20
)

// withGo is what may be had of memory or disk with the Go that built this: from 1.27 on
// encoding/json has a second version of itself, and crypto/x509 brings ML-DSA.
func withGo(most, more127 int64) int64 {
	if version.Compare(runtime.Version(), "go1.27") >= 0 {
		return most + more127
	}
	return most
}

func TestSize(t *testing.T) {
	t.Parallel()
	info, err := os.Stat(authctl)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.2f MiB", float64(info.Size())/(1<<20))
	if most := withGo(mostSize, 1<<19); info.Size() > most {
		t.Errorf("authctl has %d bytes, want %d at most", info.Size(), most)
	}
}

func TestResidentMemory(t *testing.T) {
	need.Program(t, "time")
	for _, store := range []string{"keychain", "file"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			u.signIn(idp.Options{}, u.storeFlags(store)...)
			least := u.resident("token")
			for range 4 {
				least = min(least, u.resident("token"))
			}
			t.Logf("%.2f MiB", float64(least)/(1<<20))
			if most := withGo(mostResident, 1<<18); least > most {
				t.Errorf("got %d bytes resident, want %d at most", least, most)
			}
		})
	}
}

// resident is the most that a command had in memory, in bytes. This process can't tell: what
// it has itself, its children have until they are authctl.
func (u *user) resident(args ...string) int64 {
	u.t.Helper()
	said := &strings.Builder{}
	cmd := u.program("time", append([]string{"--format=%M", authctl}, args...)...)
	cmd.Stderr = said
	err := cmd.Run()
	kilobytes, notNumber := strconv.ParseInt(strings.TrimSpace(said.String()), 10, 64)
	if err != nil || notNumber != nil {
		u.t.Fatalf("authctl %s: %v\n%s", strings.Join(args, " "), err, said)
	}
	return kilobytes << 10
}

// What starts before main costs every `authctl token`. Nothing of ours does, and of what we
// import only this may take longer than a tenth of a millisecond.
var slowStarts = map[string]string{
	"github.com/BurntSushi/toml/internal": "the local time zone's offset, for dates without one: it reads /etc/localtime",
	"internal/godebug":                    "it parses GODEBUG, which is set here and is not as a rule",
	"runtime":                             "nothing runs without it",
}

func TestNothingSlowStarts(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.signIn(idp.Options{})
	cost := u.initCosts("token")
	for range 9 { // the least is what it costs: all above is the machine's
		for name, ms := range u.initCosts("token") {
			cost[name] = min(cost[name], ms)
		}
	}
	if len(cost) < 20 {
		t.Fatalf("got %d packages: this looks at the wrong thing", len(cost))
	}
	for name, ms := range cost {
		if _, allowed := slowStarts[name]; ms > 0.1 && !allowed {
			t.Errorf("%s takes %.3f ms to start", name, ms)
		}
		if name == "main" || strings.Contains(name, "authctl/authctl") {
			t.Errorf("%s is ours, and has something to do before main", name)
		}
	}
}

// initCosts runs a command and returns what each package takes to start, in milliseconds.
func (u *user) initCosts(args ...string) map[string]float64 {
	u.t.Helper()
	cmd := u.command(args...)
	cmd.Env = append(cmd.Env, "GODEBUG=inittrace=1")
	trace := &strings.Builder{}
	cmd.Stderr = trace
	if err := cmd.Run(); err != nil {
		u.t.Fatalf("authctl %s: %v\n%s", strings.Join(args, " "), err, trace)
	}
	cost := map[string]float64{}
	for _, line := range regexp.MustCompile(`(?m)^init (\S+) @.*? ms, (\S+) ms clock`).FindAllStringSubmatch(trace.String(), -1) {
		ms, err := strconv.ParseFloat(line[2], 64)
		if err != nil {
			u.t.Fatal(err)
		}
		cost[line[1]] = ms
	}
	return cost
}
