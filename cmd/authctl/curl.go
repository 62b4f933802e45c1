package main

import (
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/authctl/authctl/internal/session"
)

func newCurlCmd(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "curl ARG...",
		Short: "Run the system's curl with the token attached",
		Long: `Run the system's curl with the token attached. Everything after the word curl
is curl's own; authctl's flags come before it.

The token reaches curl through a pipe, so that no process list shows it. Each
request that begins anew with --next has it too, but for those of a config file
of your own.`,
		Example:               `  authctl --profile work curl -sS https://api.example.com/me`,
		DisableFlagParsing:    true,
		DisableFlagsInUseLine: true,
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
			config := "oauth2-bearer = " + curlQuote(tokens.AccessToken) + "\n" // read twice it is one header all the same
			return become(cmd, curl, append([]string{"curl"}, withConfig(args)...), env, []byte(config))
		},
	}
}

// configPath stands in curl's arguments for the path that become knows.
const configPath = "\x00config"

// withConfig has curl read its config first, so that what was typed comes after it, and
// again after whatever may be --next: which words are other options' values only curl
// knows. -q has to stay the very first argument to keep ~/.curlrc out.
func withConfig(args []string) []string {
	at := 0
	if len(args) > 0 && (strings.HasPrefix(args[0], "-q") || args[0] == "--disable") {
		at = 1
	}
	all := append(slices.Clone(args[:at]), "--config", configPath)
	for i, arg := range args[at:] {
		if arg == "--" { // only URLs from there
			return append(all, args[at+i:]...)
		}
		all = append(all, arg)
		if mayBeNext(arg) {
			all = append(all, "--config", configPath)
		}
	}
	return all
}

// mayBeNext: --next may be shortened, and -: stand last among other letters.
func mayBeNext(arg string) bool {
	if len(arg) >= len("--nex") && strings.HasPrefix("--next", arg) {
		return true
	}
	letters, colon := strings.CutSuffix(arg, ":")
	return colon && strings.HasPrefix(letters, "-") && !strings.HasPrefix(letters, "--")
}

// curlQuote is s as a quoted value of curl's config file, where only a backslash and
// a quote mean anything among the characters that a token may have.
func curlQuote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
