package main

import "strings"

// inWSL goes by what WSL gives to a shell, and where sudo or a service has lost that, by
// the kernel, which containers have too that run on Windows.
func (s surroundings) inWSL() bool {
	if s.os != "linux" {
		return false
	}
	return s.any("WSL_DISTRO_NAME", "WSL_INTEROP") ||
		!s.inContainer() && strings.Contains(strings.ToLower(s.read("/proc/version")), "microsoft")
}

// wsl is a Linux on somebody's Windows, whose browser is the one that they want, also
// where WSL has a display of its own for Linux programs.
func (s surroundings) wsl() whereabouts {
	p := whereabouts{
		name: "in WSL", display: s.hasDisplay() || s.any("WSL_INTEROP"), remote: true, opener: s.windowsOpener(),
		where: "in Windows' browser", back: "As a rule WSL takes what Windows sends to its own loopback.",
	}
	if p.opener == nil {
		p.because, p.system = "where neither wslview nor rundll32.exe is to be found", s.hasDisplay()
	}
	return p
}

// windowsOpener gives a URL to Windows' default browser. wslview is WSL distributions'
// own. rundll32.exe, unlike cmd.exe and PowerShell, takes its argument as it is, where
// & is no more than a letter; when PATH doesn't have Windows' directories, it is where
// WSL mounts them.
func (s surroundings) windowsOpener() []string {
	if path, err := s.lookPath("wslview"); err == nil {
		return []string{path}
	}
	const handler, mounted = "url.dll,FileProtocolHandler", "/mnt/c/Windows/System32/rundll32.exe"
	if path, err := s.lookPath("rundll32.exe"); err == nil {
		return []string{path, handler}
	}
	if s.exists(mounted) {
		return []string{mounted, handler}
	}
	return nil
}
