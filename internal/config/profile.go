package config

import (
	"fmt"
	"maps"
	"slices"
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
	StoreTimeout           string // a duration; see PassphraseTimeout
	KernelCache            *bool
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
			at.assign(nil)
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
