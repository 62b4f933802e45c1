package e2e

import (
	"regexp"
	"sync"
	"testing"
	"time"
)

// transcript is what a program has written so far. Whoever waits for something in it
// is woken by the writing.
type transcript struct {
	mu   sync.Mutex
	text []byte
	grew chan struct{} // closed, and replaced, by the next Write
}

func newTranscript() *transcript { return &transcript{grew: make(chan struct{})} }

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = append(s.text, p...)
	close(s.grew)
	s.grew = make(chan struct{})
	return len(p), nil
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.text)
}

// await returns the first match of pattern, and its groups, once it is there.
func (s *transcript) await(t testing.TB, pattern string) []string {
	t.Helper()
	wanted := regexp.MustCompile(pattern)
	late := time.After(patience)
	for {
		s.mu.Lock()
		found, grew := wanted.FindStringSubmatch(string(s.text)), s.grew
		s.mu.Unlock()
		if found != nil {
			return found
		}
		select {
		case <-grew:
		case <-late:
			t.Fatalf("never written: %q; there is:\n%s", pattern, s)
		}
	}
}
