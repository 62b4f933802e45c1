package main

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/session"
)

const loginTimeout = 5 * time.Minute

// loginFlags are those of one sign-in; nothing of them is saved.
type loginFlags struct {
	browser           string
	noBrowser, paste  bool
	device            bool
	timeout           time.Duration
	prompt, loginHint string
	maxAge            int // seconds
	acrValues         string
	asJSON            bool
}

func newLoginCmd(o *options) *cobra.Command {
	var f loginFlags
	var given *settingFlags
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Sign in through the browser and save the profile",
		Long: `Sign in through the browser, keep the tokens in the keychain and save the
settings that were given, so that the next login needs no flag.

While it waits for the browser, the address that the browser ended on can be
pasted at the terminal instead: a login over SSH needs no flag. Where the provider
has it, --device signs in on another device, such as a phone.`,
		Example: `  authctl login --issuer https://auth.example.com --client-id ID
  authctl login --issuer auth.example.com --client-id ID --redirect-uri https://localhost:9000/callback`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, err := given.given()
			if err != nil {
				return err
			}
			if f.timeout <= 0 {
				return &usageError{err: errorf("--timeout %v: it has to be more than zero", f.timeout)}
			}
			if f.maxAge < 0 {
				return &usageError{err: errorf("--max-age %d: it can't be less than zero", f.maxAge)}
			}
			return o.login(cmd, settings, given.secretFilePath(), f)
		},
	}
	given = addSettingFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.browser, "browser", "", "`COMMAND` to open the browser with, the URL as its last argument or in place of %s")
	flags.BoolVar(&f.noBrowser, "no-browser", false, "open nothing; print the URL on a line of its own on stderr")
	flags.BoolVar(&f.paste, "paste", false, "no listener: read the full redirect URL from stdin")
	flags.BoolVar(&f.device, "device", false, "sign in on another device, with a code and a QR code (RFC 8628)")
	flags.DurationVar(&f.timeout, "timeout", loginTimeout, "give up after this `DURATION`")
	flags.StringVar(&f.prompt, "prompt", "", "what the provider shall `ASK` for: none, login, consent, select_account (OpenID Connect Core 3.1.2.1)")
	flags.StringVar(&f.loginHint, "login-hint", "", "`ACCOUNT` to suggest to the provider")
	flags.IntVar(&f.maxAge, "max-age", 0, "sign in anew if the last time is more than `SECONDS` ago")
	flags.StringVar(&f.acrValues, "acr-values", "", "authentication context `CLASSES` to ask for")
	flags.BoolVar(&f.asJSON, "json", false, "print a summary without secrets")
	cmd.MarkFlagsMutuallyExclusive("browser", "no-browser")
	for _, other := range []string{"browser", "no-browser", "paste"} {
		cmd.MarkFlagsMutuallyExclusive("device", other)
	}
	cmd.RegisterFlagCompletionFunc("prompt", cobra.FixedCompletions([]string{"none", "login", "consent", "select_account"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// login signs in. given is what flags set, to be saved with the profile.
func (o *options) login(cmd *cobra.Command, given config.Settings, secretFile string, f loginFlags) error {
	c, err := o.choose()
	if err != nil {
		return err
	}
	if given, err = askForMissing(cmd, c, given); err != nil {
		return err
	}
	p, err := o.wire(cmd, c, given)
	if err != nil {
		return err
	}
	sayChanges(cmd, c, given)
	l := &signIn{options: o, cmd: cmd, profile: p, flags: f, given: given, secretFile: secretFile}
	return l.run()
}

// askForMissing asks for the issuer and the client ID of a new profile, where there
// is a terminal to ask at.
func askForMissing(cmd *cobra.Command, c choice, given config.Settings) (config.Settings, error) {
	now, err := c.settings(given)
	if err != nil || !isTerminal(cmd.InOrStdin()) || !isTerminal(cmd.ErrOrStderr()) {
		return given, err
	}
	answers := maps.Clone(given)
	if answers == nil {
		answers = config.Settings{}
	}
	questions := []struct {
		key, question string
		missing       bool
	}{
		{"issuer", "Issuer (the provider's URL)", now.Issuer == "" && (now.AuthorizationURL == "" || now.TokenURL == "")},
		{"client_id", "Client ID", now.ClientID == ""},
	}
	for _, q := range questions {
		if !q.missing {
			continue
		}
		answer, err := ask(cmd, q.question)
		if err != nil {
			return nil, err
		}
		if answer != "" {
			answers[q.key] = answer
		}
	}
	return answers, nil
}

// sayChanges names the settings of an existing profile that decide who is asked, when
// flags change them.
func sayChanges(cmd *cobra.Command, c choice, given config.Settings) {
	after, err := c.written.With(given)
	if err != nil || !c.exists {
		return
	}
	for _, change := range []struct{ what, from, to string }{
		{"issuer", c.written.Issuer, after.Issuer}, {"client ID", c.written.ClientID, after.ClientID},
	} {
		if change.from != "" && strings.TrimPrefix(change.to, "https://") != strings.TrimPrefix(change.from, "https://") {
			say(cmd, "Profile %q changes its %s from %s to %s.", c.name, change.what, clean(change.from), cmp.Or(clean(change.to), "none"))
		}
	}
}

// signIn is one login on its way.
type signIn struct {
	options    *options
	cmd        *cobra.Command
	profile    *profile
	flags      loginFlags
	given      config.Settings
	secretFile string
	secret     string          // the client's, where there is one
	newSecret  bool            // it has yet to be stored
	replaced   *session.Tokens // what was signed in with the same settings; nil: nothing
	turn       *session.SignIn // to sign in; others may wait for it
}

// run signs in, or lets another process do so.
func (l *signIn) run() error {
	way, err := chooseWay(l.cmd, l.flags)
	if err != nil {
		return err
	}
	if err := l.join(); err != nil {
		return err
	}
	if l.turn == nil {
		return l.joined()
	}
	err = l.signIn(way)
	if err != nil && !isEveryones(cmp.Or(endedBy(l.cmd.Context(), err), err)) {
		l.turn.Abandon()
		return err
	}
	l.turn.End(l.failure(err))
	return err
}

// signIn is the login from left to right. Everything that can be wrong on this machine
// is found before the browser opens.
func (l *signIn) signIn(way way) error {
	if err := l.prepare(l.cmd.Context()); err != nil {
		return err
	}
	// The store has bounds of its own, and an unlock dialog waits for its person.
	ctx, cancel := context.WithTimeoutCause(l.cmd.Context(), l.flags.timeout, way.timeout(l.flags.timeout))
	defer cancel()
	client, err := l.discover(ctx)
	if err != nil {
		return err
	}
	if way.device {
		return l.onAnotherDevice(ctx, client)
	}
	in, err := l.authorize(ctx, client, way)
	if err != nil {
		return waitError(ctx, err)
	}
	defer in.close()
	show := context.WithoutCancel(ctx) // the page tells the truth, also of an interruption
	tokens, err := l.redeem(ctx, in)
	if err != nil {
		in.response.Finish(show, failurePage(err))
		return err
	}
	in.response.Finish(show, successPage(l.profile, l.replaced, tokens))
	return l.celebrate(tokens, in.OfflineAsked)
}

// waitError is why a wait ended: the time-out, the signal, or what went wrong.
func waitError(ctx context.Context, err error) error {
	if timeout := (*timeoutError)(nil); ctx.Err() != nil && errors.As(context.Cause(ctx), &timeout) {
		return timeout
	}
	return err
}

// redeem turns the response into tokens and keeps them.
func (l *signIn) redeem(ctx context.Context, in *incoming) (*session.Tokens, error) {
	grant, err := in.Redeem(ctx, in.response.Params)
	if err != nil {
		return nil, err
	}
	return l.keep(ctx, in.client, grant)
}

// keep saves what was granted, even if the person interrupts now: the code is spent.
func (l *signIn) keep(ctx context.Context, client *oauth.Client, grant *oauth.Grant) (*session.Tokens, error) {
	p := l.profile
	at := provider{Metadata: client.Metadata, Confidential: l.secret != ""}
	l.completeClaims(ctx, client, grant)
	tokens, err := p.tokens(grant, at)
	if err != nil {
		return nil, err
	}
	saving, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err := l.save(saving, client, tokens); err != nil {
		return nil, p.about("saving", err)
	}
	l.turn.End(nil) // others need not wait for the page
	return tokens, nil
}

// completeClaims asks the userinfo endpoint who signed in, where no ID token says so.
// Not knowing it is no reason to fail.
func (l *signIn) completeClaims(ctx context.Context, client *oauth.Client, grant *oauth.Grant) {
	if grant.IDToken != "" || client.Metadata.UserinfoEndpoint == "" {
		return
	}
	claims, err := client.Userinfo(ctx, grant.AccessToken)
	if err != nil {
		warn(l.cmd, "who signed in isn't known: %s", clean(err.Error()))
		return
	}
	grant.Claims = claims
}

// celebrate says who signed in and how long it lasts.
func (l *signIn) celebrate(t *session.Tokens, offlineAsked bool) error {
	p := l.profile
	who := clean(account(t))
	if who == "" {
		who = "an account that the provider doesn't name"
	}
	say(l.cmd, "Signed in to %s as %s.", clean(p.place()), who)
	if change := accountChange(l.replaced, t); change != "" {
		say(l.cmd, "%s", change)
	}
	if t.IDToken != "" && !t.SignatureChecked {
		say(l.cmd, "The ID token's signature could not be checked: the provider publishes no keys.")
	}
	if t.RefreshToken == "" && offlineAsked {
		end := "ends at a time that it didn't say"
		if !t.Expiry.IsZero() {
			end = "ends " + expiryText(t.Expiry, p.now())
		}
		again := loginCommand(p.about("", nil))
		if l.flags.device {
			again += " --device"
		}
		say(l.cmd, "The provider gave no refresh token: this session %s. To ask for one: %s --prompt consent", end, again)
	}
	if l.flags.asJSON {
		return printJSON(l.cmd.OutOrStdout(), p.summary(t, stateOf(t, p.now())))
	}
	return nil
}

// place is what the provider is called in messages.
func (p *profile) place() string {
	return cmp.Or(p.Issuer, config.Shown(p.TokenURL))
}
