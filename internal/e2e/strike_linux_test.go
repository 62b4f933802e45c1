package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"time"
)

// errnos are what a call on a file fails with, in turn.
var errnos = []syscall.Errno{syscall.ENOSPC, syscall.EIO, syscall.EROFS, syscall.EACCES}

// run strikes at every point until there are no more.
func (s *callSweep) run(w way) {
	s.t.Helper()
	began, ends := time.Now(), &count{}
	for n := 1; ; n++ {
		end, hit := s.strike(w, n)
		ends.add(end)
		if hit.What == "" {
			if end != "new" || hit.Code != s.code || w == wayKill && ends.ends["old"] == 0 { // the honest twin
				s.t.Errorf("%s, with nothing left to strike: exit %d, the state is %s, after %v", w, hit.Code, end, ends)
			}
			s.t.Logf("%s: %d points, %v, in %v", w, n-1, ends, time.Since(began).Round(time.Millisecond))
			return
		}
	}
}

// strike strikes once, and sees how that ended.
func (s *callSweep) strike(w way, n int) (end string, hit struck) {
	s.t.Helper()
	words := s.words(s.line)
	if words[0] == "login" {
		words = append(words, "--no-browser", "--timeout", "20s") // the tracer is the browser
	}
	cmd, asked := s.u.command(words...), s.requests()
	right := s.mislead()
	hit = s.tracer.run(strike{Args: cmd.Args, Env: cmd.Environ(), Dir: cmd.Dir, Way: w, Point: n, Errno: errnos[n%len(errnos)]})
	right()
	m := s.machine()
	end = s.end(m, s.requests() != asked)
	if why := s.wrong(end, m, hit); why != "" {
		s.t.Errorf("point %d, %s, %s: exit %d, the state is %s: %s\n%s", n, hit.What, w, hit.Code, end, why, hit.Said)
	}
	if killed := w == wayKill && hit.What != ""; killed != (hit.Code < 0) {
		s.t.Errorf("point %d, %s, %s: exit %d", n, hit.What, w, hit.Code)
	}
	if hit.Code >= 0 && len(s.profiles) == 1 { // or there is a line for each
		checkWords(s.t, hit.Code, hit.Said, s.secrets())
	}
	s.rewind()
	return end, hit
}

// end says which state there is: old, new or mixed; between, where a command does one
// thing after the other; spent, where the provider has taken what it takes once, and its
// answer is lost.
func (s *callSweep) end(m machine, sent bool) string {
	s.t.Helper()
	if m.is(s.begun) && !sent {
		return "old"
	}
	v := s.view()
	switch {
	case maps.Equal(v, s.new.view):
		return "new"
	case sent && s.spends && maps.Equal(stored(v), stored(s.old.view)):
		return "spent"
	case maps.Equal(v, s.old.view):
		return "old"
	case slices.ContainsFunc(s.between, func(r reference) bool { return maps.Equal(v, r.view) }):
		return "between"
	}
	return "mixed"
}

// wrong says what is not as it should be, "" if all is.
func (s *callSweep) wrong(end string, m machine, hit struck) string {
	s.t.Helper()
	open := m.open()
	switch {
	case len(open) > 0:
		return fmt.Sprintf("others may look at %q", open)
	case !m.kernelAgrees():
		return "the kernel has another token than the keychain"
	case end == "mixed":
		return s.difference(s.view())
	case hit.Code == 0 && s.code == 0 && end != "new" && hit.Stdout != s.tokens[s.profiles[0]]:
		return "it was not done, and not said"
	}
	kind := end + "\n" + m.shape()
	if s.known[kind] {
		return ""
	}
	s.known[kind] = true
	why := s.ill(end, s.goOn())
	return unless(why == "", why+"; when it was struck there was"+changed(s.begun.listing(), m.listing()))
}

// requests is how often a provider was sent what it takes once.
func (s *callSweep) requests() (n int) {
	for _, p := range s.providers {
		n += renewals(p) + p.Count("revoke")
	}
	return n
}

func (s *callSweep) secrets() (all []string) {
	for _, p := range s.providers {
		all = append(all, p.Secrets()...)
	}
	return all
}

// difference shows how a view is neither the old one nor the new one.
func (s *callSweep) difference(v map[string]string) string {
	all := maps.Clone(v)
	maps.Copy(all, s.old.view)
	maps.Copy(all, s.new.view)
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if old, new := s.old.view[key], s.new.view[key]; v[key] != old || old != new {
			fmt.Fprintf(&b, "\n%s:\n\told: %q\n\tnew: %q\n\tgot: %q", key, old, new, v[key])
		}
	}
	return b.String()
}

// changed names the lines that one text has and the other has not.
func changed(from, to string) string {
	was, is := strings.Split(from, "\n"), strings.Split(to, "\n")
	var b strings.Builder
	for _, line := range was {
		if !slices.Contains(is, line) {
			b.WriteString("\n\tno " + line)
		}
	}
	for _, line := range is {
		if !slices.Contains(was, line) {
			b.WriteString("\n\tnow " + line)
		}
	}
	return b.String()
}
