package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// finding is one line of the report. Fix is what to do, a command line where there is
// one; empty when all is well.
type finding struct {
	Name   string `json:"name"`
	Result string `json:"result"`
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"`
}

// The results. A skip is a check that another one's failure left nothing to look at.
const (
	resultOK   = "ok"
	resultWarn = "warn"
	resultFail = "fail"
	resultSkip = "skip"
)

func resultColour(result string) string {
	switch result {
	case resultOK:
		return green
	case resultWarn:
		return yellow
	case resultFail:
		return red
	}
	return ""
}

// checklist prints the findings, to be read and to be pasted into a ticket.
type checklist struct {
	cmd    *cobra.Command
	asJSON bool
	live   bool // a person sees it grow; a program gets all at once, as in columns
	homes  []string
	text   bytes.Buffer // not yet printed
	all    []finding
}

func newChecklist(cmd *cobra.Command, asJSON bool) *checklist {
	return &checklist{cmd: cmd, asJSON: asJSON, live: isTerminal(cmd.OutOrStdout()), homes: homes()}
}

// homes are the names of the home directory: as it is called, and where links lead.
func homes() []string {
	home, err := os.UserHomeDir()
	if home = filepath.Clean(home); err != nil || filepath.Dir(home) == home || home == "." {
		return nil
	}
	if real, err := filepath.EvalSymlinks(home); err == nil && real != home {
		return []string{home, real}
	}
	return []string{home}
}

func (r *checklist) add(f finding) error {
	f.Detail, f.Fix = r.fit(f.Detail), r.fit(f.Fix)
	r.all = append(r.all, f)
	if r.asJSON {
		return nil
	}
	mark := colour(r.cmd.OutOrStdout(), resultColour(f.Result), fmt.Sprintf("%-4s", f.Result))
	const margin = 4 + 2 + 11 + 2
	fmt.Fprintf(&r.text, "%s  %-11s  %s\n", mark, f.Name, wrap(f.Detail, margin, width(r.cmd.OutOrStdout())))
	if f.Fix != "" {
		fmt.Fprintf(&r.text, "      fix: %s\n", f.Fix) // not wrapped: it may be copied
	}
	if !r.live {
		return nil
	}
	return r.print()
}

func (r *checklist) print() error {
	_, err := r.text.WriteTo(r.cmd.OutOrStdout())
	return err
}

// fit makes a text one that can be shown: on one line, the home directory and with it the
// user's name shortened to ~.
func (r *checklist) fit(s string) string {
	for _, home := range r.homes {
		s = tilde(s, home)
	}
	return clean(s)
}

// tilde replaces home where a path is it or goes on below it. A shell knows ~ only outside
// of quotes.
func tilde(s, home string) string {
	const name = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	before, rest, found := strings.Cut(s, home)
	if !found {
		return s
	}
	short := "~"
	switch {
	case strings.TrimRight(before, name) != before, strings.TrimLeft(rest, name) != rest:
		short = home // a part of another path
	case strings.HasSuffix(before, "'") && strings.HasPrefix(rest, "/"):
		before, short, rest = strings.TrimSuffix(before, "'"), "~/'", rest[1:]
	}
	return before + short + tilde(rest, home)
}

// end prints what is left and says the worst.
func (r *checklist) end() error {
	if r.asJSON {
		if err := printJSON(r.cmd.OutOrStdout(), r.all); err != nil {
			return err
		}
		return r.verdict()
	}
	fmt.Fprintf(&r.text, "\n%s\nNo token, secret, account or home directory is in this report.\n", r.count())
	if err := r.print(); err != nil {
		return err
	}
	return r.verdict()
}

func (r *checklist) count() string {
	n := map[string]int{}
	for _, f := range r.all {
		n[f.Result]++
	}
	return fmt.Sprintf("%d checks: %d failed, %d warned, %d skipped.", len(r.all), n[resultFail], n[resultWarn], n[resultSkip])
}

// verdict is the exit code: the report has said all.
func (r *checklist) verdict() error {
	for _, f := range r.all {
		if f.Result == resultFail {
			return &exitError{exitFailed}
		}
	}
	return nil
}
