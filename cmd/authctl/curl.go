package main

import (
	"slices"
	"strings"
	"time"

	"os"

	"github.com/spf13/cobra"

	"github.com/authctl/authctl/internal/session"
)

func newCurlCmd(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "curl ARG...",
		Short: "Run the system's curl with the token attached",
		Long: `Run the system's curl with the token attached. Everything after the word curl
is curl's own; authctl's flags come before it.

The token reaches curl through a pipe, so that no process list shows it.`,
		Example:            `  authctl --profile work curl -sS https://api.example.com/me`,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			env := os.Environ() // as it came: looking for the keychain sets a variable
			curl, err := lookUp("curl")
			if err != nil {
				return err
			}
			tokens, err := o.fresh(cmd, session.Need{MinTTL: time.Minute})
			if err != nil {
				return err
			}
			header := "header = " + curlQuote("Authorization: Bearer "+tokens.AccessToken) + "\n"
			return become(cmd, curl, append([]string{"curl"}, withConfig(args)...), env, []byte(header))
		},
	}
}

// configPath stands in curl's arguments for the path that become knows.
const configPath = "\x00config"

// withConfig has curl read its config first, so that what was typed comes after it, and
// again for each request that begins anew with --next. -q has to stay the very first
// argument to keep ~/.curlrc out.
func withConfig(args []string) []string {
	at := 0
	if len(args) > 0 && (strings.HasPrefix(args[0], "-q") || args[0] == "--disable") {
		at = 1
	}
	all := slices.Insert(slices.Clone(args), at, "--config", configPath)
	for i := len(all) - 1; i >= 0; i-- {
		if all[i] == "--next" || all[i] == "-:" {
			all = slices.Insert(all, i+1, "--config", configPath)
		}
	}
	return all
}

// curlQuote is s as a quoted value of curl's config file, where only a backslash and
// a quote mean anything among the characters that a token may have.
func curlQuote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
