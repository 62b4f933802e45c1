package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Profile is the settings of one profile. An empty value is one that is not set;
// only for Scopes an empty list differs from nil: it asks for no scope at all.
type Profile struct {
	Name string

	Issuer                 string
	AuthorizationURL       string
	TokenURL               string
	JWKSURL                string
	UserinfoURL            string
	RevocationURL          string
	DeviceAuthorizationURL string
	ClientID               string
	Scopes                 []string
	Offline                *bool
	RedirectURI            string
	TLSCert                string
	TLSKey                 string
	Audience               string
	Resources              []string
	Params                 map[string]string
	CAFile                 string
	Store                  string
	StoreKeyFile           string
}

// Settings is a part of a profile by TOML key. A value is a string, a bool, a
// []string or a map[string]string; nil or an empty value unsets.
type Settings map[string]any

// Key is a setting's name in the file and the kind of its value.
type Key struct {
	Name string
	Kind Kind
}

// Kind is what a setting's value is made of.
type Kind int

const (
	String Kind = iota
	Path        // a string; in the file it may be relative to the file's directory
	Bool
	List // of strings
	Map  // of strings to strings
)

func (k Kind) String() string {
	return [...]string{"a string", "a string", "true or false", "a list of strings", "a table of strings"}[k]
}

// Keys returns every setting there is, in the order in which they are written.
func Keys() []Key {
	var keys []Key
	for _, s := range new(Profile).table() {
		keys = append(keys, s.Key)
	}
	return keys
}

// setting ties a key to its place in one profile.
type setting struct {
	Key
	at any // *string, **bool, *[]string or *map[string]string
}

// table is the one list of what a profile holds.
func (p *Profile) table() []setting {
	return []setting{
		{Key{"issuer", String}, &p.Issuer},
		{Key{"authorization_url", String}, &p.AuthorizationURL},
		{Key{"token_url", String}, &p.TokenURL},
		{Key{"jwks_url", String}, &p.JWKSURL},
		{Key{"userinfo_url", String}, &p.UserinfoURL},
		{Key{"revocation_url", String}, &p.RevocationURL},
		{Key{"device_authorization_url", String}, &p.DeviceAuthorizationURL},
		{Key{"client_id", String}, &p.ClientID},
		{Key{"scopes", List}, &p.Scopes},
		{Key{"offline", Bool}, &p.Offline},
		{Key{"redirect_uri", String}, &p.RedirectURI},
		{Key{"tls_cert", Path}, &p.TLSCert},
		{Key{"tls_key", Path}, &p.TLSKey},
		{Key{"audience", String}, &p.Audience},
		{Key{"resources", List}, &p.Resources},
		{Key{"params", Map}, &p.Params},
		{Key{"ca_file", Path}, &p.CAFile},
		{Key{"store", String}, &p.Store},
		{Key{"store_key_file", Path}, &p.StoreKeyFile},
	}
}

// setting finds a key's place, or one without a place.
func (p *Profile) setting(key string) setting {
	for _, s := range p.table() {
		if s.Name == key {
			return s
		}
	}
	return setting{}
}

// value returns what is set, or nil.
func (s setting) value() any {
	switch at := s.at.(type) {
	case *string:
		if *at != "" {
			return *at
		}
	case **bool:
		if *at != nil {
			return **at
		}
	case *[]string:
		if *at != nil {
			return slices.Clone(*at)
		}
	case *map[string]string:
		if *at != nil {
			return maps.Clone(*at)
		}
	}
	return nil
}

// assign puts v there, nil unsets; false: v is of another kind.
func (s setting) assign(v any) bool {
	if v == nil {
		s.clear()
		return true
	}
	switch at := s.at.(type) {
	case *string:
		return put(at, v)
	case **bool:
		b, ok := v.(bool)
		if ok {
			*at = &b
		}
		return ok
	case *[]string:
		ok := put(at, v)
		*at = slices.Clone(*at)
		return ok
	case *map[string]string:
		ok := put(at, v)
		*at = maps.Clone(*at)
		return ok
	}
	return false
}

func (s setting) clear() {
	switch at := s.at.(type) {
	case *string:
		*at = ""
	case **bool:
		*at = nil
	case *[]string:
		*at = nil
	case *map[string]string:
		*at = nil
	}
}

func put[T any](at *T, v any) bool {
	t, ok := v.(T)
	if ok {
		*at = t
	}
	return ok
}

// clone copies what is behind pointers too.
func (p Profile) clone() Profile {
	q := Profile{Name: p.Name}
	to := q.table()
	for i, s := range p.table() {
		to[i].assign(s.value())
	}
	return q
}

// Settings returns what is set.
func (p Profile) Settings() Settings {
	set := Settings{}
	for _, s := range p.table() {
		if v := s.value(); v != nil {
			set[s.Name] = v
		}
	}
	return set
}

// With returns a copy with s laid over it: a list or a map replaces the one that
// was there. Errors: *InvalidError for a key or a kind of value that doesn't exist.
func (p Profile) With(s Settings) (Profile, error) {
	q := p.clone()
	for _, key := range slices.Sorted(maps.Keys(s)) {
		at, v := q.setting(key), s[key]
		switch {
		case at.at == nil:
			return Profile{}, q.invalid(key, "", "there is no such setting")
		case !textual(v):
			return Profile{}, q.invalid(key, "", "it is not UTF-8 text")
		case isEmpty(v):
			at.clear()
		case !at.assign(v):
			return Profile{}, q.invalid(key, "", "it must be "+at.Kind.String())
		}
	}
	return q, nil
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []string:
		return len(v) == 0
	case map[string]string:
		return len(v) == 0
	}
	return false
}

// textual reports whether TOML, which is UTF-8, can hold v.
func textual(v any) bool { return utf8.ValidString(fmt.Sprint(v)) }

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
