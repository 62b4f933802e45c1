// Package callgrind counts the instructions of a program in user space, by valgrind's
// callgrind. Other than the time that it takes, they hardly depend on what else the
// machine does. It is for tests and the benchmark.
package callgrind

import (
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
)

// Program is what has to be on PATH, and Package what brings it on Debian.
const (
	Program = "valgrind"
	Package = "valgrind"
)

// runs of a program are counted. What they differ by comes from the order in which Go's
// threads meet and from its hashes' random seeds: some 5 %, always upwards.
const runs = 7

// Count is of several runs: the fewest and the most.
type Count struct{ Least, Most int64 }

func (c Count) String() string {
	return fmt.Sprintf("%.2f M (to %.2f)", float64(c.Least)/1e6, float64(c.Most)/1e6)
}

// Instructions runs a program, given first, several times in the environment env.
func Instructions(env []string, args ...string) (Count, error) {
	var counts []int64
	for range runs {
		n, err := once(env, args)
		if err != nil {
			return Count{}, err
		}
		counts = append(counts, n)
	}
	return Count{slices.Min(counts), slices.Max(counts)}, nil
}

var collected = regexp.MustCompile(`(?m)^==\d+== Collected : (\d+)$`)

// once has Go keep to one thread of its own and send itself no signals: idle threads spin,
// and callgrind ends with an assertion when a signal interrupts a signal handler.
func once(env, args []string) (int64, error) {
	args = append([]string{"--tool=callgrind", "--callgrind-out-file=/dev/null"}, args...)
	cmd := exec.Command(Program, args...)
	cmd.Env = append(slices.Clip(env), "GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1")
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("%s under valgrind: %w\n%s", args[2], err, said.Bytes())
	}
	found := collected.FindSubmatch(said.Bytes())
	if found == nil {
		return 0, fmt.Errorf("%s under valgrind: it counted nothing\n%s", args[2], said.Bytes())
	}
	return strconv.ParseInt(string(found[1]), 10, 64)
}
