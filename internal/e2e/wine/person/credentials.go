//go:build windows

package main

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// credential is CREDENTIALW of wincred.h.
type credential struct {
	Flags, Type       uint32
	TargetName        *uint16
	Comment           *uint16
	LastWritten       windows.Filetime
	BlobSize          uint32
	Blob              *byte
	Persist           uint32
	AttributeCount    uint32
	Attributes        uintptr
	TargetAlias, User *uint16
}

// credentials is `credentials`: what the Credential Manager has, a line each, as its
// bytes and its name. See CredEnumerateW.
func credentials([]string) error {
	advapi := windows.NewLazySystemDLL("advapi32.dll")
	var count uint32
	var list **credential
	ok, _, err := advapi.NewProc("CredEnumerateW").Call(0, 0, uintptr(unsafe.Pointer(&count)), uintptr(unsafe.Pointer(&list)))
	if ok == 0 {
		if errors.Is(err, windows.ERROR_NOT_FOUND) {
			return nil
		}
		return err
	}
	for _, c := range unsafe.Slice(list, count) {
		fmt.Println(c.BlobSize, windows.UTF16PtrToString(c.TargetName))
	}
	advapi.NewProc("CredFree").Call(uintptr(unsafe.Pointer(list)))
	return nil
}
