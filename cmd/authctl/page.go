package main

import (
	"github.com/authctl/authctl/internal/callback"
	"github.com/authctl/authctl/internal/session"
)

// successPage is what the browser shows once the tokens are saved.
func successPage(p *profile, t *session.Tokens) callback.Page {
	detail := "Provider: " + clean(p.place())
	title := "You are signed in"
	if who := clean(account(t)); who != "" {
		title = "Signed in as " + who
	}
	return callback.Page{OK: true, Title: title, Message: "You can close this tab and return to the terminal.", Detail: detail}
}

// failurePage says as much as the terminal does.
func failurePage(err error) callback.Page {
	message, hint, _ := explain(err)
	return callback.Page{Title: "Sign-in failed", Message: clean(message), Detail: clean(hint)}
}
