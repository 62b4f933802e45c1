//go:build !windows

package main

import (
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// become replaces this process by the program, so that signals, the exit code and
// the terminal are the program's own. config is what the program reads from each pipe
// whose path takes the place of a configPath in args.
func become(_ *cobra.Command, program string, args, env []string, config []byte) error {
	args = slices.Clone(args)
	for i := range args {
		if args[i] != configPath {
			continue
		}
		path, err := filledPipe(config)
		if err != nil {
			return err
		}
		args[i] = path
	}
	err := syscall.Exec(program, args, env)
	return &commandError{args[0], 126, err}
}

// filledPipe is the path of a pipe that holds data and then ends. A pipe takes
// 64 KiB before a write waits for a reader; no server takes a header as long.
func filledPipe(data []byte) (string, error) {
	const capacity = 64 << 10
	if len(data) > capacity {
		return "", errorf("the token has %d bytes, too many for a header", len(data))
	}
	r, w, err := os.Pipe()
	if err != nil {
		return "", errorf("making a pipe: %w", err)
	}
	w.SetWriteDeadline(time.Now().Add(time.Second)) // a user who is over the system's limit has smaller pipes
	if _, err := w.Write(data); err != nil {
		return "", errorf("filling a pipe: %w", err)
	}
	w.Close()
	fd, err := unix.Dup(int(r.Fd())) // unlike r, it stays open in the program
	if err != nil {
		return "", errorf("passing on a pipe: %w", err)
	}
	return fmt.Sprintf("/dev/fd/%d", fd), nil
}
