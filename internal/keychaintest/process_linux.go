package keychaintest

import "syscall"

// dieWithUs has the kernel end a daemon whose test binary was killed.
func dieWithUs() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
