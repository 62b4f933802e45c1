package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// create makes a file with an access list of its own: beyond a user's profile, what it
// would inherit may be for everybody. A file system without such lists keeps none.
func create(path string) (*os.File, error) {
	var file windows.Handle
	err := withOwnAccess(path, func(name *uint16, own *windows.SecurityAttributes) (err error) {
		file, err = windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE,
			windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE, own, windows.CREATE_NEW, windows.FILE_ATTRIBUTE_NORMAL, 0)
		return err
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(file), path), nil
}

// mkdir makes a directory with that list, which what comes into it inherits.
func mkdir(dir string) error {
	if err := withOwnAccess(dir, windows.CreateDirectory); err != nil {
		return &fs.PathError{Op: "mkdir", Path: dir, Err: err}
	}
	return nil
}

func withOwnAccess(path string, make func(*uint16, *windows.SecurityAttributes) error) error {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	own, err := ownAccess()
	if err != nil {
		return err
	}
	return make(name, &windows.SecurityAttributes{
		Length:             uint32(unsafe.Sizeof(windows.SecurityAttributes{})),
		SecurityDescriptor: own,
	})
}

// ownAccess is full access for this user, the system and the administrators, who can take
// it anyway; inherited from nowhere, and by what is in a directory.
func ownAccess() (*windows.SECURITY_DESCRIPTOR, error) {
	me, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, err
	}
	return windows.SecurityDescriptorFromString("D:P(A;OICI;FA;;;" + me.User.Sid.String() + ")(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)")
}

// What somebody may do with a file or a directory.
const (
	ToRead  windows.ACCESS_MASK = windows.FILE_READ_DATA | windows.GENERIC_READ | windows.GENERIC_ALL
	ToWrite windows.ACCESS_MASK = windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA | windows.WRITE_DAC | windows.WRITE_OWNER | windows.GENERIC_WRITE | windows.GENERIC_ALL
)

// Others names one who has any of those rights and is neither this user nor the system nor
// an administrator: "" for nobody, and where it can't be told, as of what isn't there.
func Others(path string, rights windows.ACCESS_MASK) string {
	d, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return ""
	}
	list, _, err := d.DACL()
	if errors.Is(err, windows.ERROR_OBJECT_NOT_FOUND) || err == nil && list == nil {
		return "everybody" // no list keeps nobody out
	}
	if err != nil {
		return ""
	}
	for i := range uint32(list.AceCount) {
		var entry *windows.ACCESS_ALLOWED_ACE
		if windows.GetAce(list, i, &entry) != nil {
			continue
		}
		allows := entry.Header.AceType == windows.ACCESS_ALLOWED_ACE_TYPE && entry.Header.AceFlags&windows.INHERIT_ONLY_ACE == 0
		who := (*windows.SID)(unsafe.Pointer(&entry.SidStart))
		if allows && entry.Mask&rights != 0 && !trusted(who) {
			return nameOf(who)
		}
	}
	return ""
}

// trusted: the owner's own entries name the user, or who they are by their role.
func trusted(who *windows.SID) bool {
	me, err := windows.GetCurrentProcessToken().GetTokenUser()
	return err == nil && who.Equals(me.User.Sid) ||
		who.IsWellKnown(windows.WinLocalSystemSid) || who.IsWellKnown(windows.WinBuiltinAdministratorsSid) ||
		who.IsWellKnown(windows.WinCreatorOwnerSid) || who.IsWellKnown(windows.WinCreatorOwnerRightsSid)
}

func nameOf(who *windows.SID) string {
	if account, _, _, err := who.LookupAccount(""); err == nil && account != "" {
		return account
	}
	return who.String()
}
