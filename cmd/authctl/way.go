package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/authctl/authctl/internal/callback"
	"github.com/authctl/authctl/internal/oauth"
)

// way is how the person gets to the provider's page, and how the answer gets back.
type way struct {
	at      whereabouts
	browser browserRunner // nil: the URL is printed
	opening string        // what is said when it is opened, before "to sign in to …"
	address string        // the same when the URL is printed
	listen  bool          // on loopback
	paste   bool          // read the redirect URL from stdin
	device  bool          // on another device, and nothing of the above
}

// timeout is what is said when it took too long.
func (w way) timeout(after time.Duration) error {
	what := "no answer from the browser"
	if w.device {
		what = "nobody signed in on the other device"
	}
	return &timeoutError{errorf("%s within %v", what, after).Error()}
}

// chooseWay decides from the flags, BROWSER, where it is and the terminal.
func chooseWay(cmd *cobra.Command, f loginFlags) (way, error) {
	return here().way(f, isTerminal(cmd.InOrStdin()), isTerminal(cmd.ErrOrStderr()))
}

// way is for surroundings in which the person can type, or at least read.
func (s surroundings) way(f loginFlags, types, reads bool) (way, error) {
	if f.device {
		return way{device: true}, nil
	}
	w := way{at: s.whereabouts(), opening: "Opening the browser", address: "Open this address", listen: !f.paste, paste: f.paste || types}
	switch {
	case f.noBrowser:
	case f.browser != "":
		w.browser = commandBrowser([]string{f.browser})
	case s.getenv("BROWSER") != "":
		w.browser = commandBrowser(browserList(s.getenv("BROWSER")))
		if w.at.remote {
			w.opening = sentence(w.at.name, "opening the browser that BROWSER names")
		}
	case !w.at.display && !f.paste && !types && !reads:
		return w, w.at.noWay()
	default:
		w.byPlace()
	}
	return w, nil
}

// byPlace is what goes without saying on an ordinary desktop, and elsewhere is said.
func (w *way) byPlace() {
	where := w.at.phrase()
	switch {
	case w.at.opener != nil:
		w.browser = openerBrowser(w.at.opener)
		w.opening = sentence(where, "opening Windows' browser with "+filepath.Base(w.at.opener[0]))
	case w.at.system:
		w.browser = systemBrowser
		if where != "" {
			w.opening = sentence(where, "opening the browser on its display")
		}
	default:
		w.address = sentence(where, "no browser is opened here; open this address "+w.at.where)
	}
}

// incoming is an authorization request that is under way, and then its response.
type incoming struct {
	*oauth.Authorization
	client   *oauth.Client
	response *callback.Response
	listener *callback.Listener // nil with --paste
}

func (in *incoming) close() {
	if in.listener != nil {
		in.listener.Close()
	}
}

// authorize sends the person to the provider and waits for the response. The listener
// is bound before the URL is built, and stays for the page.
func (l *signIn) authorize(ctx context.Context, client *oauth.Client, w way) (in *incoming, err error) {
	in = &incoming{client: client}
	defer func() {
		if err != nil {
			in.close()
		}
	}()
	redirectURI := l.profile.RedirectURI
	if w.listen {
		if in.listener, err = l.listen(redirectURI); err != nil {
			return in, err
		}
		redirectURI = in.listener.RedirectURI()
	}
	if in.Authorization, err = client.Authorize(l.request(redirectURI)); err != nil {
		return in, err
	}
	l.profile.trace.hide(in.State, in.Nonce)
	waiting, answered := context.WithCancel(ctx)
	defer answered() // how the browser ends after that is nobody's concern
	l.invite(waiting, in, w, redirectURI)
	in.response, err = l.await(waiting, in, w, redirectURI)
	return in, err
}

// request is what the profile and the flags ask of the provider.
func (l *signIn) request(redirectURI string) oauth.Request {
	p, f := l.profile, l.flags
	r := oauth.Request{
		RedirectURI: redirectURI, Scopes: p.Scopes, Offline: *p.Offline,
		Audience: p.Audience, Resources: p.Resources, Params: p.Params,
		Prompt: f.prompt, LoginHint: f.loginHint, ACRValues: f.acrValues,
	}
	if l.cmd.Flags().Changed("max-age") {
		r.MaxAge = &f.maxAge
	}
	return r
}

// listen binds the redirect URI's address. An https one needs a certificate.
func (l *signIn) listen(redirectURI string) (*callback.Listener, error) {
	if !strings.HasPrefix(strings.ToLower(redirectURI), "https:") {
		return callback.Listen(redirectURI, nil)
	}
	cert, err := l.certificate()
	if err != nil {
		return nil, err
	}
	return callback.Listen(redirectURI, &cert)
}

func (l *signIn) certificate() (tls.Certificate, error) {
	p := l.profile
	if p.TLSCert != "" {
		cert, err := callback.LoadCertificate(p.TLSCert, p.TLSKey)
		if err != nil {
			return cert, err
		}
		if why := callback.Covers(cert, hostOf(p.RedirectURI)); why != nil {
			warn(l.cmd, "the browser will refuse the certificate %s: %v", p.TLSCert, why)
		}
		return cert, nil
	}
	path := filepath.Join(p.stateDir, "tls", "localhost.pem")
	cert, _, err := callback.SelfSigned(path, p.now())
	if err != nil {
		return cert, errorf("making the callback's certificate: %w", err)
	}
	say(l.cmd, "The browser will warn of a self-signed certificate. It is this login's if its SHA-256 fingerprint is %s", callback.Fingerprint(cert))
	return cert, nil
}

func hostOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// invite opens the browser, or says what to open.
func (l *signIn) invite(ctx context.Context, in *incoming, w way, redirectURI string) {
	provider := clean(l.profile.place())
	if w.browser == nil || !w.listen {
		say(l.cmd, "%s to sign in to %s:\n\n%s\n", w.address, provider, in.URL)
	}
	if w.browser != nil {
		say(l.cmd, "%s to sign in to %s.", w.opening, provider)
		go l.open(ctx, in.URL, w)
	}
	say(l.cmd, "Redirect URI: %s", redirectURI)
	if w.browser == nil {
		l.offerRoute(w, redirectURI)
	}
	l.offerPaste(w)
	if w.browser == nil {
		l.offerDevice(in.client)
	}
}

// offerRoute says how a browser on the machine that the person sits at comes back here.
func (l *signIn) offerRoute(w way, redirectURI string) {
	route := w.at.ssh
	if route == nil || !w.listen || !route.sure && !w.paste {
		return
	}
	so := "So"
	if !route.sure {
		so = "If you came over SSH: so"
	}
	say(l.cmd, "%s that the browser comes back here, run this on the machine that you sit at (this one may have another name there):\n\n  %s\n", so, route.forward(redirectURI))
}

// offerPaste says what to do with the address that the browser ended on, where it may be
// that it doesn't come back by itself.
func (l *signIn) offerPaste(w way) {
	switch {
	case !w.listen && isTerminal(l.cmd.InOrStdin()):
		say(l.cmd, "Paste the address that the browser ended on (it isn't shown), then press Enter.")
	case w.listen && w.paste && (w.browser == nil || w.at.remote):
		say(l.cmd, "%s", sentences("Waiting.", w.at.back, "If the browser can't come back here, paste the address that it ended on (it isn't shown)."))
	}
}

// sentences are the given ones, without those that are empty.
func sentences(s ...string) string {
	return strings.Join(slices.DeleteFunc(s, func(s string) bool { return s == "" }), " ")
}

// open runs the browser for as long as it likes; a login that is over doesn't wait for
// it. A token that we were given is not the browser's, which lives on for days.
func (l *signIn) open(ctx context.Context, url string, w way) {
	os.Unsetenv("AUTHCTL_TOKEN")
	if err := w.browser(url); err != nil && ctx.Err() == nil {
		warn(l.cmd, "%s. Open this address yourself:", clean(err.Error()))
		say(l.cmd, "\n%s\n", url)
	}
}

// await is the first good response, from the listener or from the terminal.
func (l *signIn) await(ctx context.Context, in *incoming, w way, redirectURI string) (*callback.Response, error) {
	ctx, cancel := context.WithCancel(ctx)
	type result struct {
		response *callback.Response
		err      error
	}
	results := make(chan result, 2)
	waiting := 0
	wait := func(receive func() (*callback.Response, error)) {
		waiting++
		go func() {
			r, err := receive()
			results <- result{r, err}
		}()
	}
	if w.listen {
		wait(func() (*callback.Response, error) { return in.listener.Wait(ctx, in.State) })
	}
	if w.paste {
		wait(func() (*callback.Response, error) { return l.pasted(ctx, redirectURI, in.State, w.listen) })
	}
	patience := time.AfterFunc(20*time.Second, func() { l.reassure(in.URL, redirectURI, w) })
	defer patience.Stop()
	first := result{}
	for first.response == nil && waiting > 0 {
		first = <-results
		waiting--
		if errors.Is(first.err, errNoPaste) && waiting > 0 {
			continue // the terminal went away, the listener is still there
		}
		break
	}
	cancel()
	for ; waiting > 0; waiting-- {
		<-results // the terminal is itself again before anything is printed
	}
	return first.response, first.err
}

// reassure is said when nothing has come for a while.
func (l *signIn) reassure(url, redirectURI string, w way) {
	say(l.cmd, "\nStill waiting. If the provider's page complains of the redirect URI, register it there exactly as\n  %s\nor give the registered one with --redirect-uri. The address to open is\n\n%s\n", redirectURI, url)
	l.offerRoute(w, redirectURI)
	if w.paste {
		say(l.cmd, "If the browser can't come back here, paste the address that it ended on (it isn't shown).")
	}
}

// errNoPaste is a terminal, or a stdin, that ended without a redirect URL.
var errNoPaste = errors.New("stdin ended without a redirect URL")

// pasted reads redirect URLs until a good one comes. At a terminal, and beside a
// listener, a bad one is only asked for again.
func (l *signIn) pasted(ctx context.Context, redirectURI, state string, listening bool) (*callback.Response, error) {
	var response *callback.Response
	last := error(&usageError{err: errNoPaste, hint: "paste the whole address that the browser ended on"})
	try := func(line string) (done bool) {
		if strings.TrimSpace(line) == "" {
			return false
		}
		r, err := callback.Parse(line, redirectURI, state)
		if err != nil {
			last = err
			say(l.cmd, "That is not it: %v. Paste the whole address that the browser ended on.", err)
			return false
		}
		response = r
		return true
	}
	var err error
	if in, ok := l.cmd.InOrStdin().(*os.File); ok && isTerminal(in) {
		err = readTerminal(ctx, in, func() {}, try)
	} else {
		err = readLines(ctx, l.cmd.InOrStdin(), try)
	}
	switch {
	case response != nil:
		return response, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && !listening:
		return nil, errorf("reading the redirect URL: %w", err)
	case listening:
		return nil, errNoPaste
	}
	return nil, last
}

// readLines hands over stdin line by line until take is content. The read itself
// can't be interrupted, so it is left behind when the context ends.
func readLines(ctx context.Context, r io.Reader, take func(string) bool) error {
	ended := make(chan error, 1)
	go func() {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if take(lines.Text()) {
				break
			}
		}
		ended <- lines.Err()
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return nil
	}
}
