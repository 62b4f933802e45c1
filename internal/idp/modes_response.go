package idp

import (
	"net/url"
	"strings"
)

// responseModes are wrong authorization responses, RFC 6749 §4.1.2, RFC 9207 and RFC
// 9700 §4.
var responseModes = map[string]mode{
	"wrong-state":     {response: func(_ *exchange, q url.Values) { q.Set("state", "x"+q.Get("state")) }},
	"short-state":     {response: func(_ *exchange, q url.Values) { q.Set("state", q.Get("state")[1:]) }},
	"empty-state":     {response: put("state", "")},
	"no-state":        {response: put("state")},
	"two-states":      {response: twice("state")},
	"no-state-denied": {decide: "access_denied", response: put("state")},
	"in-fragment":     {fragment: true},
	"form-sent-on":    {again: true}, // RFC 9700 §4.12: with 307 the password goes along

	"no-iss":          {response: put("iss")},
	"no-iss-denied":   {decide: "access_denied", response: put("iss")},
	"empty-iss":       {response: put("iss", "")},
	"two-iss":         {response: twice("iss")},
	"iss-param-slash": {response: add("iss", "/")},
	"iss-param-case":  {response: func(x *exchange, q url.Values) { q.Set("iss", strings.ToUpper(x.issuer)) }},
	"wrong-iss-param": {response: put("iss", "https://issuer.invalid")},
	"mix-up-denied":   {decide: "access_denied", response: put("iss", "https://issuer.invalid")},

	"no-code":            {response: put("code")},
	"empty-code":         {response: put("code", "")},
	"two-codes":          {response: twice("code")},
	"other-code":         {response: put("code", "of-somebody-else")},
	"code-and-error":     {response: put("error", "access_denied")},
	"deny":               {decide: "access_denied", poll: "access_denied"},
	"bare-error":         {decide: "server_error", response: put("error_description")},
	"unknown-error":      {decide: "computer_says_no"},
	"two-errors":         {decide: "access_denied", response: twice("error")},
	"two-descriptions":   {decide: "access_denied", response: twice("error_description")},
	"unknown-parameters": {response: put("session_state", "a", "b")},
	// tokens in the front channel: a client of the code flow takes none from there
	"front-channel": {response: func(x *exchange, q url.Values) {
		q.Set("access_token", "front-channel")
		q.Set("id_token", unsigned(x, []byte(`{}`)))
	}},
}

// put replaces a parameter by values; by none: it is left out.
func put(name string, values ...string) func(*exchange, url.Values) {
	return func(_ *exchange, q url.Values) {
		delete(q, name)
		if len(values) > 0 {
			q[name] = values
		}
	}
}

func twice(name string) func(*exchange, url.Values) {
	return func(_ *exchange, q url.Values) { q.Add(name, q.Get(name)) }
}

func add(name, more string) func(*exchange, url.Values) {
	return func(_ *exchange, q url.Values) { q.Set(name, q.Get(name)+more) }
}
