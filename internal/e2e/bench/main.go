// Command bench times authctl beside the programs that do the least that could be
// done instead: secret-tool, which reads one secret from the keychain, and curl, which
// posts one form. The runs are paired and interleaved, so that what else the machine
// does falls on both; what counts is the ratio. Everything is private to it: a bus, a
// gnome-keyring, a provider on loopback, a home.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"time"
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

// bench sets the stage, runs all pairs and prints the table. What it started has
// ended when it returns.
func bench(authctl string, pairs int) (err error) {
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	authctl, err = filepath.Abs(authctl)
	if err != nil {
		return err
	}
	s := newStage()
	defer s.end()
	defer recoverFailure(&err)
	duels, size := s.prepare(authctl)
	fmt.Printf("%s, %s/%s, %d CPUs, Go %s, a secret of %d bytes, %d pairs each\n\n", time.Now().Format(time.DateOnly),
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version()[2:], size, pairs)
	fmt.Printf("%-34s %8s   %-22s %8s   %s\n", "command", "ms", "beside", "ms", "ratio (quartiles)")
	for _, d := range duels {
		result, err := d.run(pairs, interrupted)
		if err != nil {
			return err
		}
		fmt.Printf("%-34s %8.1f   %-22s %8.1f   %s\n", d.name, result.own, d.rivalName, result.rival, result.ratio)
	}
	return nil
}

var errInterrupted = errors.New("interrupted")
