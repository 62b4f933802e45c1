// Command bench times authctl beside other programs that fetch a token or a secret,
// counts their instructions, and shows how authctl's cost grows and what it weighs. The
// runs are paired and interleaved, so that what else the machine does falls on both; what
// counts is the ratio. Everything is private to it: a bus, a gnome-keyring, an oidc-agent,
// providers on loopback, a home.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/authctl/authctl/internal/callgrind"
)

func main() {
	if os.Getenv(browserVar) != "" && len(os.Args) == 2 { // authctl started us
		os.Exit(beBrowser(os.Args[1]))
	}
	authctl := flag.String("authctl", "bin/authctl", "the `program` to time")
	pairs := flag.Int("pairs", 200, "how many `times` to run each pair")
	flag.Parse()
	if err := bench(*authctl, *pairs); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench sets the stage and prints the tables. What it started has ended when it returns.
func bench(authctl string, pairs int) (err error) {
	interrupted := interruptions()
	authctl, err = filepath.Abs(authctl)
	if err != nil {
		return err
	}
	s := newStage()
	defer s.end()
	defer recoverFailure(&err)
	s.prepare(authctl)
	fmt.Printf("%s, %s/%s, %d CPUs, Go %s, a session of %d bytes, %d pairs\n\n", time.Now().Format(time.DateOnly),
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version()[2:], len(s.secret), pairs)
	if err := compare(s.contests(), pairs, interrupted); err != nil {
		return err
	}
	if err := s.growth(pairs, interrupted); err != nil {
		return err
	}
	if err := s.crowds(pairs, interrupted); err != nil {
		return err
	}
	return weigh(authctl)
}

// compare prints the table of all contests.
func compare(contests []contest, pairs int, interrupted func() error) error {
	if err := run(contests, pairs, interrupted); err != nil {
		return err
	}
	if _, err := exec.LookPath(callgrind.Program); err != nil {
		missing(callgrind.Program, callgrind.Package)
	} else if err := count(contests, interrupted); err != nil {
		return err
	}
	var rows [][]string
	for _, c := range contests {
		rows = append(rows, c.rows()...)
	}
	printTable([]string{"command", "ms", "ratio (quartiles)", "instructions"}, rows)
	return nil
}

// missing says what is left out.
func missing(program, debianPackage string) {
	fmt.Printf("%s is not here, and left out: apt-get install %s\n\n", program, debianPackage)
}

// interruptions returns what says, between two runs, whether somebody wants an end.
func interruptions() (interrupted func() error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGPIPE)
	return func() error {
		select {
		case <-signals:
			return errors.New("interrupted")
		default:
			return nil
		}
	}
}
