package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// quartiles are the median of a sample, and what its middle half lies between.
type quartiles struct{ low, middle, high float64 }

func (q quartiles) String() string {
	return fmt.Sprintf("%.2f (%.2f–%.2f)", q.middle, q.low, q.high)
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

// printTable prints a table of Markdown that can be read as it is.
func printTable(head []string, rows [][]string) {
	rule, widths := make([]string, len(head)), make([]int, len(head))
	for i := range head {
		for _, row := range append([][]string{head}, rows...) {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
		rule[i] = strings.Repeat("-", max(3, widths[i]))
	}
	for _, row := range append([][]string{head, rule}, rows...) {
		for i, cell := range row {
			fmt.Printf("| %s%s ", cell, strings.Repeat(" ", max(3, widths[i])-utf8.RuneCountInString(cell)))
		}
		fmt.Println("|")
	}
	fmt.Println()
}
