package oauth

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode"
)

// misread is a member of a JSON object that encoding/json does not read as everybody
// does: to it "Sub" is "sub", and of two it takes the last (RFC 8259 §4, RFC 7519 §4).
// With names only those count, and have to be spelt so; otherwise none may be there
// twice. "" if there is none.
func misread(object []byte, names ...string) string {
	seen := map[string]bool{}
	for _, name := range memberNames(object) {
		known := folded(name)
		if len(names) > 0 && !slices.Contains(names, known) {
			continue
		}
		if seen[known] || len(names) > 0 && name != known {
			return known
		}
		seen[known] = true
	}
	return ""
}

// memberNames are those of a JSON object, in their order; what is none has none.
func memberNames(object []byte) []string {
	d := json.NewDecoder(bytes.NewReader(object))
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return nil
	}
	var names []string
	for d.More() {
		name, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return nil
		}
		names = append(names, name.(string)) // a member's name is nothing else
	}
	return names
}

// folded is name without what encoding/json makes no difference of: case, and letters
// that only Unicode takes for the same, like the Kelvin sign and k.
func folded(name string) string { return strings.ToLower(strings.Map(smallest, name)) }

func smallest(r rune) rune {
	for {
		next := unicode.SimpleFold(r)
		if next <= r {
			return next
		}
		r = next
	}
}
