//go:build !windows

package main

import "syscall"

// What the system says of disks that can't be written.
const diskFull, readOnlyDisk = syscall.ENOSPC, syscall.EROFS
