//go:build !windows

package main

import (
	"errors"
	"syscall"
)

func isDiskFull(err error) bool { return errors.Is(err, syscall.ENOSPC) }

func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }

const permissionHint = "check who owns it, or set AUTHCTL_STATE_DIR, and --config, to a place of your own"
