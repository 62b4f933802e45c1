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
	late := make(chan struct{})
	defer time.AfterFunc(patience, func() { close(late) }).Stop()
	found := s.search(pattern, late)
	if found == nil {
		t.Fatalf("never written: %q; there is:\n%s", pattern, s)
	}
	return found
}

// search is the same, and nil if it is not there when the end is.
func (s *transcript) search(pattern string, end <-chan struct{}) []string {
	wanted := regexp.MustCompile(pattern)
	for ended := false; ; {
		s.mu.Lock()
		found, grew := wanted.FindStringSubmatch(string(s.text)), s.grew
		s.mu.Unlock()
		if found != nil || ended {
			return found
		}
		select {
		case <-grew:
		case <-end:
			ended = true // what was written last is looked at once more
		}
	}
}
