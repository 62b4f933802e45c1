package config

import (
	"strconv"
	"strings"
)

// Parse turns what a flag or an environment variable said into a setting's value:
// lists are split at spaces, an entry of a map is KEY=VALUE, of several strings
// the last counts. Paths stay as they are: whoever knows the working directory
// makes them absolute. Errors: *InvalidError.
func Parse(key string, values []string) (any, error) {
	last := ""
	if len(values) > 0 {
		last = values[len(values)-1]
	}
	switch s := new(Profile).setting(key); {
	case s.at == nil:
		return nil, &InvalidError{Key: key, Why: "there is no such setting"}
	case s.Kind == List:
		return strings.Fields(strings.Join(values, " ")), nil
	case s.Kind == Map:
		return parseMap(key, values)
	case s.Kind == Bool && last != "":
		b, err := strconv.ParseBool(last)
		if err != nil {
			return nil, &InvalidError{Key: key, Value: last, Why: "it must be true or false"}
		}
		return b, nil
	case s.Kind == Bool:
		return nil, nil
	}
	return last, nil
}

func parseMap(key string, values []string) (any, error) {
	m := map[string]string{}
	for _, v := range values {
		k, val, ok := strings.Cut(v, "=")
		if v == "" {
			continue
		}
		if !ok || k == "" {
			return nil, &InvalidError{Key: key, Value: k, Why: "it must be KEY=VALUE"}
		}
		m[k] = val
	}
	return m, nil
}
