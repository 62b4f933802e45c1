package main

import (
	"testing"
)

// What is printed is a command for a shell: nothing that the environment says gets into it
// but a plain name, an address and a port.
func TestSSHRoute(t *testing.T) {
	const callback = "http://127.0.0.1:41234/callback"
	const to = "ssh -N -L 41234:127.0.0.1:41234 "
	for name, c := range map[string]struct {
		connection   string
		user, sudoer string
		redirectURI  string
		want         string
	}{
		"an address":               {"192.0.2.1 50022 192.0.2.7 22", "ada", "", callback, to + "ada@192.0.2.7"},
		"another port":             {"192.0.2.1 50022 192.0.2.7 2222", "ada", "", callback, to + "-p 2222 ada@192.0.2.7"},
		"IPv6":                     {"2001:db8::1 50022 2001:db8::7 22", "ada", "", callback, to + "ada@2001:db8::7"},
		"IPv4 in IPv6":             {"::ffff:192.0.2.1 50022 ::ffff:192.0.2.7 22", "ada", "", callback, to + "ada@192.0.2.7"},
		"link-local":               {"fe80::1%eth0 50022 fe80::7%eth0 22", "ada", "", callback, to + "ada@HOST"},
		"a tunnel's end":           {"127.0.0.1 50022 127.0.0.1 2222", "ada", "", callback, to + "ada@HOST"},
		"a tunnel's end, mapped":   {"::1 50022 ::ffff:127.0.0.1 2222", "ada", "", callback, to + "ada@HOST"},
		"no socket":                {"UNKNOWN 65535 UNKNOWN 65535", "ada", "", callback, to + "ada@HOST"},
		"a name":                   {"a 1 host.example.com 22", "ada", "", callback, to + "ada@HOST"},
		"too few words":            {"192.0.2.1 50022", "ada", "", callback, to + "ada@HOST"},
		"too many words":           {"192.0.2.1 50022 192.0.2.7 22 22", "ada", "", callback, to + "ada@HOST"},
		"a command for an address": {"a 1 $(id) 22", "ada", "", callback, to + "ada@HOST"},
		"an escape":                {"a 1 \x1b[2J 22", "ada", "", callback, to + "ada@HOST"},
		"a flag":                   {"a 1 -oProxyCommand=id 22", "ada", "", callback, to + "ada@HOST"},
		"a port too high":          {"192.0.2.1 1 192.0.2.7 65536", "ada", "", callback, to + "ada@192.0.2.7"},
		"a port below":             {"192.0.2.1 1 192.0.2.7 -22", "ada", "", callback, to + "ada@192.0.2.7"},
		"a command for a port":     {"192.0.2.1 1 192.0.2.7 22;id", "ada", "", callback, to + "ada@192.0.2.7"},
		"under sudo":               {"192.0.2.1 50022 192.0.2.7 22", "root", "ada", callback, to + "ada@192.0.2.7"},
		"a sudoer that is none":    {"192.0.2.1 50022 192.0.2.7 22", "root", "$(id)", callback, to + "root@192.0.2.7"},
		"an odd user":              {"192.0.2.1 50022 192.0.2.7 22", "ada lovelace", "", callback, to + "USER@192.0.2.7"},
		"a user like a flag":       {"192.0.2.1 50022 192.0.2.7 22", "-oProxyCommand", "", callback, to + "USER@192.0.2.7"},
		"an unknown user":          {"192.0.2.1 50022 192.0.2.7 22", "", "", callback, to + "USER@192.0.2.7"},
		"dots and dashes":          {"192.0.2.1 50022 192.0.2.7 22", "ada.k-l_9", "", callback, to + "ada.k-l_9@192.0.2.7"},
		"localhost":                {"192.0.2.1 50022 192.0.2.7 22", "ada", "", "http://localhost:41234/callback", to + "ada@192.0.2.7"},
		"https":                    {"192.0.2.1 50022 192.0.2.7 22", "ada", "", "https://LOCALHOST:9000/", "ssh -N -L 9000:127.0.0.1:9000 ada@192.0.2.7"},
		"an IPv6 redirect URI":     {"192.0.2.1 50022 192.0.2.7 22", "ada", "", "http://[::1]:41234/callback", `ssh -N -L "41234:[::1]:41234" ada@192.0.2.7`},
	} {
		t.Run(name, func(t *testing.T) {
			s := onLinux(map[string]string{"SSH_CONNECTION": c.connection, "SUDO_USER": c.sudoer})
			s.user = func() string { return c.user }
			if got := s.sshRoute().forward(c.redirectURI); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
