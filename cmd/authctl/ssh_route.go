package main

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// sshRoute is how the person's machine reaches this one by SSH. It is made of what the
// environment says and printed as a command to run, so that nothing is in it that a
// shell or a terminal could act on.
type sshRoute struct {
	user string // USER if unknown
	host string // an address; HOST if that is of no use elsewhere
	port uint16 // 0 if unknown, and with HOST
	sure bool   // they did come over SSH
}

const unknownHost = "HOST"

// sshRoute is nil where nothing says that this is a session of sshd's. Of its variables
// SSH_CONNECTION has the server's address and port at the end: "192.0.2.1 50022
// 192.0.2.7 22".
func (s surroundings) sshRoute() *sshRoute {
	if !s.any("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY") {
		return nil
	}
	r := s.guessedRoute()
	r.sure = true
	if words := strings.Fields(s.getenv("SSH_CONNECTION")); len(words) == 4 {
		r.host, r.port = serverAddress(words[2], words[3])
	}
	return r
}

// guessedRoute is for who may have come over SSH although nothing says so: sudo takes
// the variables away.
func (s surroundings) guessedRoute() *sshRoute {
	return &sshRoute{user: s.sshUser(), host: unknownHost}
}

// sshUser is who came here: under sudo not who authctl runs as.
func (s surroundings) sshUser() string {
	for _, name := range []string{s.getenv("SUDO_USER"), s.user()} {
		if plainName(name) {
			return name
		}
	}
	return "USER"
}

// plainName reports whether a user name can be given to a shell as it is, and to ssh
// without being taken for a flag.
func plainName(name string) bool {
	return name != "" && name[0] != '-' && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
}

// serverAddress is HOST for what is no address, for one with a zone that only this machine
// knows, and for loopback, where a tunnel ends.
func serverAddress(host, port string) (string, uint16) {
	addr, err := netip.ParseAddr(host)
	addr = addr.Unmap()
	if err != nil || addr.Zone() != "" || addr.IsLoopback() {
		return unknownHost, 0
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return addr.String(), 0
	}
	return addr.String(), uint16(number)
}

// forward is the command that makes the redirect URI lead here from the person's machine.
// The brackets are quoted for zsh's sake. ssh listens on 127.0.0.1 and ::1 there, so
// that localhost is as good; authctl always has 127.0.0.1 of it.
func (r *sshRoute) forward(redirectURI string) string {
	u, err := url.Parse(redirectURI)
	if err != nil {
		return ""
	}
	to := u.Port() + ":127.0.0.1:" + u.Port()
	if u.Hostname() == "::1" {
		to = `"` + u.Port() + ":[::1]:" + u.Port() + `"`
	}
	command := "ssh -N -L " + to
	if r.port != 0 && r.port != 22 {
		command += " -p " + strconv.Itoa(int(r.port))
	}
	return command + " " + r.user + "@" + r.host
}
