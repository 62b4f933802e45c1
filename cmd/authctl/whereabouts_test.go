package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// onLinux are the surroundings of a person on Linux, with nothing but an environment.
func onLinux(env map[string]string) surroundings {
	return surroundings{
		os:       "linux",
		getenv:   func(name string) string { return env[name] },
		exists:   func(string) bool { return false },
		read:     func(string) string { return "" },
		lookPath: func(program string) (string, error) { return "", exec.ErrNotFound },
		user:     func() string { return "ada" },
		uid:      1000,
	}
}

// At a terminal, without flags and without BROWSER: which browser is opened by which
// command, what is said of it, and the command that brings a browser back from where the
// person sits.
func TestWhereabouts(t *testing.T) {
	const (
		wsl1    = "Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com) (gcc version 5.4.0 (GCC) ) #1237-Microsoft"
		wsl2    = "Linux version 6.6.87.2-microsoft-standard-WSL2 (root@439a258ad544) (gcc 11.2.0) #1 SMP PREEMPT_DYNAMIC"
		mounted = "/mnt/c/Windows/System32/rundll32.exe"
		handler = "url.dll,FileProtocolHandler"

		opened  = "Opening the browser"
		none    = ": no browser is opened here; open this address "
		theirs  = none + "in the browser of the machine that you sit at"
		windows = "In WSL: opening Windows' browser with "
		noWSL   = "In WSL, where neither wslview nor rundll32.exe is to be found: "
		vsCode  = "In a remote terminal of VS Code, where BROWSER isn't set" + theirs
		outside = "In a container" + none + "in a browser outside of it"
		away    = "No display" + none + "in a browser elsewhere"
		another = "Under sudo, where the display is another user's" + none + "in that user's browser"
	)
	const tunnel = "ssh -N -L 41234:127.0.0.1:41234 ada@192.0.2.7"
	const guess = "ssh -N -L 41234:127.0.0.1:41234 ada@HOST"
	const connection = "SSH_CONNECTION=192.0.2.1 50022 192.0.2.7 22"
	for name, c := range map[string]struct {
		env     []string
		os      string // linux if empty
		uid     int    // 1000 if 0, and root's is -1
		kernel  string // /proc/version
		files   []string
		path    []string
		opener  []string // the command, before the URL
		system  bool     // the system's browser
		line    string   // before "to sign in to …"
		forward string   // on the person's machine; empty: none is said
		sure    bool     // they came over SSH
		hint    string   // on how the browser comes back
	}{
		"X11":                  {env: []string{"DISPLAY=:0"}, system: true, line: opened},
		"Wayland":              {env: []string{"WAYLAND_DISPLAY=wayland-0"}, system: true, line: opened},
		"macOS":                {os: "darwin", system: true, line: opened},
		"Windows":              {os: "windows", system: true, line: opened},
		"macOS with XQuartz":   {os: "darwin", env: []string{"DISPLAY=/private/tmp/x:0"}, system: true, line: opened},
		"a console":            {line: away, forward: guess},
		"FreeBSD's console":    {os: "freebsd", line: away, forward: guess},
		"FreeBSD with X11":     {os: "freebsd", env: []string{"DISPLAY=:0"}, system: true, line: opened},
		"tmux on a desktop":    {env: []string{"DISPLAY=:0", "TMUX=/tmp/tmux-1000/default,1,0"}, system: true, line: opened},
		"VS Code on a desktop": {env: []string{"DISPLAY=:0", "TERM_PROGRAM=vscode"}, system: true, line: opened},

		"SSH":                     {env: []string{connection, "SSH_TTY=/dev/pts/0"}, line: "Over SSH" + theirs, forward: tunnel, sure: true},
		"SSH, only the terminal":  {env: []string{"SSH_TTY=/dev/pts/0"}, line: "Over SSH" + theirs, forward: guess, sure: true},
		"SSH, only the client":    {env: []string{"SSH_CLIENT=192.0.2.1 50022 22"}, line: "Over SSH" + theirs, forward: guess, sure: true},
		"SSH with X11 forwarding": {env: []string{connection, "DISPLAY=localhost:10.0"}, line: "Over SSH, with a display that only --browser and BROWSER use" + theirs, forward: tunnel, sure: true},
		"SSH to a desktop":        {env: []string{connection, "WAYLAND_DISPLAY=wayland-0"}, line: "Over SSH, with a display that only --browser and BROWSER use" + theirs, forward: tunnel, sure: true},
		"tmux over SSH":           {env: []string{connection, "TMUX=/tmp/tmux-1000/default,1,0"}, line: "Over SSH, as far as tmux or screen remembers" + theirs, forward: tunnel, sure: true},
		"screen over SSH":         {env: []string{connection, "STY=1.pts-0.host"}, line: "Over SSH, as far as tmux or screen remembers" + theirs, forward: tunnel, sure: true},
		"macOS over SSH":          {os: "darwin", env: []string{connection}, line: "Over SSH" + theirs, forward: tunnel, sure: true},
		"Windows over SSH":        {os: "windows", env: []string{connection}, line: "Over SSH" + theirs, forward: tunnel, sure: true},
		"a container over SSH":    {env: []string{connection}, files: []string{"/.dockerenv"}, line: "Over SSH" + theirs, forward: tunnel, sure: true},
		"WSL over SSH":            {env: []string{connection, "WSL_DISTRO_NAME=Debian"}, kernel: wsl2, path: []string{"wslview"}, line: "Over SSH" + theirs, forward: tunnel, sure: true},
		"sudo over SSH":           {env: []string{"SUDO_UID=1000", "SUDO_USER=grace"}, uid: -1, line: away, forward: "ssh -N -L 41234:127.0.0.1:41234 grace@HOST"},
		"sudo -E over SSH":        {env: []string{connection, "SUDO_UID=1000", "SUDO_USER=grace"}, uid: -1, line: "Over SSH" + theirs, forward: "ssh -N -L 41234:127.0.0.1:41234 grace@192.0.2.7", sure: true},

		"WSL2, wslview":               {env: []string{"WSL_DISTRO_NAME=Debian", "WSL_INTEROP=/run/WSL/8_interop"}, kernel: wsl2, path: []string{"wslview", "rundll32.exe"}, opener: []string{"/bin/wslview"}, line: windows + "wslview", hint: "As a rule WSL "},
		"WSL2, Windows on PATH":       {env: []string{"WSL_DISTRO_NAME=Debian"}, kernel: wsl2, path: []string{"rundll32.exe"}, opener: []string{"/bin/rundll32.exe", handler}, line: windows + "rundll32.exe", hint: "As a rule WSL "},
		"WSL2, Windows not on PATH":   {env: []string{"WSL_DISTRO_NAME=Debian"}, kernel: wsl2, files: []string{mounted}, opener: []string{mounted, handler}, line: windows + "rundll32.exe", hint: "As a rule WSL "},
		"WSL1":                        {env: []string{"WSL_DISTRO_NAME=Debian"}, kernel: wsl1, files: []string{mounted}, opener: []string{mounted, handler}, line: windows + "rundll32.exe", hint: "As a rule WSL "},
		"WSL1, sudo":                  {env: []string{"SUDO_UID=1000", "SUDO_USER=ada"}, uid: -1, kernel: wsl1, files: []string{mounted}, opener: []string{mounted, handler}, line: windows + "rundll32.exe", hint: "As a rule WSL "},
		"WSL2, sudo and WSLg":         {env: []string{"SUDO_UID=1000", "DISPLAY=:0"}, uid: -1, kernel: wsl2, files: []string{mounted}, opener: []string{mounted, handler}, line: windows + "rundll32.exe", hint: "As a rule WSL "},
		"WSL2, WSLg":                  {env: []string{"WSL_DISTRO_NAME=Debian", "DISPLAY=:0", "WAYLAND_DISPLAY=wayland-0"}, kernel: wsl2, path: []string{"rundll32.exe", "xdg-open"}, opener: []string{"/bin/rundll32.exe", handler}, line: windows + "rundll32.exe", hint: "As a rule WSL "},
		"WSL2, WSLg, Windows is away": {env: []string{"WSL_DISTRO_NAME=Debian", "DISPLAY=:0"}, kernel: wsl2, path: []string{"xdg-open"}, system: true, line: noWSL + "opening the browser on its display", hint: "As a rule WSL "},
		"WSL2, Windows is away":       {env: []string{"WSL_DISTRO_NAME=Debian"}, kernel: wsl2, line: strings.TrimSuffix(noWSL, ": ") + none + "in Windows' browser", hint: "As a rule WSL "},
		"WSL2, VS Code lost BROWSER":  {env: []string{"WSL_DISTRO_NAME=Debian", "VSCODE_IPC_HOOK_CLI=/run/x.sock"}, kernel: wsl2, path: []string{"wslview"}, opener: []string{"/bin/wslview"}, line: windows + "wslview", hint: "As a rule WSL "},
		"a container on WSL's kernel": {kernel: wsl2, files: []string{"/.dockerenv"}, line: outside, hint: "A browser outside "},
		"another Linux with wslview":  {env: []string{"DISPLAY=:0"}, path: []string{"wslview", "rundll32.exe"}, system: true, line: opened},
		"Windows itself, from WSL":    {os: "windows", env: []string{"WSL_DISTRO_NAME=Debian"}, system: true, line: opened},

		"Docker":         {files: []string{"/.dockerenv"}, line: outside, hint: "A browser outside "},
		"Podman":         {files: []string{"/run/.containerenv"}, line: outside, hint: "A browser outside "},
		"systemd-nspawn": {env: []string{"container=systemd-nspawn"}, line: outside, hint: "A browser outside "},
		"Kubernetes":     {env: []string{"KUBERNETES_SERVICE_HOST=10.0.0.1"}, line: outside, hint: "A browser outside "},
		"Toolbx":         {env: []string{"container=oci", "WAYLAND_DISPLAY=wayland-0"}, files: []string{"/run/.containerenv"}, system: true, line: "In a container: opening the browser on its display"},

		"VS Code, remote":           {env: []string{"VSCODE_IPC_HOOK_CLI=/run/x.sock"}, line: vsCode, hint: "VS Code forwards "},
		"VS Code, remote over SSH":  {env: []string{"VSCODE_IPC_HOOK_CLI=/run/x.sock", connection}, line: vsCode, hint: "VS Code forwards "},
		"VS Code, tmux":             {env: []string{"VSCODE_IPC_HOOK_CLI=/run/x.sock", "TMUX=/tmp/tmux-1000/default,1,0"}, line: vsCode, hint: "VS Code forwards "},
		"VS Code, tmux over SSH":    {env: []string{"VSCODE_IPC_HOOK_CLI=/run/x.sock", "TMUX=/tmp/tmux-1000/default,1,0", connection}, line: "Over SSH, as far as tmux or screen remembers" + theirs, forward: tunnel, sure: true},
		"VS Code, dev container":    {env: []string{"REMOTE_CONTAINERS=true", "DISPLAY=:1"}, files: []string{"/.dockerenv"}, line: vsCode, hint: "VS Code forwards "},
		"a codespace":               {env: []string{"CODESPACES=true", "VSCODE_IPC_HOOK_CLI=/run/x.sock"}, files: []string{"/.dockerenv"}, line: "In a GitHub codespace, where BROWSER isn't set" + theirs, hint: "VS Code forwards "},
		"a codespace over gh's SSH": {env: []string{"CODESPACES=true", "SSH_CONNECTION=127.0.0.1 40000 127.0.0.1 2222"}, line: "In a GitHub codespace, where BROWSER isn't set" + theirs, hint: "VS Code forwards "},

		"sudo on a desktop":              {env: []string{"SUDO_UID=1000", "DISPLAY=:0"}, uid: -1, line: another},
		"sudo in a Toolbx":               {env: []string{"SUDO_UID=1000", "DISPLAY=:0", "container=oci"}, uid: -1, line: another},
		"sudo to another user":           {env: []string{"SUDO_UID=1001", "DISPLAY=:0"}, line: another},
		"sudo to oneself":                {env: []string{"SUDO_UID=1000", "DISPLAY=:0"}, system: true, line: opened},
		"root on a desktop of their own": {env: []string{"DISPLAY=:0"}, uid: -1, system: true, line: opened},
		"sudo on macOS":                  {os: "darwin", env: []string{"SUDO_UID=501"}, uid: -1, system: true, line: opened},
	} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{}
			for _, e := range c.env {
				name, value, _ := strings.Cut(e, "=")
				env[name] = value
			}
			s := onLinux(env)
			s.exists = func(path string) bool { return slices.Contains(c.files, path) }
			s.read = func(path string) string { return map[string]string{"/proc/version": c.kernel}[path] }
			s.lookPath = func(program string) (string, error) {
				if slices.Contains(c.path, program) {
					return "/bin/" + program, nil
				}
				return "", exec.ErrNotFound
			}
			if c.os != "" {
				s.os = c.os
			}
			if c.uid != 0 {
				s.uid = max(c.uid, 0)
			}
			w, err := s.way(loginFlags{}, true, true)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(w.at.opener, c.opener) || w.at.system != c.system {
				t.Errorf("opener, system's browser: got %q, %v, want %q, %v", w.at.opener, w.at.system, c.opener, c.system)
			}
			line := w.address
			if w.browser != nil {
				line = w.opening
			}
			if line != c.line {
				t.Errorf("line: got %q, want %q", line, c.line)
			}
			forward, sure := "", false
			if w.at.ssh != nil {
				forward, sure = w.at.ssh.forward("http://127.0.0.1:41234/callback"), w.at.ssh.sure
			}
			if forward != c.forward || sure != c.sure {
				t.Errorf("the way back: got %q, sure: %v, want %q, %v", forward, sure, c.forward, c.sure)
			}
			if !strings.HasPrefix(w.at.back, c.hint) || c.hint == "" && w.at.back != "" {
				t.Errorf("hint: got %q, want %q…", w.at.back, c.hint)
			}
		})
	}
}

// Without a terminal a display decides whether anybody could be there.
func TestNobodyIsThere(t *testing.T) {
	for name, c := range map[string]struct {
		env  string
		os   string
		path string
		want string // empty: it goes on
	}{
		"cron, a service":              {want: "there is no display to open a browser on, and no terminal to show its address at"},
		"cron on WSL":                  {env: "WSL_DISTRO_NAME=Debian", path: "wslview", want: "in WSL there is no display "},
		"a container's command":        {env: "container=podman", want: "in a container there is no display "},
		"ssh HOST authctl login":       {env: "SSH_CONNECTION=192.0.2.1 50022 192.0.2.7 22", want: "over SSH there is no display "},
		"the same on macOS":            {os: "darwin", env: "SSH_CONNECTION=192.0.2.1 50022 192.0.2.7 22", want: "over SSH there is no display "},
		"a task of VS Code":            {env: "VSCODE_IPC_HOOK_CLI=/run/x.sock", want: "in a remote terminal of VS Code there is no display "},
		"a desktop's menu":             {env: "DISPLAY=:0"},
		"macOS's launchd":              {os: "darwin"},
		"a shortcut on Windows to WSL": {env: "WSL_INTEROP=/run/WSL/8_interop", path: "wslview"},
	} {
		t.Run(name, func(t *testing.T) {
			key, value, _ := strings.Cut(c.env, "=")
			s := onLinux(map[string]string{key: value})
			s.lookPath = func(program string) (string, error) {
				if program == c.path {
					return program, nil
				}
				return "", exec.ErrNotFound
			}
			if c.os != "" {
				s.os = c.os
			}
			_, err := s.way(loginFlags{}, false, false)
			if c.want == "" {
				if err != nil {
					t.Errorf("got %v, want a way", err)
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
