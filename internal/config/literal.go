package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// literal writes a setting's value as TOML.
func literal(v any) string {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v)
	case string:
		return quoted(v)
	case []string:
		all := make([]string, len(v))
		for i, s := range v {
			all[i] = quoted(s)
		}
		return "[" + strings.Join(all, ", ") + "]"
	case map[string]string:
		var all []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			all = append(all, bareOrQuoted(k)+" = "+quoted(v[k]))
		}
		return "{ " + strings.Join(all, ", ") + " }"
	}
	panic(fmt.Sprintf("config: no setting is a %T", v))
}

// quoted writes a basic string, https://toml.io/en/v1.0.0#string.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// bareOrQuoted writes a key.
func bareOrQuoted(key string) string {
	bare := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-'
	}
	if key != "" && !strings.ContainsFunc(key, func(r rune) bool { return !bare(r) }) {
		return key
	}
	return quoted(key)
}
