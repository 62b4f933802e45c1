//go:build !windows

package main

import (
	"os"
	"syscall"
)

func interruptParent() error { return syscall.Kill(os.Getppid(), syscall.SIGINT) }
