// Package leaktest knows the secrets of a run and looks for them in what the run left
// behind: as they are, percent-encoded, in hexadecimal digits, in base64 of any
// alignment and alphabet, escaped as JSON, HTML and traces do, broken over lines, and
// in pieces. It is for tests only, and shares no code with what hides the secrets.
package leaktest

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

const (
	// shortest is how many bytes a secret must have to be looked for: a shorter one
	// is in a text by chance.
	shortest = 8
	// window is how many bytes of a secret in a row give it away, wherever they begin
	// twice as many.
	window = 16
	// most is how many windows of one form are looked for, so that a large secret
	// doesn't take long: of one with more than 1,600 bytes the pieces must be larger.
	most = 100
)

// Secrets are those of one run. The zero value is ready to be filled.
type Secrets struct {
	all   []secret
	index map[uint64][]trace // by their first bytes
	first [1 << 16]bool      // by their first two: a quick no
}

type secret struct{ kind, value string }

// trace is a part of a secret in one form.
type trace struct {
	of   int
	form string
	text string
}

// Leak is a secret that was found, without a byte of it.
type Leak struct {
	Kind   string // "access token", "code", …
	Form   string // "as it is", "in base64", …
	Length int    // of the secret, in bytes
}

func (l Leak) String() string { return fmt.Sprintf("%s of %d bytes, %s", l.Kind, l.Length, l.Form) }

// Add makes secrets of a kind known. It panics for one that is too short to be looked
// for: a check that can't find it would prove nothing. Empty ones are none.
func (s *Secrets) Add(kind string, values ...string) {
	for _, value := range values {
		switch {
		case value == "" || s.Has(value):
		case len(value) < shortest:
			panic(fmt.Sprintf("leaktest: the %s has %d bytes, too few to be looked for", kind, len(value)))
		default:
			s.all = append(s.all, secret{kind, value})
			s.learn(len(s.all)-1, value)
		}
	}
}

// Has reports whether exactly this secret is known.
func (s *Secrets) Has(value string) bool {
	return slices.ContainsFunc(s.all, func(known secret) bool { return known.value == value })
}

// Len is how many secrets are known.
func (s *Secrets) Len() int { return len(s.all) }

// Without is s but for the secrets of some kinds, for a place that they belong to.
func (s *Secrets) Without(kinds ...string) *Secrets {
	var rest Secrets
	for _, known := range s.all {
		if !slices.Contains(kinds, known.kind) {
			rest.Add(known.kind, known.value)
		}
	}
	return &rest
}

func (s *Secrets) learn(of int, value string) {
	if s.index == nil {
		s.index = map[uint64][]trace{}
	}
	for _, f := range formsOf(secretPart(value)) {
		for _, part := range windows(f.text, window*f.scale) {
			place := binary.LittleEndian.Uint64([]byte(part))
			s.index[place] = append(s.index[place], trace{of, f.name, part})
			s.first[uint16(place)] = true
		}
	}
}

// secretPart is what of a secret nobody else has: of a signed JWT the signature. Another
// one begins as it does, and what its claims say is no secret.
func secretPart(value string) string {
	parts := strings.Split(value, ".")
	if len(parts) == 3 && strings.HasPrefix(value, "eyJ") && len(parts[2]) >= window {
		return parts[2]
	}
	return value
}

// windows are parts of text such that every piece of twice the size holds one.
func windows(text string, size int) (parts []string) {
	if len(text) < size {
		return []string{text}
	}
	for at := 0; at+size <= len(text); at += max(size, len(text)/most) {
		parts = append(parts, text[at:at+size])
	}
	return append(parts, text[len(text)-size:])
}

// In is what text holds of the secrets, each once a form.
func (s *Secrets) In(text string) (leaks []Leak) {
	for view := range views(text) {
		raw := []byte(view)
		for at := 0; at+shortest <= len(raw); at++ {
			if !s.first[binary.LittleEndian.Uint16(raw[at:])] {
				continue
			}
			for _, part := range s.index[binary.LittleEndian.Uint64(raw[at:])] {
				if l := s.leak(part); strings.HasPrefix(view[at:], part.text) && !slices.Contains(leaks, l) {
					leaks = append(leaks, l)
				}
			}
		}
	}
	return leaks
}

func (s *Secrets) leak(part trace) Leak {
	known := s.all[part.of]
	return Leak{known.kind, part.form, len(known.value)}
}
