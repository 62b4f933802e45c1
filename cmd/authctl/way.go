package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
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
