package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/session"
)

func newWhoamiCmd(o *options) *cobra.Command {
	var asJSON bool
	var claim string
	cmd := &cobra.Command{
		Use:   "whoami",
		Short: "Show who is signed in, without the network",
		Long: `Show who is signed in: the claims of the ID token, as they were verified when it
came. The network isn't used.`,
		Example: `  authctl whoami
  git config user.email "$(authctl whoami --claim email)"`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := o.open(cmd)
			if err != nil {
				return err
			}
			tokens, err := p.session.Load(cmd.Context())
			if err != nil {
				return p.about("", err)
			}
			switch {
			case cmd.Flags().Changed("claim"):
				return printClaim(cmd, tokens, claim)
			case asJSON:
				return printClaims(cmd, tokens)
			}
			return describe(cmd, p, tokens)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the claims object as the provider sent it")
	cmd.Flags().StringVar(&claim, "claim", "", "print the value of the claim `NAME`, bare")
	cmd.MarkFlagsMutuallyExclusive("json", "claim")
	cmd.RegisterFlagCompletionFunc("claim", cobra.NoFileCompletions)
	return cmd
}

// printClaims writes the claims object byte for byte; without an ID token it is
// empty.
func printClaims(cmd *cobra.Command, t *session.Tokens) error {
	claims := string(t.Claims)
	if len(t.Claims) == 0 {
		say(cmd, "The provider issued no ID token: there are no claims.")
		claims = "{}"
	}
	return printValue(cmd, claims)
}

// printClaim writes one claim: a string as it is, anything else as JSON.
func printClaim(cmd *cobra.Command, t *session.Tokens, name string) error {
	raw, ok := claimsOf(t)[name]
	if !ok {
		return &missingClaimError{name, len(t.Claims) > 0}
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return printValue(cmd, s)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return err
	}
	return printValue(cmd, compact.String())
}

// missingClaimError is a claim that the ID token doesn't have.
type missingClaimError struct {
	name    string
	idToken bool
}

func (e *missingClaimError) Error() string {
	if !e.idToken {
		return fmt.Sprintf("no claim %q: the provider issued no ID token", e.name)
	}
	return fmt.Sprintf("no claim %q in the ID token", e.name)
}

// printValue writes the provider's text as it is to a program, and without what a
// terminal would act on to a person.
func printValue(cmd *cobra.Command, s string) error {
	if isTerminal(cmd.OutOrStdout()) {
		s = clean(s)
	}
	_, err := fmt.Fprintln(cmd.OutOrStdout(), s)
	return err
}

func claimsOf(t *session.Tokens) map[string]json.RawMessage {
	var claims map[string]json.RawMessage
	if json.Unmarshal(t.Claims, &claims) != nil {
		return nil
	}
	return claims
}

// account is the name that a person knows the account by: the first of these
// claims that is there, and not more of it than a line holds.
func account(t *session.Tokens) string {
	claims := claimsOf(t)
	for _, name := range []string{"email", "preferred_username", "upn", "login", "name", "sub"} {
		var s string
		if json.Unmarshal(claims[name], &s) == nil && s != "" {
			return brief(s)
		}
	}
	return ""
}

func brief(s string) string {
	const limit = 200 // runes
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return s
}

func subject(t *session.Tokens) string {
	var s string
	json.Unmarshal(claimsOf(t)["sub"], &s) // absent, as in plain OAuth 2.0, is ""
	return s
}

// describe writes what is known, a line a claim, for reading.
func describe(cmd *cobra.Command, p *profile, t *session.Tokens) error {
	w, print := columns(cmd)
	if claims := claimsOf(t); len(claims) > 0 {
		writeClaims(w, claims, p.now())
	} else {
		writeKnown(w, p, t)
	}
	if err := print(); err != nil {
		return err
	}
	switch {
	case len(t.Claims) == 0:
		say(cmd, "The provider issued no ID token, so who is signed in isn't known here.")
	case t.IDToken == "":
		say(cmd, "The provider issued no ID token: this is what its userinfo endpoint said at sign-in.")
	case !t.SignatureChecked:
		say(cmd, "The ID token's signature was not checked: the provider publishes no keys. It came from its token endpoint directly.")
	}
	return nil
}

// firstClaims are the ones that say who; the others follow by name.
var firstClaims = []string{"sub", "name", "preferred_username", "email", "email_verified", "iss", "aud"}

func writeClaims(w io.Writer, claims map[string]json.RawMessage, now time.Time) {
	names := sortedKeys(claims)
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	for _, name := range names {
		fmt.Fprintf(w, "%s\t%s\n", clean(brief(name)), clean(claimText(name, claims[name], now)))
	}
}

func rank(name string) int {
	if i := slices.Index(firstClaims, name); i >= 0 {
		return i
	}
	return len(firstClaims)
}

// writeKnown is whoami without an ID token: plain OAuth 2.0 says no more.
func writeKnown(w io.Writer, p *profile, t *session.Tokens) {
	for _, line := range [][2]string{
		{"issuer", p.Issuer}, {"token endpoint", config.Shown(p.TokenURL)}, {"client_id", p.ClientID}, {"scope", t.Scope}, {"expires", expiryText(t.Expiry, p.now())},
	} {
		if line[1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", line[0], clean(line[1]))
		}
	}
}

// claimText is a claim for reading; a time has its raw value beside it.
func claimText(name string, raw json.RawMessage, now time.Time) string {
	switch name {
	case "exp", "iat", "nbf", "auth_time", "updated_at": // NumericDate, RFC 7519 §2
		var seconds float64
		if json.Unmarshal(raw, &seconds) == nil {
			return fmt.Sprintf("%s  %s", expiryText(time.Unix(int64(seconds), 0), now), raw)
		}
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// expiryText is a time in the reader's zone, and how far away it is.
func expiryText(t, now time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.Local().Format("Mon 2 Jan 2006 15:04:05 MST") + " (" + distance(t.Sub(now)) + ")"
}

// distance is a duration in words: the largest unit alone is near enough.
func distance(d time.Duration) string {
	form := "in %s"
	if d < 0 {
		form, d = "%s ago", -d
	}
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		n := int(d / unit.size)
		if n == 1 {
			return fmt.Sprintf(form, "1 "+unit.name)
		}
		if n > 1 {
			return fmt.Sprintf(form, fmt.Sprintf("%d %ss", n, unit.name))
		}
	}
	return "now"
}
