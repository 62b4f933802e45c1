package main

import (
	"fmt"
	"strconv"
	"sync"
	"time"
)

// crowdRounds is one round for so many pairs: a crowd is many runs by itself.
const crowdRounds = 20

// crowd is so many callers at once.
type crowd struct {
	command
	callers int
	took    []float64 // of each caller, milliseconds
	rates   []float64 // answers a second, of each round
}

// crowds prints how one caller's wait and the answers a second grow with the callers.
func (s *stage) crowds(pairs int, interrupted func() error) error {
	var rows [][]string
	for _, store := range []struct {
		name string
		args []string
	}{
		{"keychain", []string{"token"}},
		{"`--store file`", []string{"token", "--profile", "file"}},
	} {
		var all []*crowd
		for _, n := range []int{1, 16, 100, 256} {
			all = append(all, &crowd{command: s.command(append([]string{s.authctl}, store.args...)...), callers: n})
		}
		for range max(1, pairs/crowdRounds) {
			for _, c := range all {
				if err := c.round(); err != nil {
					return err
				}
				if err := interrupted(); err != nil {
					return err
				}
			}
		}
		for _, c := range all {
			rows = append(rows, c.row(all[0]))
		}
		rows[len(rows)-len(all)][0] += ", " + store.name
	}
	printTable([]string{"callers at once", "median, ms", "p99, ms", "answers a second", "beside one"}, rows)
	return nil
}

// round is one crowd, or as many single callers, one after the other, as give a median.
func (c *crowd) round() error {
	began, answers := time.Now(), 0
	for answers < crowdRounds {
		took, err := c.atOnce()
		if err != nil {
			return err
		}
		c.took, answers = append(c.took, took...), answers+c.callers
	}
	c.rates = append(c.rates, float64(answers)/time.Since(began).Seconds())
	return nil
}

// atOnce starts all, one after the other and without a pause. What each of them took counts
// from the first's start.
func (c *crowd) atOnce() (took []float64, err error) {
	took, errs := make([]float64, c.callers), make([]error, c.callers)
	began := time.Now()
	var all sync.WaitGroup
	for i := range c.callers {
		cmd := c.silent()
		if err := cmd.Start(); err != nil {
			errs[i] = c.failed(err)
			break
		}
		all.Go(func() {
			if err := cmd.Wait(); err != nil {
				errs[i] = c.failed(err)
			}
			took[i] = milliseconds(time.Since(began))
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return took, nil
}

// row compares the answers a second with those of one caller alone.
func (c *crowd) row(alone *crowd) []string {
	ratio := "1"
	if c != alone {
		var ratios []float64
		for i, rate := range c.rates {
			ratios = append(ratios, rate/alone.rates[i])
		}
		ratio = quartilesOf(ratios).String()
	}
	return []string{
		strconv.Itoa(c.callers), fmt.Sprintf("%.0f", median(c.took)), fmt.Sprintf("%.0f", quantile(c.took, 0.99)),
		fmt.Sprintf("%.0f", median(c.rates)), ratio,
	}
}
