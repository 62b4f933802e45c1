// Command pictures draws the README's pictures. It types the README's session into a
// shell in a real terminal, where the built authctl runs it against a provider and an
// API on this machine that answer to the names in the README, and Chromium signs in.
// The windows' frames are drawn; what is in them is what was there. Text looks best
// where the fonts JetBrains Mono and Inter are installed.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// The session, and what has to come of each command.
var session = []struct{ command, shows string }{
	{"authctl login --issuer " + issuerHost + " --client-id " + clientID + " --redirect-uri https://" + callbackAddress + "/callback", "Signed in to"},
	{`curl -H "Authorization: Bearer $(authctl token)" https://` + apiHost + "/hello", "Hello"},
}

const callbackAddress = "localhost:9000"

func main() {
	if err := start(); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func start() error {
	if address := os.Getenv(handoffVar); address != "" { // authctl started us
		return handOver(address, os.Args[1:])
	}
	authctl := flag.String("authctl", "bin/authctl", "the built `program`")
	out := flag.String("out", ".github", "`directory` for terminal.png and page.png")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	return run(ctx, *authctl, *out)
}

// run makes both pictures and prints the session, for the README's text.
func run(ctx context.Context, authctl, out string) error {
	if err := callbackIsFree(); err != nil {
		return err
	}
	m, err := newMachine(authctl)
	if err != nil {
		return err
	}
	defer m.close()
	b, err := openBrowser(ctx, m.proxy.URL)
	if err != nil {
		return fmt.Errorf("starting Chromium: %w", err)
	}
	defer b.close()
	text, page, err := perform(ctx, m, b)
	if err != nil {
		return err
	}
	fmt.Print(strings.TrimSuffix(shorten(text), prompt))
	return errors.Join(
		b.draw(terminalWindow(text), filepath.Join(out, "terminal.png")),
		b.draw(pageWindow(page), filepath.Join(out, "page.png")))
}

// callbackIsFree says in time what authctl would say in the picture.
func callbackIsFree() error {
	l, err := net.Listen("tcp", callbackAddress)
	if err != nil {
		return fmt.Errorf("the session's callback needs %s: %w", callbackAddress, err)
	}
	return l.Close()
}

// perform runs the session. A sign-in that fails ends the terminal, where authctl
// would wait for it.
func perform(ctx context.Context, m *machine, b *browser) (text string, last *page, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t, err := openTerminal(ctx, m)
	if err != nil {
		return "", nil, err
	}
	defer t.close()
	pages := make(chan *page, 1)
	go func() {
		p, err := b.signIn(m.openedURL)
		if err != nil {
			cancel(fmt.Errorf("signing in: %w", err))
		}
		pages <- p
	}()
	for _, step := range session {
		if err := t.run(step.command); err != nil {
			return "", nil, fmt.Errorf("%w; the terminal shows\n%s", cmp.Or(context.Cause(ctx), err), t.text)
		}
		if !strings.Contains(t.text, step.shows) {
			return "", nil, fmt.Errorf("no %q; the terminal shows\n%s", step.shows, t.text)
		}
	}
	last = <-pages
	return t.text, last, context.Cause(ctx)
}
