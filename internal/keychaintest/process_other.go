//go:build !linux

package keychaintest

import "syscall"

func dieWithUs() *syscall.SysProcAttr { return nil }
