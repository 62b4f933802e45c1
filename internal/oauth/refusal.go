package oauth

import (
	"encoding/json"
	"net/url"
	"strings"
)

// fields are the members of the answer, nil when it is no object.
func (a *answer) fields() (fields map[string]json.RawMessage) {
	if json.Unmarshal(a.object(), &fields) != nil {
		return nil
	}
	return fields
}

// object is the answer as a JSON object, if it is one. RFC 6749 §5.1 wants JSON, whatever
// media type it is said to be; a few old providers still answer a form, and some of those
// call it plain text.
func (a *answer) object() []byte {
	if a.mediaType != "application/x-www-form-urlencoded" && a.mediaType != "text/plain" || json.Valid(a.body) {
		return a.body
	}
	form, err := url.ParseQuery(string(a.body))
	if err != nil {
		return a.body
	}
	members := map[string]string{}
	for name, values := range form {
		if len(values) > 1 { // which of them counts?
			return a.body
		}
		members[name] = values[0]
	}
	object, _ := json.Marshal(members) // strings always can
	return object
}

// refusal is why the answer is no success, nil when it is one. An OAuth error is
// one under any status, 200 too. Nothing of another body is ever quoted: it may
// hold anything.
func (a *answer) refusal() error {
	refused := a.oauthError()
	switch {
	case refused != nil && (a.isLater() || a.isTemporary() && !refused.isFinal() || refused.Code == "temporarily_unavailable"):
		return a.unreachable(a.statusLine() + ", " + refused.Error())
	case refused != nil:
		return refused
	case a.isTemporary():
		return a.unreachable(a.statusLine())
	case a.status >= 300 && a.status < 400:
		return &CheckError{What: a.op, Why: a.statusLine() + ": a redirect is not followed here"}
	case !a.isSuccess():
		return &CheckError{What: a.op, Why: a.statusLine() + " without an OAuth error"}
	}
	return nil
}

// oauthError reads RFC 6749 §5.2; nil when the answer has no error.
func (a *answer) oauthError() *Error {
	fields := a.fields()
	text := func(name string) string {
		var s string
		json.Unmarshal(fields[name], &s) // what is no string is no text
		return printable(s)
	}
	if text("error") == "" {
		return nil
	}
	return &Error{a.op, text("error"), text("error_description"), text("error_uri"), a.status}
}

// isFinal: asking again won't help, although the status is 5xx. Web
// frameworks put "Internal Server Error" there, which is no code.
func (e *Error) isFinal() bool {
	return e.Code != "server_error" && e.Code != "temporarily_unavailable" && !strings.Contains(e.Code, " ")
}
