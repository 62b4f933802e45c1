package main

import (
	"github.com/authctl/authctl/internal/callback"
	"github.com/authctl/authctl/internal/session"
)

// successPage is what the browser shows once the tokens are saved. replaced is the
// session that was there before, or nil.
func successPage(p *profile, replaced, t *session.Tokens) callback.Page {
	detail := "Provider: " + clean(p.place())
	if change := accountChange(replaced, t); change != "" {
		detail += "\n" + change
	}
	title := "You are signed in"
	if who := clean(account(t)); who != "" {
		title = "Signed in as " + who
	}
	return callback.Page{OK: true, Title: title, Message: "You can close this tab and return to the terminal.", Detail: detail}
}

// accountChange says from whom to whom a profile went, empty if to nobody else or if that
// isn't known. Another user of this machine who saw the authorization URL can have
// finished the sign-in as themselves.
func accountChange(was, is *session.Tokens) string {
	if was == nil || subject(was) == "" || subject(is) == "" || subject(was) == subject(is) {
		return ""
	}
	from, to := clean(account(was)), clean(account(is))
	if from == to { // two accounts, one name
		from, to = from+" ("+clean(subject(was))+")", to+" ("+clean(subject(is))+")"
	}
	return "The account was " + from + " and is now " + to + "."
}

// failurePage says as much as the terminal does.
func failurePage(err error) callback.Page {
	message, hint, _ := explain(err)
	return callback.Page{Title: "Sign-in failed", Message: clean(message), Detail: clean(hint)}
}
