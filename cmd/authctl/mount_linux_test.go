package main

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/authctl/authctl/internal/need"
)

// TestScriptMount runs what needs a file system of its own: a full disk, a read-only
// home. Root's rights don't end at a file's mode, but they do there.
func TestScriptMount(t *testing.T) {
	if err := mounted("none", t.TempDir(), "-t tmpfs", "true").Run(); err != nil {
		need.Missing(t, "the right to mount a file system in a namespace of one's own")
	}
	scripts(t, "mount")
}

// tmpfsProgram is `tmpfs SIZE DIR CMD ARG…`: it runs a command where DIR is a small
// disk. Nobody else sees that.
func tmpfsProgram() {
	exitAs(mounted("none", os.Args[2], "-t tmpfs -o mode=700,size="+os.Args[1], os.Args[3:]...))
}

// readonlyProgram is `readonly DIR CMD ARG…`: it runs a command where DIR can't be
// written.
func readonlyProgram() {
	exitAs(mounted(os.Args[1], os.Args[1], "--bind -o ro", os.Args[2:]...))
}

func mounted(what, dir, how string, command ...string) *exec.Cmd {
	const script = `mount $HOW "$WHAT" "$DIR" || exit 98; exec "$@"`
	cmd := exec.Command("sh", append([]string{"-c", script, "sh"}, command...)...)
	cmd.Env = append(os.Environ(), "HOW="+how, "WHAT="+what, "DIR="+dir)
	return apart(cmd, syscall.CLONE_NEWNS) // Go makes its mounts private
}

// apart has cmd run in a namespace of its own.
func apart(cmd *exec.Cmd, namespace uintptr) *exec.Cmd {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if os.Getuid() == 0 { // a user namespace is refused in a chroot, and root needs none
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: namespace}
		return cmd
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  namespace | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	return cmd
}

func exitAs(cmd *exec.Cmd) {
	err := cmd.Run()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		os.Exit(failed.ExitCode())
	}
	exitOn(err)
}
