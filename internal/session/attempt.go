package session

import (
	"encoding/json"
	"errors"
	"os"
)

// An attempt is how a renewal failed, kept in a file beside the lock for those
// who waited for it. (A success they see in the store.) Its sequence number tells
// them whether it ended while they waited; a clock would not. It holds no secret.
// Losing it costs a request: whoever finds none makes an attempt of their own.
type attempt struct {
	Sequence uint64  `json:"sequence"`
	Outcome  outcome `json:"outcome"`
	Text     string  `json:"text"`             // of the error
	Status   int     `json:"status,omitempty"` // of the provider's answer, if that was to try later
}

type outcome string

const (
	dead        outcome = "dead"
	unreachable outcome = "unreachable"
	failed      outcome = "failed"
	unsaved     outcome = "unsaved"
)

// lastAttempt is the zero attempt when there is none, or none to be understood.
func (s *Session) lastAttempt() attempt {
	var a attempt
	path, err := s.path(".attempt")
	if err != nil {
		return a
	}
	data, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(data, &a) != nil {
		return attempt{}
	}
	return a
}

// record tells the waiting processes of a failure. The caller holds the lock.
// Nothing is synced or renamed: a reader without the lock that meets a half-written
// file has met an attempt that ended just now, and takes its result in its turn. A
// failure to write is let go, for the outcome itself matters more.
func (s *Session) record(o outcome, cause error) {
	path, err := s.path(".attempt")
	if err != nil {
		return
	}
	a := attempt{Sequence: s.lastAttempt().Sequence + 1, Outcome: o, Text: cause.Error()}
	if said := (interface{ Status() int })(nil); errors.As(cause, &said) {
		a.Status = said.Status()
	}
	if data, err := json.Marshal(a); err == nil {
		_ = writeNew(path, data)
	}
}

// writeNew replaces path by a file of our own, not by what a link there points at.
func writeNew(path string, data []byte) error {
	_ = os.Remove(path)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_ = f.Chmod(0o600) // the umask may have left it less
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// forgetAttempt removes the file. At worst a waiter makes an attempt of its own.
func (s *Session) forgetAttempt() {
	if path, err := s.path(".attempt"); err == nil {
		_ = os.Remove(path)
	}
}

// err is what the process that made the attempt got; nil when that can't be understood.
func (a attempt) err() error {
	switch text := (&told{a.Text, a.Status}); a.Outcome {
	case dead:
		return &DeadError{Reason: a.Text}
	case unreachable:
		return &RenewalError{Kind: Unreachable, Err: text}
	case failed:
		return &RenewalError{Kind: Failed, Err: text}
	case unsaved:
		return &SaveError{Err: text}
	}
	return nil
}

// told is another process's error. Status is of the provider's answer; 0: none is known.
type told struct {
	text   string
	status int
}

func (e *told) Error() string { return e.text }
func (e *told) Status() int   { return e.status }
