package main

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/authctl/authctl/internal/need"
)

// TestScriptNetwork runs what needs a network of its own: one where names have the
// addresses that a script gives them, and none at all.
func TestScriptNetwork(t *testing.T) {
	need.IPv6(t)
	if mounted("/etc/hosts", "/etc/hosts", "--bind", "true").Run() != nil || offline("true").Run() != nil {
		need.Missing(t, "the right to a mount and a network namespace of one's own")
	}
	scripts(t, "network")
}

// hostsProgram is `hosts FILE CMD ARG…`: it runs a command for which FILE is /etc/hosts.
func hostsProgram() { exitAs(mounted(os.Args[1], "/etc/hosts", "--bind", os.Args[2:]...)) }

// offlineProgram is `offline CMD ARG…`: it runs a command that has no network, not even
// loopback, so that its error tells where it would have gone.
func offlineProgram() { exitAs(offline(os.Args[1:]...)) }

func offline(command ...string) *exec.Cmd {
	return apart(exec.Command(command[0], command[1:]...), syscall.CLONE_NEWNET)
}
