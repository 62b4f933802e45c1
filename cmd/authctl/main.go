// Command authctl signs in to any OAuth 2.0 or OpenID Connect provider and gives
// scripts a fresh access token. This package holds every word that a person
// reads; the mechanisms are in internal/.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/authctl/authctl/internal/store"
)

func main() {
	hideMemory()
	log.SetOutput(io.Discard) // net/http logs what a provider sends beside its answers, an echo of secrets too
	roomyStack(false)
	os.Exit(run(os.Args[1:], time.Now, os.Stdin, os.Stdout, os.Stderr))
}

// options are the flags that every command has, the clock, and when the process began:
// a token obtained since then is fresh to it.
type options struct {
	profile string
	config  string
	verbose bool
	now     func() time.Time
	started time.Time
	catch   func() // signals; before anything that has to be finished

	keychain   *store.Keychain   // the one of this process, once it is needed
	passphrase *store.Passphrase // likewise
}

// signalError is why a context ended, when a signal ended it.
type signalError struct{ syscall.Signal }

func (e signalError) Error() string { return e.Signal.String() }

// run executes one command line by the given clock and returns the process's exit code.
func run(args []string, now func() time.Time, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, catch, stop := withSignals(context.Background(), stderr)
	defer stop()
	o := &options{now: now, started: now(), catch: catch}
	root := newRoot(o, args)
	root.SetArgs(args)
	root.SetIn(stdin)
	out := &answers{Writer: stdout}
	root.SetOut(out)
	root.SetErr(stderr)
	ran := false
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if cmd.Name() != "token" { // which catches signals itself, where that matters
			catch()
		}
		for _, name := range []string{"profile", "config"} {
			if f := root.PersistentFlags().Lookup(name); f.Changed && f.Value.String() == "" {
				return errorf("--%s is empty", name) // an unset variable of a script must not mean the default
			}
		}
		for _, name := range []string{"version", "json"} {
			if cmd != root && root.Flags().Changed(name) {
				return &usageError{err: errorf("--%s before the name of a command", name), hint: misplaced(root, args, name)}
			}
		}
		err := cmd.ValidateFlagGroups() // cobra looks only after this: flags that exclude each other are wrong usage
		ran = err == nil
		return err
	}
	noHelp, help := error(nil), root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) { // which cobra shows whatever stands beside --help
		if cmd.HasSubCommands() {
			noHelp = subcommands(cmd, cmd.Flags().Args())
		}
		if noHelp == nil {
			help(cmd, args)
		}
	})
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = noHelp
	}
	if usage := (*usageError)(nil); err != nil && !ran && !errors.As(err, &usage) {
		usage = &usageError{err: flagError(err)} // of flags before the subcommand no SetFlagErrorFunc hears
		usage.hint = misplaced(root, args, strings.TrimPrefix(err.Error(), "unknown flag: --"))
		err = usage
	}
	if err == nil && out.err != nil {
		err = errorf("writing to stdout: %w", out.err)
	}
	if err == nil {
		return 0
	}
	if cause := endedBy(ctx, err); cause != nil {
		if left := (*revocationError)(nil); errors.As(err, &left) {
			report(stderr, left)
		}
		err = cause
	}
	return report(stderr, err)
}

// misplaced is the way out where a flag of a command stands before its name; else empty.
func misplaced(root *cobra.Command, args []string, flag string) (hint string) {
	for _, command := range root.Commands() {
		if slices.Contains(args, command.Name()) && command.Flags().Lookup(flag) != nil {
			return "a command's flags come after its name: " + command.CommandPath() + " --" + flag
		}
	}
	return ""
}

// endedBy is the signal that ended the command, where err is of that; else nil.
func endedBy(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); ctx.Err() != nil && (isCancellation(err) || errors.Is(err, cause)) {
		return cause
	}
	return nil
}

// answers is stdout. It remembers that it could not be written, since cobra drops that
// error of a help text.
type answers struct {
	io.Writer
	err error
}

func (a *answers) Write(p []byte) (int, error) {
	n, err := a.Writer.Write(p)
	if err != nil {
		a.err = err
	}
	return n, err
}

// withSignals ends the context, with the signal as its cause, instead of the
// process: a renewal that was sent is saved first. That begins with catch, before
// anything is sent or written, or else when a moment has passed: most who ask for a token
// have it until then, and the thread that hears of signals is a part of what that costs.
// A closed stdout or stderr is an error of that write at any time, and not the end of a
// renewal in flight.
func withSignals(parent context.Context, stderr io.Writer) (ctx context.Context, catch, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Ignore(syscall.SIGPIPE)
	catch = sync.OnceFunc(func() { hear(ctx, cancel, signals, stderr) })
	soon := time.AfterFunc(aMoment, catch)
	return ctx, catch, func() { soon.Stop(); signal.Stop(signals); cancel(nil) }
}

// aMoment is what a person doesn't notice, and much more than a cached token takes.
const aMoment = 20 * time.Millisecond

// hear ends the context at the first signal. What nohup, or a shell's background, has us
// ignore stays ignored; SIGPIPE, being caught, is back to normal in what exec runs.
func hear(ctx context.Context, cancel context.CancelCauseFunc, signals chan os.Signal, stderr io.Writer) {
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	go func() {
		select {
		case s := <-signals:
			cancel(signalError{s.(syscall.Signal)})
			time.AfterFunc(time.Second, func() {
				fmt.Fprintln(stderr, "Finishing what was begun, so that nothing is lost. It takes a minute at most.")
			})
		case <-ctx.Done():
		}
	}()
}

// newRoot makes all commands, or the one that args begin with: to make the others takes
// longer than all that `authctl token` does.
func newRoot(o *options, args []string) *cobra.Command {
	var version, asJSON bool
	root := &cobra.Command{
		Use:   "authctl",
		Short: "Sign in once, have a fresh token in every script",
		Long: `authctl signs in to any OAuth 2.0 or OpenID Connect provider through the
browser, keeps the tokens in the system's keychain, and prints a fresh access
token whenever a script asks for one.

  authctl login --issuer https://auth.example.com --client-id ID
  curl -H "Authorization: Bearer $(authctl token)" https://api.example.com/`,
		Args:              subcommands,
		SilenceErrors:     true,
		SilenceUsage:      true,
		TraverseChildren:  true, // all after the word "curl" is curl's
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version {
				return printVersion(cmd.OutOrStdout(), asJSON)
			}
			return cmd.Help()
		},
	}
	flags := root.PersistentFlags()
	flags.StringVarP(&o.profile, "profile", "p", "", "`NAME` of the profile to use (AUTHCTL_PROFILE)")
	flags.StringVar(&o.config, "config", "", "config `FILE` (AUTHCTL_CONFIG)")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "show each request and answer on stderr, secrets redacted")
	root.Flags().BoolVar(&version, "version", false, "print the version")
	root.Flags().BoolVar(&asJSON, "json", false, "with --version: an object")
	root.RegisterFlagCompletionFunc("profile", o.completeProfiles)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{err: flagError(err), hint: cmd.CommandPath() + " --help"}
	})
	commands := map[string]func(*options) *cobra.Command{
		"login": newLoginCmd, "token": newTokenCmd, "whoami": newWhoamiCmd, "logout": newLogoutCmd, "status": newStatusCmd,
		"profile": newProfileCmd, "exec": newExecCmd, "curl": newCurlCmd, "doctor": newDoctorCmd, "version": newVersionCmd,
	}
	if len(args) > 0 && commands[args[0]] != nil {
		root.AddCommand(commands[args[0]](o))
		root.CompletionOptions.DisableDefaultCmd = true
		return root
	}
	for _, command := range commands {
		root.AddCommand(command(o))
	}
	strict(root)
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		tidyCompletion(root)
	}
	return root
}

// tidyCompletion leaves out of what a shell offers the files that a command doesn't take, and
// the flags that after the word curl are curl's.
func tidyCompletion(cmd *cobra.Command) {
	if cmd.ValidArgsFunction == nil && cmd.Name() != "exec" && cmd.Name() != "curl" {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	for _, duration := range []string{"min-ttl", "timeout"} {
		if cmd.Flags().Lookup(duration) != nil {
			cmd.RegisterFlagCompletionFunc(duration, cobra.NoFileCompletions)
		}
	}
	if cmd.Name() == "curl" {
		for _, ours := range []string{"profile", "config", "verbose", "help"} {
			cmd.Flags().Bool(ours, false, "") // in place of the one of that name
			cmd.Flags().MarkHidden(ours)
		}
	}
	for _, sub := range cmd.Commands() {
		tidyCompletion(sub)
	}
}

// strict makes a shell that cobra doesn't know, and help on a command that isn't there, wrong
// usage, as any other subcommand that isn't there.
func strict(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	if cmd, _, err := root.Find([]string{"completion"}); err == nil {
		cmd.Args = subcommands
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	if cmd, _, err := root.Find([]string{"help"}); err == nil {
		cmd.Args = func(_ *cobra.Command, args []string) error {
			at, rest, _ := root.Find(args)
			return subcommands(at, rest)
		}
	}
}

// subcommands refuses an argument to a command that only has subcommands, and
// names the nearest of those.
func subcommands(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	e := &usageError{err: errorf("there is no command %q", cmd.CommandPath()+" "+args[0]), hint: cmd.CommandPath() + " --help"}
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		e.hint = "did you mean " + cmd.CommandPath() + " " + near[0] + "?"
	}
	return e
}

// oneName allows a profile's name.
func oneName(cmd *cobra.Command, args []string) error {
	if err := switchValue(cmd, args); err != nil {
		return err
	}
	if len(args) > 1 {
		return &usageError{err: errorf("%s takes one name, and got %q too", cmd.CommandPath(), args[1]), hint: cmd.CommandPath() + " --help"}
	}
	return nil
}

// aName demands one, or --profile.
func aName(cmd *cobra.Command, args []string) error {
	if len(args) == 0 && !cmd.Flags().Changed("profile") {
		return &usageError{err: errorf("%s: which profile?", strings.TrimPrefix(cmd.CommandPath(), "authctl ")), hint: cmd.CommandPath() + " NAME; authctl profile list has the names"}
	}
	return oneName(cmd, args)
}

// switchValue refuses what looks like a switch's value and, without the =, is a name: the
// switch would be on, and a profile of that name be made.
func switchValue(cmd *cobra.Command, args []string) error {
	at := slices.IndexFunc(args, func(arg string) bool {
		return slices.Contains([]string{"true", "false", "yes", "no", "on", "off", "1", "0"}, strings.ToLower(arg))
	})
	if at < 0 { // as with every token
		return nil
	}
	given := slices.IndexFunc(settings, func(s setting) bool {
		f := cmd.Flags().Lookup(s.name)
		return f != nil && f.Changed && f.NoOptDefVal != ""
	})
	if given < 0 {
		return nil
	}
	flag := "--" + settings[given].name
	return &usageError{err: errorf("%q is no value of %s without a =", args[at], flag), hint: flag + "=true or " + flag + "=false"}
}

// noArgs refuses arguments, mostly a forgotten dash or quote.
func noArgs(cmd *cobra.Command, args []string) error {
	if err := switchValue(cmd, args); err != nil {
		return err
	}
	if len(args) > 0 {
		return &usageError{err: errorf("%s takes no argument, and got %q", cmd.CommandPath(), args[0]), hint: cmd.CommandPath() + " --help"}
	}
	return nil
}
