package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// warmUp runs of each pair don't count.
const warmUp = 5

// duel is a pair of commands.
type duel struct {
	name, rivalName string
	own, rival      command
}

type command struct {
	args []string // the program first
	env  []string
}

// result is of all pairs of a duel.
type result struct {
	own, rival float64 // medians, milliseconds
	ratio      quartiles
}

// run runs the pairs, one command after the other, and the other one first every
// second time.
func (d duel) run(pairs int, interrupted <-chan os.Signal) (result, error) {
	var own, rival, ratio []float64
	for i := range warmUp + pairs {
		a, b, err := d.pair(i%2 == 1)
		if err != nil {
			return result{}, err
		}
		select {
		case <-interrupted:
			return result{}, errInterrupted
		default:
		}
		if i >= warmUp {
			own, rival, ratio = append(own, a), append(rival, b), append(ratio, a/b)
		}
	}
	return result{median(own), median(rival), quartilesOf(ratio)}, nil
}

func (d duel) pair(swapped bool) (own, rival float64, err error) {
	if swapped {
		if rival, err = d.rival.time(); err == nil {
			own, err = d.own.time()
		}
		return own, rival, err
	}
	if own, err = d.own.time(); err == nil {
		rival, err = d.rival.time()
	}
	return own, rival, err
}

// time returns the milliseconds from the command's start to its end.
func (c command) time() (float64, error) {
	began := time.Now()
	_, err := c.run()
	return float64(time.Since(began)) / float64(time.Millisecond), err
}

func (c command) run() (stdout string, err error) {
	var out, said strings.Builder
	cmd := exec.Command(c.args[0], c.args[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = c.env, &out, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %v\n%s", strings.Join(c.args[:2], " "), err, said.String())
	}
	return out.String(), nil
}

// quartiles are the median of a sample, and what its middle half lies between.
type quartiles struct{ low, middle, high float64 }

func (q quartiles) String() string {
	return fmt.Sprintf("%.2f (%.2f to %.2f)", q.middle, q.low, q.high)
}

func quartilesOf(sample []float64) quartiles {
	return quartiles{quantile(sample, 0.25), quantile(sample, 0.5), quantile(sample, 0.75)}
}

func median(sample []float64) float64 { return quantile(sample, 0.5) }

// quantile interpolates between the two values around the place.
func quantile(sample []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(sample))
	place := q * float64(len(sorted)-1)
	below := int(place)
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (place-float64(below))*(sorted[above]-sorted[below])
}
