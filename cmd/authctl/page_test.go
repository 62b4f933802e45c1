package main

import (
	"testing"

	"github.com/authctl/authctl/internal/session"
)

func TestAccountChange(t *testing.T) {
	ada := `{"sub":"1","email":"ada@example.com"}`
	for _, c := range []struct{ name, was, is, want string }{
		{"nobody before", "", ada, ""},
		{"the same", ada, ada, ""},
		{"the same, renamed", ada, `{"sub":"1","email":"lovelace@example.com"}`, ""},
		{"another", ada, `{"sub":"2","email":"grace@example.com"}`, "The account was ada@example.com and is now grace@example.com."},
		{"another of the same name", ada, `{"sub":"2","email":"ada@example.com"}`, "The account was ada@example.com (1) and is now ada@example.com (2)."},
		{"another that looks the same", ada, `{"sub":"\u200b2","email":"ada@\u200bexample.com"}`, "The account was ada@example.com (1) and is now ada@example.com (2)."},
		{"no subject before", `{"email":"ada@example.com"}`, `{"sub":"2","email":"grace@example.com"}`, ""},
		{"no subject now", ada, `{"email":"grace@example.com"}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var was *session.Tokens
			if c.was != "" {
				was = &session.Tokens{Claims: []byte(c.was)}
			}
			if got := accountChange(was, &session.Tokens{Claims: []byte(c.is)}); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
