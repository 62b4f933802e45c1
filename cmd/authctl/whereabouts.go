package main

import (
	"os"
	"os/exec"
	"os/user"
	"runtime"
	"strconv"
	"strings"
)

// whereabouts are where authctl runs, as far as signing in is concerned: whether a browser
// that opens there is one that the person sees, and if not, what they have to know. The
// texts go into sentences.
type whereabouts struct {
	name    string    // such as "over SSH"; empty on an ordinary desktop
	because string    // more of it, for why the browser is chosen as it is; may be empty
	display bool      // something could open a window here
	system  bool      // the system's browser is the person's
	opener  []string  // instead, the command that opens theirs, before the URL
	remote  bool      // their browser is on another machine than authctl's listener
	where   string    // in which browser they open an address themselves
	back    string    // how a browser comes back here; empty: nothing special
	ssh     *sshRoute // from where they sit; nil: not over SSH, as far as is known
}

const noDisplay = "no display"

// phrase is the name, with the reason.
func (w whereabouts) phrase() string {
	if w.because == "" {
		return w.name
	}
	return w.name + ", " + w.because
}

// sentence says what follows from where this is.
func sentence(where, follows string) string {
	return strings.ToUpper(where[:1]) + where[1:] + ": " + follows
}

// noWay is the error where nobody would see an address.
func (w whereabouts) noWay() error {
	where := ""
	if w.name != noDisplay {
		where = w.name + " "
	}
	return &usageError{
		err:  errorf("%sthere is no display to open a browser on, and no terminal to show its address at", where),
		hint: "use authctl login with --browser CMD (or BROWSER), --no-browser, which prints the address, --paste, which reads the redirect URL from stdin, or --device, which signs in on another device",
	}
}

// surroundings are what whereabouts are told by. A test makes its own.
type surroundings struct {
	os       string // as runtime.GOOS
	getenv   func(string) string
	exists   func(path string) bool
	read     func(path string) string // empty if it can't be read
	lookPath func(program string) (string, error)
	user     func() string // who authctl runs as; empty if unknown
	uid      int
}

// here are the surroundings of this process.
func here() surroundings {
	return surroundings{
		os:       runtime.GOOS,
		getenv:   os.Getenv,
		exists:   func(path string) bool { _, err := os.Stat(path); return err == nil },
		read:     func(path string) string { text, _ := os.ReadFile(path); return string(text) },
		lookPath: exec.LookPath,
		user:     currentUser,
		uid:      os.Getuid(),
	}
}

func currentUser() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username[strings.LastIndex(u.Username, `\`)+1:] // Windows puts the domain before it
}

const atTheirs = "in the browser of the machine that you sit at"

// whereabouts goes from what is certain of where the person sits to what is only likely.
// VS Code's remote terminals may be sessions of sshd's too, and containers; a tmux that
// was begun in one may be looked at over SSH alone by now, which serves VS Code as well.
func (s surroundings) whereabouts() whereabouts {
	ssh := s.sshRoute()
	remembered := ssh != nil && s.any("TMUX", "STY")
	switch {
	case ssh == nil && s.inWSL():
		return s.wsl()
	case s.any("CODESPACES"):
		return s.vsCode("in a GitHub codespace") // gh's sshd is behind a tunnel of its own
	case s.any("VSCODE_IPC_HOOK_CLI", "REMOTE_CONTAINERS") && !remembered:
		return s.vsCode("in a remote terminal of VS Code")
	case ssh != nil:
		return s.overSSH(ssh)
	case s.hasDisplay() && s.underSudo():
		return whereabouts{name: "under sudo", because: "where the display is another user's", display: true, where: "in that user's browser"}
	case s.inContainer():
		return s.container()
	case s.hasDisplay():
		return whereabouts{display: true, system: true}
	}
	return whereabouts{name: noDisplay, where: "in a browser elsewhere", ssh: s.guessedRoute()}
}

// any reports whether one of the variables is set.
func (s surroundings) any(names ...string) bool {
	for _, name := range names {
		if s.getenv(name) != "" {
			return true
		}
	}
	return false
}

// hasDisplay reports whether a window could open here.
func (s surroundings) hasDisplay() bool {
	return s.os == "windows" || s.os == "darwin" || s.any("DISPLAY", "WAYLAND_DISPLAY")
}

// vsCode names its own opener in BROWSER, which opens the browser where VS Code is and
// forwards the port, so that nobody needs another tunnel. Where BROWSER is lost, VS Code
// sees the port all the same, as a rule.
func (s surroundings) vsCode(name string) whereabouts {
	return whereabouts{
		name: name, because: "where BROWSER isn't set", display: s.hasDisplay(), remote: true,
		where: atTheirs, back: "VS Code forwards the port as a rule.",
	}
}

// overSSH opens nothing: a browser on a forwarded display is slow, another than the one
// that knows the person's passwords, and on macOS and Windows in front of somebody else.
func (s surroundings) overSSH(ssh *sshRoute) whereabouts {
	w := whereabouts{name: "over SSH", display: s.any("DISPLAY", "WAYLAND_DISPLAY"), remote: true, where: atTheirs, ssh: ssh}
	if s.any("TMUX", "STY") {
		w.name = "over SSH, as far as tmux or screen remembers"
	}
	if w.display {
		w.because = "with a display that only --browser and BROWSER use"
	}
	return w
}

// inContainer knows Docker, Podman, what sets the variable that systemd agreed on with
// them, and Kubernetes.
func (s surroundings) inContainer() bool {
	return s.exists("/.dockerenv") || s.exists("/run/.containerenv") || s.any("container", "KUBERNETES_SERVICE_HOST")
}

// container has a display where it is made for desktop programs (Toolbx, Flatpak), and
// shares the network then.
func (s surroundings) container() whereabouts {
	w := whereabouts{name: "in a container", where: "in a browser outside of it", display: s.hasDisplay()}
	w.system = w.display
	if !w.display {
		w.back = "A browser outside comes back only if the container uses the host's network."
	}
	return w
}

// underSudo reports whether the display is somebody else's: a browser doesn't run there,
// and as root not at all. macOS has no such display.
func (s surroundings) underSudo() bool {
	by := s.getenv("SUDO_UID")
	return s.os != "darwin" && by != "" && by != strconv.Itoa(s.uid)
}
