package session

import (
	"fmt"
	"maps"
	"slices"
)

// BindingError says that the stored tokens were obtained with other settings
// than the configured ones. They are not used then: an edited config must never
// send a refresh token to another host or for another client.
type BindingError struct {
	Key, Stored, Configured string // e.g. issuer; an empty value is an absent one
}

func (e *BindingError) Error() string {
	return fmt.Sprintf("the session was obtained with %s %q, configured is %q", e.Key, e.Stored, e.Configured)
}

// checkBinding returns the first difference in the order of the keys.
func (s *Session) checkBinding(t *Tokens) error {
	all := maps.Clone(s.Binding)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, t.Binding)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if stored, configured := t.Binding[key], s.Binding[key]; stored != configured {
			return &BindingError{Key: key, Stored: stored, Configured: configured}
		}
	}
	return nil
}
