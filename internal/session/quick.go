package session

import (
	"encoding/json"
	"strings"
	"time"
)

// Of all that a cached token costs encoding/json would take a third. quick reads what
// encode has written, and nothing else: the members in their order, no blank, no escape.
// For any other text, which may be as good, it reports false.
func quick(secret string) (t *Tokens, ok bool) {
	q := quickReader{rest: secret, ok: true}
	t = &Tokens{Version: version}
	q.expect(`{"version":1`)
	t.Binding = q.texts("binding")
	t.Provider = q.raw("provider")
	t.AccessToken = q.text("access_token")
	t.TokenType = q.text("token_type")
	t.Expiry = q.time("expires_at")
	t.RefreshToken = q.text("refresh_token")
	t.Scope = q.text("scope")
	t.IDToken = q.text("id_token")
	t.IDTokenExpiry = q.time("id_token_expires_at")
	t.Claims = q.raw("claims")
	t.SignatureChecked = q.flag("signature_checked")
	t.IDTokenKept = q.flag("id_token_kept")
	t.ObtainedAt = q.time("obtained_at")
	t.RefreshRefused = q.text("refresh_refused")
	q.expect("}\n")
	return t, q.ok && q.rest == ""
}

// quickReader reads a JSON object's members from the front of rest, each without what is
// zero. ok is false once there was something else.
type quickReader struct {
	rest string
	ok   bool
}

func (q *quickReader) expect(text string) { q.ok = q.skip(text) && q.ok }

func (q *quickReader) skip(text string) (there bool) {
	q.rest, there = strings.CutPrefix(q.rest, text)
	return there
}

// member goes to the value of a member, if that comes next.
func (q *quickReader) member(name string) (there bool) {
	rest, comma := strings.CutPrefix(q.rest, `,"`)
	rest, named := strings.CutPrefix(rest, name)
	rest, colon := strings.CutPrefix(rest, `":`)
	if comma && named && colon {
		q.rest = rest
	}
	return comma && named && colon
}

func (q *quickReader) text(name string) string {
	if !q.member(name) {
		return ""
	}
	text := q.string()
	q.ok = q.ok && text != ""
	return text
}

// string reads a string of printable ASCII.
func (q *quickReader) string() string {
	q.expect(`"`)
	text, rest, ended := strings.Cut(q.rest, `"`)
	q.rest = rest
	q.ok = q.ok && ended && isPlain(text)
	return text
}

func isPlain(text string) bool {
	for _, c := range []byte(text) {
		if c < 0x20 || c > 0x7e || c == '\\' {
			return false
		}
	}
	return true
}

func (q *quickReader) flag(name string) bool {
	there := q.member(name)
	if there {
		q.expect("true")
	}
	return there
}

// time reads what storable has made.
func (q *quickReader) time(name string) (at time.Time) {
	if text := q.text(name); text != "" {
		var err error
		at, err = time.Parse(time.RFC3339Nano, text)
		q.ok = q.ok && err == nil && at.Location() == time.UTC && at.Format(time.RFC3339Nano) == text
	}
	return at
}

// texts reads an object of strings.
func (q *quickReader) texts(name string) map[string]string {
	if !q.member(name) {
		return nil
	}
	all := map[string]string{}
	q.expect("{")
	for q.ok && !q.skip("}") {
		if len(all) > 0 {
			q.expect(",")
		}
		key := q.string()
		q.expect(":")
		all[key] = q.string()
	}
	return all
}

// raw reads an object as it stands.
func (q *quickReader) raw(name string) json.RawMessage {
	if !q.member(name) {
		return nil
	}
	end := objectEnd(q.rest)
	value := json.RawMessage(q.rest[:end])
	q.rest = q.rest[end:]
	q.ok = q.ok && strings.HasPrefix(string(value), "{") && json.Valid(value)
	return value
}

// objectEnd is where the object that text begins with ends, if it is one.
func objectEnd(text string) int {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth <= 0 {
				return i + 1
			}
		}
	}
	return len(text)
}
