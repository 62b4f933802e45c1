package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/callgrind"
)

// contest is programs that do one thing, and what they are measured by.
type contest struct {
	reference *entrant
	rivals    []*entrant
}

type entrant struct {
	name string // as Markdown
	command
	took         []float64 // milliseconds
	ratios       []float64 // to the reference's run beside it
	instructions callgrind.Count
}

type command struct {
	args []string // the program first
	env  []string
}

// warmUp rounds don't count.
const warmUp = 5

// run runs every rival beside its reference, in rounds through all contests, so that
// what else the machine does falls on all alike.
func run(contests []contest, pairs int, interrupted func() error) error {
	for round := range warmUp + pairs {
		for _, c := range contests {
			for _, rival := range c.rivals {
				if err := c.pair(rival, round); err != nil {
					return err
				}
				if err := interrupted(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// pair runs the two one after the other, the reference first in every second round.
func (c contest) pair(rival *entrant, round int) error {
	first, second := c.reference, rival
	if round%2 == 1 {
		first, second = second, first
	}
	a, err := first.time()
	if err != nil {
		return err
	}
	b, err := second.time()
	if err != nil || round < warmUp {
		return err
	}
	first.took, second.took = append(first.took, a), append(second.took, b)
	if first == rival {
		a, b = b, a
	}
	rival.ratios = append(rival.ratios, b/a)
	return nil
}

// time returns the milliseconds from the command's start to its end.
func (c command) time() (float64, error) {
	cmd := c.silent()
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return 0, c.failed(err)
	}
	return milliseconds(time.Since(began)), nil
}

// silent is the command with nobody who reads what it prints: that would be timed as well.
func (c command) silent() *exec.Cmd {
	cmd := exec.Command(c.args[0], c.args[1:]...)
	cmd.Env, cmd.Stderr = c.env, os.Stderr
	return cmd
}

func (c command) failed(err error) error {
	return fmt.Errorf("%s: %w", strings.Join(c.args[:min(2, len(c.args))], " "), err)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (c command) output() (stdout string, err error) {
	var out, said strings.Builder
	cmd := exec.Command(c.args[0], c.args[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = c.env, &out, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%w\n%s", c.failed(err), said.String())
	}
	return out.String(), nil
}

// count has callgrind count the instructions of every entrant.
func count(contests []contest, interrupted func() error) (err error) {
	for _, c := range contests {
		for _, e := range append([]*entrant{c.reference}, c.rivals...) {
			if e.instructions, err = callgrind.Instructions(e.env, e.args...); err != nil {
				return err
			}
			if err := interrupted(); err != nil {
				return err
			}
		}
	}
	return nil
}

// rows are the contest's part of the table.
func (c contest) rows() (rows [][]string) {
	for _, e := range append([]*entrant{c.reference}, c.rivals...) {
		ratio, counted := "1", ""
		if e != c.reference {
			ratio = quartilesOf(e.ratios).String()
		}
		if e.instructions.Least > 0 {
			counted = e.instructions.String()
		}
		rows = append(rows, []string{e.name, fmt.Sprintf("%.1f", median(e.took)), ratio, counted})
	}
	return rows
}
