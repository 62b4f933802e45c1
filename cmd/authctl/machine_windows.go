package main

import (
	"errors"

	"golang.org/x/sys/windows"
)

func isDiskFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}

func isReadOnly(err error) bool { return errors.Is(err, windows.ERROR_WRITE_PROTECT) }

// Windows says "access is denied" of a file, too, that another program has open.
const permissionHint = "close the program that has it open, and clear its read-only attribute; or set AUTHCTL_STATE_DIR, and --config, to a place of your own"
