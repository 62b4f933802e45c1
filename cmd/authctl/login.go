package main

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/session"
	"github.com/authctl/authctl/internal/store"
)

const loginTimeout = 5 * time.Minute

// loginFlags are those of one sign-in; nothing of them is saved.
type loginFlags struct {
	browser           string
	noBrowser, paste  bool
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
pasted at the terminal instead: a login over SSH needs no flag.`,
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
			return o.login(cmd, settings, given.secretFilePath(), f)
		},
	}
	given = addSettingFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.browser, "browser", "", "`COMMAND` to open the browser with, the URL as its last argument or in place of %s")
	flags.BoolVar(&f.noBrowser, "no-browser", false, "open nothing; print the URL on a line of its own on stderr")
	flags.BoolVar(&f.paste, "paste", false, "no listener: read the full redirect URL from stdin")
	flags.DurationVar(&f.timeout, "timeout", loginTimeout, "give up after this `DURATION`")
	flags.StringVar(&f.prompt, "prompt", "", "what the provider shall `ASK` for: none, login, consent, select_account (OpenID Connect Core 3.1.2.1)")
	flags.StringVar(&f.loginHint, "login-hint", "", "`ACCOUNT` to suggest to the provider")
	flags.IntVar(&f.maxAge, "max-age", 0, "sign in anew if the last time is more than `SECONDS` ago")
	flags.StringVar(&f.acrValues, "acr-values", "", "authentication context `CLASSES` to ask for")
	flags.BoolVar(&f.asJSON, "json", false, "print a summary without secrets")
	cmd.MarkFlagsMutuallyExclusive("browser", "no-browser")
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
	sayChanges(cmd, c, p)
	l := &signIn{cmd: cmd, profile: p, flags: f, given: given, secretFile: secretFile}
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
func sayChanges(cmd *cobra.Command, c choice, p *profile) {
	if !c.exists {
		return
	}
	for _, change := range []struct{ what, from, to string }{
		{"issuer", c.written.Issuer, p.Issuer}, {"client ID", c.written.ClientID, p.ClientID},
	} {
		if change.from != "" && strings.TrimPrefix(change.to, "https://") != strings.TrimPrefix(change.from, "https://") {
			say(cmd, "Profile %q changes its %s from %s to %s.", c.name, change.what, clean(change.from), clean(change.to))
		}
	}
}

// signIn is one login on its way.
type signIn struct {
	cmd        *cobra.Command
	profile    *profile
	flags      loginFlags
	given      config.Settings
	secretFile string
	secret     string      // the client's, where there is one
	newSecret  bool        // it has yet to be stored
	left       secretStore // where the profile was until now, if this login moves it; else nil
}

// run is the login from left to right. Everything that can be wrong on this machine
// is found before the browser opens.
func (l *signIn) run() error {
	way, err := chooseWay(l.cmd, l.flags)
	if err != nil {
		return err
	}
	if err := l.prepare(l.cmd.Context()); err != nil {
		return err
	}
	// The store has bounds of its own, and an unlock dialog waits for its person.
	ctx, cancel := context.WithTimeoutCause(l.cmd.Context(), l.flags.timeout, &timeoutError{errorf("no answer from the browser within %v", l.flags.timeout).Error()})
	defer cancel()
	client, err := l.discover(ctx)
	if err != nil {
		return err
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
	in.response.Finish(show, successPage(l.profile, tokens))
	return l.celebrate(tokens, in.OfflineAsked)
}

// waitError is why a wait ended: the time-out, the signal, or what went wrong.
func waitError(ctx context.Context, err error) error {
	if timeout := (*timeoutError)(nil); ctx.Err() != nil && errors.As(context.Cause(ctx), &timeout) {
		return timeout
	}
	return err
}

// prepare proves that what will have to be written can be.
func (l *signIn) prepare(ctx context.Context) error {
	p := l.profile
	if len(l.given) > 0 {
		if err := p.canSave(l.given); err != nil {
			return errorf("saving profile %q: %w", p.Name, err)
		}
	}
	if err := l.leave(); err != nil {
		return err
	}
	if p.Store == "file" {
		made, err := store.MakeKey(p.StoreKeyFile)
		if err != nil {
			return err
		}
		if made {
			say(l.cmd, "Made the key file %s: whoever has it can read what is stored, and without it nobody can.", p.StoreKeyFile)
		}
	}
	if err := p.secrets.Check(ctx); err != nil {
		return err
	}
	return l.readSecret(ctx)
}

// readSecret takes the client secret from its file, or from where an earlier login or
// `profile set` put it.
func (l *signIn) readSecret(ctx context.Context) (err error) {
	if l.secretFile != "" {
		l.newSecret = true
		l.secret, err = readSecretFile(l.secretFile)
		return err
	}
	name, binding := l.profile.session.Name, l.profile.session.Binding
	if l.secret, err = clientSecret(ctx, l.profile.secrets, name, binding); err != nil || l.secret != "" || l.left == nil {
		return err
	}
	// A store that can't be read may be why this login leaves it.
	l.secret, _ = clientSecret(ctx, l.left, name, binding)
	l.newSecret = l.secret != ""
	return nil
}

func (f *settingFlags) secretFilePath() string {
	if f.secretFile != "" {
		return f.secretFile
	}
	return os.Getenv("AUTHCTL_CLIENT_SECRET_FILE")
}

// discover finds the provider's endpoints.
func (l *signIn) discover(ctx context.Context) (*oauth.Client, error) {
	p := l.profile
	p.trace.hide(l.secret)
	hc, err := p.httpClient()
	if err != nil {
		return nil, err
	}
	metadata, err := oauth.Discover(ctx, hc, p.Issuer, p.endpoints())
	if err != nil {
		return nil, err
	}
	return &oauth.Client{ID: p.ClientID, Secret: l.secret, HTTP: hc, Metadata: metadata, PinnedIssuer: l.earlierIssuer(ctx, metadata)}, nil
}

// earlierIssuer is the ID token issuer of the session that this login replaces, to
// hold it to where no metadata says what the issuer is.
func (l *signIn) earlierIssuer(ctx context.Context, m *oauth.Metadata) string {
	if m.Source != oauth.SourceConfigured && m.Source != oauth.SourceDefaultPaths {
		return ""
	}
	old, err := l.profile.session.Load(ctx)
	if err != nil {
		return ""
	}
	at, err := pinned(old)
	if err != nil {
		return ""
	}
	return at.PinnedIssuer
}

// redeem turns the response into tokens and keeps them. What was redeemed is
// saved even if the person interrupts now: the code is spent.
func (l *signIn) redeem(ctx context.Context, in *incoming) (*session.Tokens, error) {
	p := l.profile
	grant, err := in.Redeem(ctx, in.response.Params)
	if err != nil {
		return nil, err
	}
	at := provider{Metadata: in.client.Metadata, Confidential: l.secret != ""}
	l.completeClaims(ctx, in.client, grant)
	tokens, err := p.tokens(grant, at)
	if err != nil {
		return nil, err
	}
	saving := context.WithoutCancel(ctx)
	if err := l.save(saving, tokens); err != nil {
		p.revoke(saving, tokens) // nobody has them now: they need not live on
		return nil, err
	}
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

// save keeps client secret and session, and then the profile: when the session can't be
// kept, the config file stays as it was. A session without its profile is found by
// nobody, and one whose settings are not the profile's doesn't count.
func (l *signIn) save(ctx context.Context, tokens *session.Tokens) error {
	p := l.profile
	err := p.saveSettings(l.given, func() error {
		if l.newSecret {
			if err := p.keepClientSecret(ctx, l.secret); err != nil {
				return err
			}
		}
		return p.session.Save(ctx, tokens)
	})
	if err != nil {
		return p.about("saving", err)
	}
	l.forgetElsewhere(ctx)
	return nil
}

// saveSettings writes given to the profile if first succeeds; that runs under the config
// file's lock.
func (p *profile) saveSettings(given config.Settings, first func() error) error {
	if len(given) == 0 {
		return first()
	}
	return p.update(func(e *config.Edit) error {
		if err := e.Set(p.Name, given); err != nil {
			return err
		}
		return first()
	})
}

// canSave says why saveSettings would fail. An edit that fails writes nothing.
func (p *profile) canSave(given config.Settings) error {
	if err := config.Writable(p.choice.file.Path); err != nil {
		return err
	}
	rehearsed := errors.New("the edit works")
	if err := p.saveSettings(given, func() error { return rehearsed }); !errors.Is(err, rehearsed) {
		return err
	}
	return nil
}

// update edits the config file under its lock.
func (p *profile) update(edit func(*config.Edit) error) error {
	return config.Update(p.choice.file.Path, filepath.Join(p.stateDir, "locks", "config.lock"), edit)
}

// leave finds the store that this login moves the profile out of.
func (l *signIn) leave() error {
	c := l.profile.choice
	was, err := c.settings(nil)
	if err != nil || !c.exists {
		return err
	}
	if was, err = was.Resolve(); err != nil || was.Store == l.profile.Store {
		return nil // nothing could have been stored, or it is replaced where it is
	}
	l.left, err = openStore(l.cmd, was, l.profile.stateDir)
	return err
}

// forgetElsewhere deletes what the profile left in another store: a session in two
// places would have a refresh token that nobody revokes.
func (l *signIn) forgetElsewhere(ctx context.Context) {
	if l.left == nil {
		return
	}
	name := l.profile.session.Name
	for _, secret := range []string{name, clientSecretName(name)} {
		if err := l.left.Delete(ctx, secret); err != nil {
			warn(l.cmd, "what the profile had in its earlier store could not be deleted: %s", clean(err.Error()))
			return
		}
	}
}

// celebrate says who signed in and how long it lasts.
func (l *signIn) celebrate(t *session.Tokens, offlineAsked bool) error {
	p := l.profile
	who := clean(account(t))
	if who == "" {
		who = "an account that the provider doesn't name"
	}
	say(l.cmd, "Signed in to %s as %s.", clean(p.place()), who)
	if t.RefreshToken == "" && offlineAsked {
		if t.Expiry.IsZero() {
			say(l.cmd, "The provider gave no refresh token: when the session ends it has to be signed in again. If it should renew: authctl login --prompt consent")
		} else {
			say(l.cmd, "The provider gave no refresh token: this session ends %s. If it should renew: authctl login --prompt consent", expiryText(t.Expiry, time.Now()))
		}
	}
	if l.flags.asJSON {
		return printJSON(l.cmd.OutOrStdout(), p.summary(t, stateOf(t, time.Now())))
	}
	return nil
}

// place is what the provider is called in messages.
func (p *profile) place() string {
	if p.Issuer != "" {
		return p.Issuer
	}
	return p.TokenURL
}
