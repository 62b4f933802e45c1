//go:build !windows

package main

import (
	"os"
	"syscall"
)

func signalParent(name string) error {
	signals := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM}
	return syscall.Kill(os.Getppid(), signals[name])
}
