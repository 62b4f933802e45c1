package main

import (
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// How the person gets to the provider's page, and the answer back: what follows from
// the flags, the environment and whether somebody is there.
func TestChooseWay(t *testing.T) {
	for name, c := range map[string]struct {
		flags         loginFlags
		browserEnv    string
		display       string
		terminal      bool // stdin
		browser       bool
		listen, paste bool
		device        bool
		refused       bool
	}{
		"nothing at all":              {refused: true},
		"a display":                   {display: ":0", browser: true, listen: true},
		"BROWSER":                     {browserEnv: "x", browser: true, listen: true},
		"--browser":                   {flags: loginFlags{browser: "x"}, browser: true, listen: true},
		"--no-browser":                {flags: loginFlags{noBrowser: true}, listen: true},
		"--no-browser, display":       {flags: loginFlags{noBrowser: true}, display: ":0", listen: true},
		"--no-browser, BROWSER":       {flags: loginFlags{noBrowser: true}, browserEnv: "x", listen: true},
		"--paste":                     {flags: loginFlags{paste: true}, paste: true},
		"--paste with a display":      {flags: loginFlags{paste: true}, display: ":0", browser: true, paste: true},
		"--paste --no-browser":        {flags: loginFlags{paste: true, noBrowser: true}, paste: true},
		"--device":                    {flags: loginFlags{device: true}, device: true},
		"--device with a browser":     {flags: loginFlags{device: true}, browserEnv: "x", display: ":0", device: true},
		"a terminal and --device":     {terminal: true, flags: loginFlags{device: true}, device: true},
		"a terminal (SSH)":            {terminal: true, listen: true, paste: true},
		"a terminal and a display":    {terminal: true, display: ":0", browser: true, listen: true, paste: true},
		"a terminal and --no-browser": {terminal: true, flags: loginFlags{noBrowser: true}, listen: true, paste: true},
	} {
		t.Run(name, func(t *testing.T) {
			if c.display == "" && !c.browser && (runtime.GOOS == "windows" || runtime.GOOS == "darwin") {
				return // there is always a display
			}
			t.Setenv("BROWSER", c.browserEnv)
			t.Setenv("DISPLAY", c.display)
			t.Setenv("WAYLAND_DISPLAY", "")
			cmd := &cobra.Command{}
			cmd.SetIn(strings.NewReader(""))
			if c.terminal {
				cmd.SetIn(terminal(t))
			}
			cmd.SetErr(io.Discard)
			w, err := chooseWay(cmd, c.flags)
			if usage := (*usageError)(nil); errors.As(err, &usage) != c.refused {
				t.Fatalf("error: got %v, want one: %v", err, c.refused)
			}
			if c.refused {
				return
			}
			if got, want := [4]bool{w.browser != nil, w.listen, w.paste, w.device}, [4]bool{c.browser, c.listen, c.paste, c.device}; got != want {
				t.Errorf("browser, listener, paste, device: got %v, want %v", got, want)
			}
		})
	}
}

// terminal is one end of a pseudo-terminal.
func terminal(t *testing.T) *os.File {
	t.Helper()
	controller, tty := openTerminal(t)
	t.Cleanup(func() { controller.Close(); tty.Close() })
	if !isTerminal(tty) {
		t.Fatal("got something else than a terminal")
	}
	return tty
}
