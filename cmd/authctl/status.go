package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/session"
)

// summary is one profile's state without anything secret; what is unknown is
// absent. Times are in UTC.
type summary struct {
	Profile   string `json:"profile"`
	Default   bool   `json:"default"`
	Issuer    string `json:"issuer,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	Subject   string `json:"subject,omitempty"`
	Account   string `json:"account,omitempty"`
	Scope     string `json:"scope,omitempty"`
	ExpiresAt string `json:"expires_at,omitempty"`
	Renewable *bool  `json:"renewable,omitempty"`
	Store     string `json:"store,omitempty"`
	StoreKey  string `json:"store_key,omitempty"` // of the file store: "key file" or "passphrase"
	State     string `json:"state"`
	Signature string `json:"signature,omitempty"` // "unchecked": the provider publishes no keys

	expiry time.Time
}

// The states of a session.
const (
	stateSignedIn    = "signed in"
	stateExpired     = "expired"        // and renewed when asked for, if renewable
	stateSignedOut   = "signed out"     // nothing stored
	stateSignInAgain = "sign in again"  // stored, but of no use any more
	stateIncomplete  = "not configured" // settings are missing or can't be used
	stateUnknown     = "unknown"        // the store can't be read
)

func newStatusCmd(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show every profile: account, provider, expiry, store",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, failure := o.summaries(cmd)
			if all == nil && failure != nil {
				return failure
			}
			if os.Getenv("AUTHCTL_TOKEN") != "" {
				say(cmd, "AUTHCTL_TOKEN is set: token, exec and curl use it as it is, whatever is stored.")
			}
			if asJSON {
				return errors.Join(printJSON(cmd.OutOrStdout(), all), failure)
			}
			return errors.Join(printSummaries(cmd, all, o.config, o.now()), failure)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an array")
	return cmd
}

// summaries looks at every profile. One whose store can't be read doesn't hide the
// others; its error comes back beside them.
func (o *options) summaries(cmd *cobra.Command) (all []summary, failure error) {
	choices, err := o.everyProfile()
	if err != nil {
		return nil, err
	}
	all = []summary{}
	for _, c := range choices {
		s, err := o.summarize(cmd, c)
		if err != nil && failure == nil {
			failure = err
		}
		if c.exists || s.State != stateSignedOut && s.State != stateIncomplete {
			all = append(all, s)
		}
	}
	return all, failure
}

func (o *options) summarize(cmd *cobra.Command, c choice) (summary, error) {
	p, err := o.wireExisting(cmd, c)
	if err != nil {
		s := summary{Profile: c.name, Default: c.isDefault(), Issuer: c.written.Issuer, ClientID: c.written.ClientID, State: stateIncomplete}
		if err = ignoreMissing(err); err == nil {
			s.Renewable = new(bool)
		}
		return s, err
	}
	tokens, err := p.session.Load(cmd.Context())
	switch {
	case errors.Is(err, session.ErrSignedOut):
		return p.summary(nil, stateSignedOut), nil
	case needsSignIn(err):
		return p.summary(nil, stateSignInAgain), nil
	case err != nil:
		return p.summary(nil, stateUnknown), p.about("", err)
	}
	return p.summary(tokens, stateOf(tokens, o.now())), nil
}

// ignoreMissing drops the error of a profile that isn't complete: its state says so.
func ignoreMissing(err error) error {
	invalid, none := (*config.InvalidError)(nil), (*noProfileError)(nil)
	if errors.As(err, &none) || (errors.As(err, &invalid) && invalid.Missing) {
		return nil
	}
	return err
}

func stateOf(t *session.Tokens, now time.Time) string {
	switch {
	case t.Expiry.IsZero() || t.Expiry.After(now):
		return stateSignedIn
	case t.RefreshToken != "" && t.RefreshRefused == "":
		return stateExpired
	}
	return stateSignInAgain
}

// summary is what may be shown of the profile and, unless nil, its tokens.
func (p *profile) summary(t *session.Tokens, state string) summary {
	s := summary{
		Profile: p.Name, Default: p.choice.isDefault(), Issuer: p.Issuer, ClientID: p.ClientID, Store: p.Store, State: state,
	}
	if p.Store == "file" {
		s.StoreKey = "key file"
	}
	if p.HasPassphrase() {
		s.StoreKey = "passphrase"
	}
	renewable := t != nil && t.RefreshToken != "" && t.RefreshRefused == ""
	if state != stateUnknown {
		s.Renewable = &renewable
	}
	if t == nil {
		return s
	}
	s.Subject, s.Account, s.Scope = subject(t), account(t), t.Scope
	s.expiry, s.ExpiresAt = t.Expiry, rfc3339(t.Expiry)
	if t.IDToken != "" && !t.SignatureChecked {
		s.Signature = "unchecked"
	}
	return s
}

func printSummaries(cmd *cobra.Command, all []summary, config string, now time.Time) error {
	if len(all) == 0 {
		_, login, _ := explain(&inFile{config, &noProfileError{}})
		say(cmd, "No profile is set up: %s", login)
		return nil
	}
	w, print := columns(cmd)
	fmt.Fprintln(w, "PROFILE\tACCOUNT\tPROVIDER\tEXPIRES\tSTORE\tSTATE")
	for _, s := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", s.nameText(), dash(clean(s.Account)), dash(clean(s.Issuer)), s.expiryText(now), s.storeText(), s.stateText())
	}
	return print()
}

func (s summary) nameText() string {
	if s.Default {
		return s.Profile + " *"
	}
	return s.Profile
}

func (s summary) expiryText(now time.Time) string {
	if s.expiry.IsZero() {
		return "-"
	}
	return distance(s.expiry.Sub(now))
}

func (s summary) storeText() string {
	if s.StoreKey == "passphrase" {
		return s.Store + " (passphrase)"
	}
	return dash(s.Store)
}

func (s summary) stateText() string {
	text := s.State
	if s.State == stateExpired {
		text += ", renewed when asked for"
	}
	if s.Signature != "" {
		text += ", signature not checked"
	}
	return text
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
