package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
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
	if w.browser == nil {
		return passed("no display, so login prints the address to open elsewhere, and takes the redirect URL that is pasted")
	}
	if os.Getenv("BROWSER") != "" {
		return variableBrowser(filepath.SplitList(os.Getenv("BROWSER")))
	}
	if len(foregroundOpeners) == 0 {
		return passed("login opens the default browser of %s", runtime.GOOS)
	}
	for _, opener := range foregroundOpeners {
		if path, err := exec.LookPath(opener); err == nil {
			return passed("login opens the desktop's browser with %s", path)
		}
	}
	return warned("install xdg-utils, or set BROWSER to a browser's command",
		"there is a display, and nothing to open a browser with: none of %s is on PATH", strings.Join(foregroundOpeners, ", "))
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
