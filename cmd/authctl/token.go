package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/authctl/authctl/internal/session"
)

func newTokenCmd(o *options) *cobra.Command {
	var need session.Need
	var format string
	var login bool
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Print an access token, renewed when needed",
		Long: `Print an access token, and nothing else, on stdout.

The stored token is printed at once while it lives; otherwise it is renewed by
one request, however many processes ask at the same time.`,
		Example: `  curl -H "$(authctl token --format header)" https://api.example.com/
  eval "$(authctl token --format env)"`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("format", format, tokenFormats); err != nil {
				return err
			}
			tokens, err := o.fresh(cmd, need)
			if login && needsSignIn(err) {
				tokens, err = o.signInAgain(cmd, need)
			}
			if err != nil {
				return err
			}
			return printToken(cmd.OutOrStdout(), tokens, format, need.IDToken)
		},
	}
	cmd.Flags().DurationVar(&need.MinTTL, "min-ttl", time.Minute, "renew when less than this `DURATION` is left")
	cmd.Flags().BoolVar(&need.Refresh, "refresh", false, "renew in any case")
	cmd.Flags().BoolVar(&need.IDToken, "id-token", false, "print the ID token instead")
	cmd.Flags().StringVar(&format, "format", "raw", "`FORMAT` to print it in: "+strings.Join(tokenFormats, ", "))
	cmd.Flags().BoolVar(&login, "login", false, "sign in through the browser when nothing else helps")
	cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(tokenFormats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

var tokenFormats = []string{"raw", "header", "json", "env"}

func oneOf(name, value string, allowed []string) error {
	for _, a := range allowed {
		if value == a {
			return nil
		}
	}
	return &usageError{err: errorf("--%s %q is none of %s", name, value, strings.Join(allowed, ", "))}
}

// fresh is what token, exec and curl use: AUTHCTL_TOKEN as it is, or the session's
// tokens, renewed when needed. A token that comes with a reservation comes with a
// warning.
func (o *options) fresh(cmd *cobra.Command, need session.Need) (*session.Tokens, error) {
	if given := os.Getenv("AUTHCTL_TOKEN"); given != "" && !need.IDToken {
		return givenToken(given)
	}
	p, err := o.open(cmd)
	if err != nil {
		return nil, err
	}
	return p.fresh(cmd, need)
}

func (p *profile) fresh(cmd *cobra.Command, need session.Need) (*session.Tokens, error) {
	tokens, err := p.session.Fresh(cmd.Context(), need, p.renew)
	if tokens != nil && err != nil {
		warn(cmd, "%s", clean(err.Error()))
		return tokens, nil
	}
	if err != nil {
		return nil, p.about(doing(err), err)
	}
	return tokens, nil
}

// doing is what failed: most errors of a renewal come before there is one.
func doing(err error) string {
	renewal, save, dead := (*session.RenewalError)(nil), (*session.SaveError)(nil), (*session.DeadError)(nil)
	if errors.As(err, &renewal) || errors.As(err, &save) || errors.As(err, &dead) {
		return "renewing"
	}
	return ""
}

// about says which profile an error is about.
func (p *profile) about(doing string, err error) error {
	return &onProfile{doing: doing, name: p.Name, named: p.choice.named(), config: p.choice.config, file: p.choice.file.Path, asks: p.asks, err: err}
}

// givenToken is AUTHCTL_TOKEN. It will stand in headers and shells, so it has to be
// what a token can be.
func givenToken(token string) (*session.Tokens, error) {
	for _, c := range []byte(token) {
		if c < 0x21 || c > 0x7e {
			return nil, &usageError{err: errorf("AUTHCTL_TOKEN has a character that no token has: a space, a line end, a control character or one beyond ASCII")}
		}
	}
	return &session.Tokens{AccessToken: token, TokenType: "Bearer"}, nil
}

// needsSignIn reports whether nothing but a login helps.
func needsSignIn(err error) bool {
	return exitCode(err) == exitSignIn
}

// signInAgain is --login: a login with the profile's own settings, and its tokens.
func (o *options) signInAgain(cmd *cobra.Command, need session.Need) (*session.Tokens, error) {
	o.catch()
	if err := o.login(cmd, nil, "", loginFlags{timeout: loginTimeout}); err != nil {
		return nil, err
	}
	p, err := o.open(cmd)
	if err != nil {
		return nil, err
	}
	return p.fresh(cmd, session.Need{MinTTL: need.MinTTL, IDToken: need.IDToken})
}

// printToken writes the token in one of tokenFormats.
func printToken(w io.Writer, t *session.Tokens, format string, idToken bool) error {
	token, variable, expiry := t.AccessToken, "ACCESS_TOKEN", t.Expiry
	if idToken {
		token, variable, expiry = t.IDToken, "ID_TOKEN", t.IDTokenExpiry
	}
	var err error
	switch format {
	case "header":
		_, err = fmt.Fprintf(w, "Authorization: Bearer %s\n", token)
	case "env":
		_, err = fmt.Fprintf(w, "export %s=%s\n", variable, shellQuote(token))
	case "json":
		err = printJSON(w, tokenObject(t, idToken, expiry))
	default:
		_, err = fmt.Fprintln(w, token)
	}
	if err != nil {
		return errorf("writing the token: %w", err)
	}
	return nil
}

func tokenObject(t *session.Tokens, idToken bool, expiry time.Time) any {
	type object struct {
		AccessToken string `json:"access_token,omitempty"`
		IDToken     string `json:"id_token,omitempty"`
		TokenType   string `json:"token_type,omitempty"`
		ExpiresAt   string `json:"expires_at,omitempty"`
		Scope       string `json:"scope,omitempty"`
	}
	if idToken {
		return object{IDToken: t.IDToken, ExpiresAt: rfc3339(expiry)}
	}
	return object{AccessToken: t.AccessToken, TokenType: t.TokenType, ExpiresAt: rfc3339(expiry), Scope: t.Scope}
}

// rfc3339 is a time in UTC to the second, or "" when it is unknown.
func rfc3339(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// shellQuote makes s one word for every POSIX shell.
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
