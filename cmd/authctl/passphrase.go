package main

import (
	"context"
	"fmt"
	"os"
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
		var show func() // has the terminal echo again; nil: it does
		o.passphrase = &store.Passphrase{
			Dir: dir, Timeout: p.PassphraseTimeout(),
			Present: func() bool { return isTerminal(cmd.InOrStdin()) && isTerminal(cmd.ErrOrStderr()) },
			Ask: func(ctx context.Context, q store.Question) (string, error) {
				o.catch() // Ctrl-C puts the terminal back
				typed, err := askPassphrase(ctx, cmd, q, p.StoreTimeout)
				if show == nil {
					show = hush(fileOf(cmd.InOrStdin()))
				}
				return typed, err
			},
			Asked: func() {
				if show != nil {
					show()
					show = nil
				}
			},
			Unkept: func(err error) {
				warn(cmd, "the passphrase is asked for each time: %s (/proc/keys lists what is there; --store-key-file FILE does without)", clean(err.Error()))
			},
		}
	}
	return o.passphrase
}

func askPassphrase(ctx context.Context, cmd *cobra.Command, q store.Question, timeout string) (string, error) {
	if q.New {
		return choosePassphrase(ctx, cmd, timeout)
	}
	if q.Wrong > 0 {
		say(cmd, "That is not it.")
	}
	return readPassphrase(ctx, cmd, "Passphrase of authctl's file store")
}

// choosePassphrase asks until the same good one was typed twice.
func choosePassphrase(ctx context.Context, cmd *cobra.Command, timeout string) (string, error) {
	say(cmd, "The tokens will be kept in a file that a passphrase locks. It is asked for once, and again %s later.", timeout)
	for {
		chosen, err := readPassphrase(ctx, cmd, "Choose a passphrase (it isn't shown)")
		if err != nil {
			return "", err
		}
		if why := weakness(chosen); why != "" {
			say(cmd, "%s", why)
			continue
		}
		again, err := readPassphrase(ctx, cmd, "The same again")
		if err != nil {
			return "", err
		}
		if again == chosen {
			return chosen, nil
		}
		say(cmd, "The two differ.")
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

// readPassphrase reads one line of the terminal that isn't shown.
func readPassphrase(ctx context.Context, cmd *cobra.Command, question string) (string, error) {
	terminal, _ := cmd.InOrStdin().(*os.File) // Present has looked
	typed, asked := "", false
	ask := func() { asked = true; fmt.Fprint(cmd.ErrOrStderr(), question+": ") }
	err := readTerminal(ctx, terminal, ask, func(line string) bool { typed = line; return true })
	if asked {
		say(cmd, "") // Enter wasn't shown either
	}
	if err != nil {
		return "", errorf("reading the passphrase: %w", err)
	}
	return typed, ctx.Err()
}
