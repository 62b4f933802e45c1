package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"slices"

	"github.com/spf13/cobra"
)

// become runs the program and ends with its exit code: Windows can't replace a
// process. Ctrl-C reaches every process of the console, so it is the program's to
// act on. config is fed to the program's stdin, since there is no /dev/fd, where a
// configPath in args asks for it: once at most.
func become(cmd *cobra.Command, program string, args, env []string, config []byte) error {
	child := exec.Command(program)
	child.Args, child.Env = args, env
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	if i := slices.Index(args, configPath); i >= 0 {
		child.Args = slices.Clone(args)
		child.Args[i], child.Stdin = "-", bytes.NewReader(config)
		if slices.Contains(child.Args, configPath) {
			return &usageError{err: errorf("on Windows curl can't be given the token for what comes after --next"), hint: "call authctl curl once for each"}
		}
	}
	signal.Reset(os.Interrupt)
	signal.Notify(make(chan os.Signal, 1), os.Interrupt) // what is ignored (signal.Ignore) ends a process of Windows
	err := child.Run()
	if ended := (*exec.ExitError)(nil); errors.As(err, &ended) {
		return &exitError{ended.ExitCode()}
	}
	if err != nil {
		return &commandError{args[0], 126, err}
	}
	return nil
}
