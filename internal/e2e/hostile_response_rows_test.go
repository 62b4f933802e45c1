package e2e

// hostileResponses have the right state and are wrong in another way: RFC 6749 §4.1.2,
// RFC 9207 §2.4.
func hostileResponses() []hostile {
	const other = `comes from the issuer "https://issuer.invalid"`
	return []hostile{
		{mode: "no-iss", code: 4, says: "lacks iss, which the provider promises"},
		{mode: "no-iss-denied", code: 4, says: "lacks iss, which the provider promises"},
		{mode: "empty-iss", code: 4, says: `comes from the issuer ""`},
		{mode: "two-iss", code: 4, says: "has iss more than once"},
		{mode: "iss-param-slash", code: 4, says: `comes from the issuer "http://[^"]*/", not`},
		{mode: "iss-param-case", code: 4, says: `comes from the issuer "HTTP:`},
		{mode: "wrong-iss-param", code: 4, says: other},
		{mode: "mix-up-denied", code: 4, says: other},
		{mode: "no-code", code: 4, says: "has no code"},
		{mode: "empty-code", code: 4, says: "has no code"},
		{mode: "two-codes", code: 4, says: "has code more than once"},
		{mode: "other-code", code: 4, says: "^authctl: invalid_grant: the code is not known$"},
		{mode: "code-and-error", code: 4, says: "^authctl: access_denied$"},
		{mode: "deny", code: 4, says: "^authctl: access_denied: the user said no$"},
		{mode: "bare-error", code: 4, says: "^authctl: server_error$"},
		{mode: "unknown-error", code: 4, says: "^authctl: computer_says_no: the user said no$"},
		{mode: "two-errors", code: 4, says: "has error more than once"},
		{mode: "two-descriptions", code: 4, says: "has error_description more than once"},

		{mode: "response-escape", code: 4, says: `denied x\[2J\]0;owned\[31m: x\[2J`},
		{mode: "response-controls", code: 4, says: "denied x.*31mred"},
		{mode: "response-bidi", code: 4, says: "usergpj.exe"},
		{mode: "response-invisible", code: 4, says: "denied admin: admin$"},
		{mode: "response-html", code: 4, says: "<script>alert"},
		{mode: "response-lines", code: 4, says: "denied no hint: rm -rf ~ authctl: all is well Signed in as root hint: x"},
		{mode: "response-template", code: 4, says: `denied %s%d%!\(EXTRA\) {{.}} \${HOME}`},
		{mode: "response-long", code: 4, says: "all is not well.*…$"},
		{mode: "response-accents", code: 4, says: "Sitzung übermäßig 期限切れ"},
		{mode: "response-no-escape", code: 4, says: "^authctl: access_denied: 100%;$"},
		{mode: "response-echo", code: 4, says: `^authctl: access_denied: not accepted: .*\[redacted\]`},
		{mode: "response-percent", code: 4, says: `^authctl: access_denied: \[redacted\]$`},
		{mode: "response-base64", code: 4, says: `^authctl: access_denied: \[redacted\]$`},
	}
}

// oddResponses have more than is asked for.
func oddResponses() []hostile {
	return []hostile{
		{mode: "unknown-parameters"},
		{mode: "front-channel", see: (*stage).isAda},
	}
}

// foreignResponses don't have the right state, or not where it belongs, or too much.
func foreignResponses(responseMode string) []hostile {
	rows := []hostile{
		{mode: "wrong-state"},
		{mode: "short-state"},
		{mode: "empty-state"},
		{mode: "no-state"},
		{mode: "two-states"},
		{mode: "no-state-denied"},
		{mode: "response-huge"},
	}
	if responseMode == "query" {
		rows = append(rows, hostile{mode: "in-fragment"}, hostile{mode: "form-sent-on"})
	}
	return rows
}
