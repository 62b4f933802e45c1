package main

import "golang.org/x/sys/unix"

const getTermios, setTermios = unix.TCGETS, unix.TCSETS

// noKey stands where no key has that effect, _POSIX_VDISABLE.
const noKey = 0
