package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/store"
)

// shortestPassphrase is in characters. Who can read the state directory can try as many
// passphrases as they like, a few a second on each core.
const shortestPassphrase = 8

// passphraseOf is what locks the file store's key. Nothing is looked at yet.
func (o *options) passphraseOf(cmd *cobra.Command, p config.Profile, dir string) *store.Passphrase {
	if o.passphrase == nil {
		show := func() {} // has the terminal echo again, where it doesn't
		o.passphrase = &store.Passphrase{
			Dir: dir, Timeout: p.PassphraseTimeout(),
			Present: func() bool { return canAsk(cmd) },
			Ask: func(ctx context.Context, q store.Question) (string, error) {
				o.catch() // Ctrl-C puts the terminal back
				t, err := openTalk(cmd)
				if err != nil {
					return "", err
				}
				defer t.close()
				t.away = func() { o.sayAway(cmd, p.Name, q) }
				show() // what is asked now finds the terminal as it was
				typed, err := t.ask(ctx, q, p.StoreTimeout)
				show = hush(t.in)
				return typed, err
			},
			Asked: func() { show(); show = func() {} },
			Unkept: func(err error) {
				warn(cmd, "the passphrase is asked for each time: %s (/proc/keys lists what is there; --store-key-file FILE does without)", clean(err.Error()))
			},
		}
	}
	return o.passphrase
}

// canAsk reports whether a person is there.
func canAsk(cmd *cobra.Command) bool {
	t, err := openTalk(cmd)
	if err == nil {
		t.close()
	}
	return err == nil
}

// takesPassphrase reports whether the file store can do with one here: somebody can be
// asked, and the kernel keeps what it opens.
func takesPassphrase(cmd *cobra.Command) bool {
	return runtime.GOOS == "linux" && canAsk(cmd) && store.KernelCache{}.Works() == nil
}

// talk is a conversation at the terminal.
type talk struct {
	in    *os.File
	out   io.Writer
	away  func() // is called when another job has the terminal
	close func()
}

// openTalk listens on stdin, and speaks on stderr or, where that is elsewhere (2>log), on
// the terminal itself, as ssh, sudo and gpg do. A terminal that isn't our session's may
// belong to anybody.
func openTalk(cmd *cobra.Command) (talk, error) {
	t := talk{in: fileOf(cmd.InOrStdin()), out: cmd.ErrOrStderr(), close: func() {}}
	switch {
	case !isTerminal(t.in) || !controls(t.in):
		return talk{}, errors.New("stdin is not our terminal")
	case isTerminal(t.out):
		return t, nil
	}
	tty, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0)
	t.out, t.close = tty, func() { tty.Close() }
	return t, err
}

func (t talk) say(format string, args ...any) { fmt.Fprintf(t.out, format+"\n", args...) }

// ask returns the passphrase; empty if the person doesn't give it.
func (t talk) ask(ctx context.Context, q store.Question, timeout string) (passphrase string, err error) {
	if q.Wrong > 0 {
		t.say("That is not it.")
	}
	if q.New {
		passphrase, err = t.choose(ctx, timeout)
	} else {
		passphrase, err = t.read(ctx, "Passphrase of authctl's file store")
	}
	if errors.Is(err, io.EOF) {
		return "", nil
	}
	return passphrase, err
}

// choose asks until the same good one was typed twice.
func (t talk) choose(ctx context.Context, timeout string) (string, error) {
	t.say("The tokens will be kept in a file that a passphrase locks. It is asked for once, and again %s later.", timeout)
	for {
		chosen, err := t.read(ctx, "Choose a passphrase (it isn't shown)")
		if err != nil {
			return "", err
		}
		if why := weakness(chosen); why != "" {
			t.say("%s", why)
			continue
		}
		again, err := t.read(ctx, "The same again")
		if err != nil {
			return "", err
		}
		if again == chosen {
			return chosen, nil
		}
		t.say("The two differ.")
	}
}

// weakness is why a passphrase won't do; empty if it will.
func weakness(passphrase string) string {
	switch {
	case utf8.RuneCountInString(passphrase) < shortestPassphrase:
		return fmt.Sprintf("That is too short: %d characters at least. Some words that nobody would put together are good.", shortestPassphrase)
	case strings.ContainsFunc(passphrase, unicode.IsControl):
		return "There is a control character in it, of an arrow key perhaps, which nobody would type again."
	}
	return ""
}

// read reads one line of the terminal that isn't shown. io.EOF: there is none any more.
func (t talk) read(ctx context.Context, question string) (string, error) {
	typed, asked := "", false
	ask := func() { asked = true; fmt.Fprint(t.out, question+": ") }
	err := readTerminal(ctx, t.in, t.away, ask, func(line string) bool { typed = line; return true })
	if asked {
		t.say("") // Enter wasn't shown either
	}
	if err != nil {
		return "", errorf("reading the passphrase: %w", err)
	}
	return typed, ctx.Err()
}

// sayAway is for a job in the background. Others are stopped there; it goes on as soon as
// any process was given the passphrase.
func (o *options) sayAway(cmd *cobra.Command, profile string, q store.Question) {
	elsewhere := ""
	if !q.New {
		elsewhere = ", or run " + commandFor(&onProfile{name: profile, named: o.profile != "", config: o.config}, "whoami")
	}
	say(cmd, "authctl: waiting for the passphrase of the file store, which is asked for in the foreground only: bring this job there (fg)%s", elsewhere)
}
