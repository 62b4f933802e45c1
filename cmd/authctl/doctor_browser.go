package main

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// checkBrowser says what login would do here, without doing it.
func (d *doctor) checkBrowser(context.Context) finding {
	w, err := chooseWay(d.cmd, loginFlags{})
	if err != nil {
		_, hint, _ := explain(err)
		return warned(hint, "%w: login needs a flag that says how to go on", err)
	}
	if commands := os.Getenv("BROWSER"); commands != "" {
		return variableBrowser(browserList(commands))
	}
	p := w.at
	switch {
	case p.opener != nil:
		return passed("%s: login opens Windows' browser with %s", p.phrase(), p.opener[0])
	case p.system:
		return systemFinding(p)
	}
	return passed("%s: login opens no browser here, but prints the address to open %s, and takes the redirect URL that is pasted", p.phrase(), p.where)
}

// systemFinding looks for what opens the system's browser.
func systemFinding(p whereabouts) finding {
	if len(foregroundOpeners) == 0 {
		return passed("login opens the default browser of %s", runtime.GOOS)
	}
	where := ""
	if p.name != "" {
		where = p.phrase() + ": "
	}
	for _, opener := range foregroundOpeners {
		if path, err := exec.LookPath(opener); err == nil {
			return passed("%slogin opens the desktop's browser with %s", where, path)
		}
	}
	return warned("install xdg-utils, or set BROWSER to a browser's command",
		"%sthere is a display, and nothing to open a browser with: none of %s is on PATH", where, strings.Join(foregroundOpeners, ", "))
}

// variableBrowser finds the first command of BROWSER that is there. Only the program is
// named: its arguments are the person's own.
func variableBrowser(commands []string) finding {
	for _, command := range commands {
		if command == "" {
			continue
		}
		if path, err := exec.LookPath(browserArgs(command, "")[0]); err == nil {
			return passed("login opens the browser with %s, from BROWSER", path)
		}
	}
	return warned("set BROWSER to a browser's command, or unset it", "no command in BROWSER is on PATH: login prints the address to open")
}
