package session

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// version is of the stored form; a reader refuses any later one.
const version = 1

// Tokens is the one secret of a profile, stored as JSON. It prints as a
// placeholder whatever the verb.
type Tokens struct {
	Version int `json:"version"`

	// Binding is the settings that these tokens were obtained with and are good
	// for: issuer, client_id, the endpoints, audience, resources.
	Binding map[string]string `json:"binding,omitempty"`
	// Provider is the metadata pinned at login, opaque here, so that a renewal
	// needs no discovery.
	Provider json.RawMessage `json:"provider,omitempty"`

	AccessToken  string    `json:"access_token"`
	TokenType    string    `json:"token_type,omitempty"`
	Expiry       time.Time `json:"expires_at,omitzero"` // zero: unknown, good until a refresh is asked for
	RefreshToken string    `json:"refresh_token,omitempty"`
	Scope        string    `json:"scope,omitempty"` // as granted, space-separated, RFC 6749 §3.3

	// ID token, its exp, its payload as the provider sent it, and whether its
	// signature was checked. They stay when a renewal brings no new one, the
	// claims for whoami; IDTokenKept says so.
	IDToken          string          `json:"id_token,omitempty"`
	IDTokenExpiry    time.Time       `json:"id_token_expires_at,omitzero"`
	Claims           json.RawMessage `json:"claims,omitempty"`
	SignatureChecked bool            `json:"signature_checked,omitempty"`
	IDTokenKept      bool            `json:"id_token_kept,omitempty"`

	// ObtainedAt is when these tokens were stored, by the clock of this machine.
	ObtainedAt time.Time `json:"obtained_at,omitzero"`
	// RefreshRefused is why the provider no longer accepts RefreshToken. Not empty: it is dead.
	RefreshRefused string `json:"refresh_refused,omitempty"`

	// Earlier is what a login with other settings replaces. It counts until these are
	// saved, and is gone after that.
	Earlier *Tokens `json:"-"`
}

// stored is the stored form. What is earlier is read by itself, since it is rarely there:
// encoding/json takes longest of all over a type that holds itself.
type stored struct {
	fields
	Earlier json.RawMessage `json:"earlier,omitempty"`
}

// fields is Tokens without its methods.
type fields Tokens

// encode returns the stored form: times in UTC, JSON values of the provider's as they came.
func (t *Tokens) encode() ([]byte, error) {
	s := stored{fields: fields(*t)}
	(*Tokens)(&s.fields).bound()
	if t.Earlier != nil {
		earlier, err := t.Earlier.encode()
		if err != nil {
			return nil, err
		}
		s.Earlier = earlier
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // it would rewrite the claims
	if err := e.Encode(s); err != nil {
		return nil, fmt.Errorf("encoding the session: %w", err)
	}
	return b.Bytes(), nil
}

// bound makes every time one that can be stored.
func (t *Tokens) bound() {
	for _, at := range []*time.Time{&t.Expiry, &t.IDTokenExpiry, &t.ObtainedAt} {
		*at = storable(*at)
	}
}

// storable brings an instant into what RFC 3339 can say. A provider that counts
// in thousands of years must not make a renewed token unstorable.
func storable(at time.Time) time.Time {
	switch at = at.UTC(); {
	case at.Year() > 9999:
		return time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	case at.Year() < 0:
		return time.Unix(0, 0).UTC()
	}
	return at
}

// decode reads a stored secret. Its errors hold nothing of it, as encoding/json's would.
func decode(secret []byte) (*Tokens, error) {
	t, err := read(secret) // the version stands first, so that it is known all the same
	switch {
	case t.Version < 1:
		return nil, &FormatError{Why: "it is not authctl's"}
	case t.Version > version:
		return nil, &FormatError{Why: "a newer authctl stored it; update this one or sign in again"}
	case err != nil:
		return nil, &FormatError{Why: "it is damaged"}
	}
	for each := t; each != nil; each = each.Earlier {
		if each.AccessToken == "" {
			return nil, &FormatError{Why: "it is damaged"}
		}
		each.bound()
	}
	return t, nil
}

// read is what of a stored secret can be understood, with an error if that isn't all.
func read(secret []byte) (*Tokens, error) {
	if t, ok := quick(string(secret)); ok {
		return t, nil
	}
	return readAny(secret)
}

// readAny is read of any JSON.
func readAny(secret []byte) (*Tokens, error) {
	var s stored
	err := json.Unmarshal(secret, &s)
	t := (*Tokens)(&s.fields)
	if err == nil && s.Earlier != nil && string(s.Earlier) != "null" {
		t.Earlier, err = read(s.Earlier)
	}
	return t, err
}

// merge lays a renewal's answer over what was stored. What an answer may leave
// out when it has not changed stays: the refresh token (RFC 6749 §6), the scope
// (§5.1), and the ID token with its claims (OpenID Connect Core 12.2).
func merge(old, answer *Tokens) *Tokens {
	t := *answer
	if t.RefreshToken == "" {
		t.RefreshToken = old.RefreshToken
	}
	if t.Scope == "" {
		t.Scope = old.Scope
	}
	if t.Provider == nil {
		t.Provider = old.Provider
	}
	if t.IDToken == "" {
		t.IDToken, t.IDTokenExpiry = old.IDToken, old.IDTokenExpiry
		t.Claims, t.SignatureChecked = old.Claims, old.SignatureChecked
		t.IDTokenKept = true
	}
	return &t
}

// Format keeps the tokens out of whatever a careless %v writes.
func (t Tokens) Format(f fmt.State, _ rune) { fmt.Fprint(f, "[session tokens]") }

// FormatError says that what is stored is no session that this authctl knows.
type FormatError struct {
	Why string // never a part of what is stored
}

func (e *FormatError) Error() string { return "the stored session can't be understood: " + e.Why }
