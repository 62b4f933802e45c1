package main

import (
	"errors"
	"os"
	"testing"
)

// What the flags, BROWSER and the terminal make of a place: a desktop, a machine without
// a display, and one that the person doesn't sit at.
func TestWay(t *testing.T) {
	const opened, listed, printed = "Opening the browser", "Over SSH: opening the browser that BROWSER names", "Open this address"
	desktop, bare := map[string]string{"DISPLAY": ":0"}, map[string]string{}
	ssh := map[string]string{"SSH_CONNECTION": "192.0.2.1 50022 192.0.2.7 22"}
	const elsewhere = "No display: no browser is opened here; open this address in a browser elsewhere"
	const theirs = "Over SSH: no browser is opened here; open this address in the browser of the machine that you sit at"
	for name, c := range map[string]struct {
		env           map[string]string
		browser       string // BROWSER
		flags         loginFlags
		types, reads  bool
		opening       string // empty: no browser
		address       string // empty: not printed
		listen, paste bool
		device        bool
		refused       bool
	}{
		"nothing at all":                {env: bare, refused: true},
		"somebody reads stderr":         {env: bare, reads: true, address: elsewhere, listen: true},
		"a terminal":                    {env: bare, types: true, address: elsewhere, listen: true, paste: true},
		"a display":                     {env: desktop, opening: opened, listen: true},
		"a display and a terminal":      {env: desktop, types: true, opening: opened, listen: true, paste: true},
		"BROWSER":                       {env: bare, browser: "x", opening: opened, listen: true},
		"--browser":                     {env: bare, flags: loginFlags{browser: "x"}, opening: opened, listen: true},
		"--no-browser":                  {env: bare, flags: loginFlags{noBrowser: true}, address: printed, listen: true},
		"--no-browser, display":         {env: desktop, flags: loginFlags{noBrowser: true}, address: printed, listen: true},
		"--no-browser, BROWSER":         {env: bare, browser: "x", flags: loginFlags{noBrowser: true}, address: printed, listen: true},
		"--no-browser, terminal":        {env: bare, flags: loginFlags{noBrowser: true}, types: true, address: printed, listen: true, paste: true},
		"--paste":                       {env: bare, flags: loginFlags{paste: true}, address: elsewhere, paste: true},
		"--paste with a display":        {env: desktop, flags: loginFlags{paste: true}, opening: opened, address: printed, paste: true},
		"--paste --no-browser":          {env: desktop, flags: loginFlags{paste: true, noBrowser: true}, address: printed, paste: true},
		"--device":                      {env: bare, flags: loginFlags{device: true}, device: true},
		"--device, all else":            {env: desktop, browser: "x", types: true, flags: loginFlags{device: true}, device: true},
		"SSH, nobody":                   {env: ssh, refused: true},
		"SSH, --no-browser":             {env: ssh, flags: loginFlags{noBrowser: true}, address: printed, listen: true},
		"SSH, --paste":                  {env: ssh, flags: loginFlags{paste: true}, address: theirs, paste: true},
		"SSH, --browser":                {env: ssh, flags: loginFlags{browser: "x"}, opening: opened, listen: true},
		"SSH, BROWSER":                  {env: ssh, browser: "x", opening: listed, listen: true},
		"SSH, BROWSER and --browser":    {env: ssh, browser: "x", flags: loginFlags{browser: "x"}, opening: opened, listen: true},
		"SSH, BROWSER and --no-browser": {env: ssh, browser: "x", flags: loginFlags{noBrowser: true}, address: printed, listen: true},
		"SSH, --device":                 {env: ssh, flags: loginFlags{device: true}, device: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := onLinux(c.env)
			s.getenv = func(name string) string {
				if name == "BROWSER" {
					return c.browser
				}
				return c.env[name]
			}
			w, err := s.way(c.flags, c.types, c.reads)
			if usage := (*usageError)(nil); errors.As(err, &usage) != c.refused {
				t.Fatalf("error: got %v, want one: %v", err, c.refused)
			}
			if c.refused {
				return
			}
			if got, want := [4]bool{w.browser != nil, w.listen, w.paste, w.device}, [4]bool{c.opening != "", c.listen, c.paste, c.device}; got != want {
				t.Errorf("browser, listener, paste, device: got %v, want %v", got, want)
			}
			if c.opening != "" && w.opening != c.opening {
				t.Errorf("opening: got %q, want %q", w.opening, c.opening)
			}
			if c.address != "" && w.address != c.address {
				t.Errorf("address: got %q, want %q", w.address, c.address)
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
