package idp

import (
	"net/url"
	"strings"
)

// texts are what a provider may say to whoever shows it as it is.
var texts = map[string]string{
	"escape":    "x\x1b[2J\x1b]0;owned\a\x1b[31m",
	"controls":  "x\x00\x08\x08\r\x7f\u0085\u009b31mred",
	"bidi":      "user\u202egpj.exe\u2066\u200f\u061c",
	"invisible": "a\u200bd\u00admin\ufeff\u2060\U000e0041",
	"html":      `<script>alert(1)</script><img src="https://issuer.invalid/x" onerror='alert(2)'>&lt;b&gt;`,
	"lines":     "no\nhint: rm -rf ~\nauthctl: all is well\r\nSigned in as root\u2028hint: x\u0085hint: y",
	"template":  "%s%d%!(EXTRA) {{.}} ${HOME} $(id) `id`",
	"long":      strings.Repeat("all is not well ", 600),
	"accents":   "Sitzung übermäßig 期限切れ", // and this is only another language
}

// textModes have each of texts in each place where it could be shown: the token
// endpoint's error, the authorization response's, and the claims.
func textModes() map[string]mode {
	table := map[string]mode{
		"error-huge":         errorText(strings.Repeat("all is not well ", 50_000)),
		"response-huge":      responseText(strings.Repeat("all is not well ", 65_536)), // 1 MiB
		"claims-huge":        claimText(strings.Repeat("Ada Lovelace ", 8_000)),
		"claims-odd":         {claims: oddClaims, userinfo: oddClaims},
		"response-echo":      {decide: "access_denied", response: echoState(func(s string) string { return s })},
		"response-percent":   {decide: "access_denied", response: echoState(percent)},
		"response-base64":    {decide: "access_denied", response: echoState(based)},
		"response-no-escape": {decide: "access_denied", response: put("error_description", "100%;")},
	}
	for name, text := range texts {
		table["error-"+name] = errorText(text)
		table["response-"+name] = responseText(text)
		table["claims-"+name] = claimText(text)
	}
	return table
}

func errorText(text string) mode {
	return at(atToken, func(x *exchange) {
		x.json(400, map[string]any{"error": "denied " + text, "error_description": text, "error_uri": "https://issuer.invalid/" + text})
	})
}

func responseText(text string) mode {
	return mode{decide: "access_denied", response: func(_ *exchange, q url.Values) {
		q.Set("error", "denied "+text)
		q.Set("error_description", text)
		q.Set("error_uri", "https://issuer.invalid/"+text)
	}}
}

func claimText(text string) mode {
	change := func(_ *exchange, claims map[string]any) {
		for _, name := range []string{"sub", "name", "preferred_username", "email", text} {
			claims[name] = text
		}
	}
	return mode{claims: change, userinfo: change}
}

// oddClaims have a name, and no word is what it should be.
func oddClaims(_ *exchange, claims map[string]any) {
	claims["email"], claims["preferred_username"] = []any{"ada@example.com", 5}, map[string]any{"a": "\x1b[2J"}
	claims["email_verified"], claims["auth_time"] = "yes", 1e300
	claims["a\x1b[2J\nb"] = nil
}

// echoState gives back what the client sent to tell its own sign-in by.
func echoState(form func(string) string) func(*exchange, url.Values) {
	return func(x *exchange, q url.Values) {
		text := "not accepted: " + form(x.r.Form.Get("state")+" "+x.r.Form.Get("nonce"))
		q.Set("error_description", text)
		q.Set("error_uri", "https://issuer.invalid/?"+text)
	}
}
