package main

import (
	"errors"
	"syscall"

	"golang.org/x/sys/windows"
)

// The standard library has made up ENOSPC and EROFS for Windows; the system says otherwise.
func isDiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}

func isReadOnly(err error) bool {
	return errors.Is(err, syscall.EROFS) || errors.Is(err, windows.ERROR_WRITE_PROTECT)
}

// Windows says "access is denied" of a file, too, that another program has open.
const permissionHint = "check who owns it, whether it is read-only, and what has it open; or set AUTHCTL_STATE_DIR, and --config, to a place of your own"
