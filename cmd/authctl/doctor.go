package main

import (
	"cmp"
	"context"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/oauth"
)

func newDoctorCmd(o *options) *cobra.Command {
	var asJSON bool
	var given *settingFlags
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check what a sign-in needs here, and say how to mend it",
		Long: `Check config, store, browser, loopback, provider, clock and session, and say how to
mend what isn't well. Nothing is changed: no sign-in, no renewal, no dialog.

The report can be pasted into a ticket: it has no token, no secret and no account.`,
		Example: `  authctl doctor
  authctl doctor --issuer https://auth.example.com --client-id ID    # before the first login`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, err := given.given()
			if err != nil {
				return err
			}
			d := &doctor{options: o, cmd: cmd, flags: given, given: settings}
			return d.run(newChecklist(cmd, asJSON))
		},
	}
	given = addSettingFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an array")
	return cmd
}

// doctor is one examination on its way. Each check leaves here what the later ones
// stand on; nil or false is what could not be had.
type doctor struct {
	*options
	cmd   *cobra.Command
	flags *settingFlags
	given config.Settings

	choice   choice
	profile  *profile // also of settings that are not complete
	complete bool     // they are
	store    bool     // it works
	locked   string   // why it can't be looked into, though it is in order
	unsafe   bool     // the state directory is not to be written to
	cutOff   string   // why the provider need not be asked
	first    *firstAnswer

	metadata   *oauth.Metadata
	noMetadata error // why there is none

	made []string // directories for probes
}

// check is one line of the report. A finding without a result is of no interest here.
type check struct {
	name  string
	limit time.Duration
	look  func(context.Context) finding
}

// checks go from this machine to the provider. Together they take less than 40 s when
// nothing answers: the store has 13 s of its own.
func (d *doctor) checks() []check {
	const local, remote = 15 * time.Second, 6 * time.Second
	return []check{
		{"version", local, d.checkVersion},
		{"config", local, d.checkConfig},
		{"profile", local, d.checkProfile},
		{"environment", local, d.checkEnvironment},
		{"state", local, d.checkState},
		{"store", local, d.checkStore},
		{"browser", local, d.checkBrowser},
		{"loopback", 3 * time.Second, d.checkLoopback},
		{"redirect", local, d.checkRedirect},
		{"certificate", local, d.checkCertificate},
		{"network", 4 * time.Second, d.checkNetwork},
		{"connection", 10 * time.Second, d.checkConnection},
		{"discovery", local, d.checkDiscovery},
		{"keys", remote, d.checkKeys},
		{"provider", local, d.checkProvider},
		{"clock", local, d.checkClock},
		{"session", local, d.checkSession},
		{"cache", local, d.checkCache},
	}
}

func (d *doctor) run(r *checklist) error {
	defer d.cleanUp()
	for _, c := range d.checks() {
		ctx, cancel := context.WithTimeout(d.cmd.Context(), c.limit)
		f := c.look(ctx)
		cancel()
		if d.cmd.Context().Err() != nil {
			return d.cmd.Context().Err() // what was found then means nothing
		}
		if f.Result == "" {
			continue
		}
		f.Name = c.name
		if err := r.add(f); err != nil {
			return err
		}
	}
	return r.end()
}

// cleanUp removes what probes were made in.
func (d *doctor) cleanUp() {
	for _, dir := range d.made {
		os.RemoveAll(dir)
	}
}

func passed(format string, args ...any) finding {
	return finding{Result: resultOK, Detail: errorf(format, args...).Error()}
}

func skipped(why string) finding { return finding{Result: resultSkip, Detail: why} }

func warned(fix, format string, args ...any) finding {
	return finding{Result: resultWarn, Detail: errorf(format, args...).Error(), Fix: fix}
}

func failed(fix, format string, args ...any) finding {
	return finding{Result: resultFail, Detail: errorf(format, args...).Error(), Fix: fix}
}

// failure is an error, with the way out that any command has for it, or else with one
// that is known here.
func (d *doctor) failure(err error, otherwise string) finding {
	_, hint, _ := explain(d.about(err))
	return failed(cmp.Or(hint, otherwise), "%w", err)
}

// about says which profile err is about, and which flags a login needs for it.
func (d *doctor) about(err error) error {
	if d.choice.name == "" {
		return err
	}
	on := &onProfile{name: d.choice.name, named: d.choice.named(), config: d.config, err: err}
	if d.profile != nil {
		on.asks = d.profile.asks
	}
	if d.complete {
		on.flags = d.flags.typed()
	}
	return on
}

// login is the command that signs in with these settings.
func (d *doctor) login() string { return loginCommand(d.about(nil)) }
