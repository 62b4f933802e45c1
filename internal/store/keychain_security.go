package store

import (
	"fmt"
	"io/fs"
)

// classifySecurity goes by the exit status of macOS's `security`, which is all that
// go-keyring passes on: the low byte of an OSStatus, as in SecBase.h and MacErrors.h.
// Over SSH the login keychain is locked, since only a sign-in at the screen unlocks it, and
// nobody can be asked: 36.
func classifySecurity(status int, err error) error {
	switch status {
	case 44: // errSecItemNotFound, -25300
		return fs.ErrNotExist
	case 36, // errSecInteractionNotAllowed, -25308
		29,  // errSecInteractionRequired, -25315
		51,  // errSecAuthFailed, -25293: a wrong password, or Deny
		128: // userCanceledErr, -128
		return fmt.Errorf("%w: %w", ErrLocked, err)
	case 37, // errSecNoDefaultKeychain, -25307
		50, // errSecNoSuchKeychain, -25294
		53: // errSecNotAvailable, -25291
		return fmt.Errorf("%w: %w", ErrAbsent, err)
	}
	return err
}

// securityDuplicate is errSecDuplicateItem, -25299: of two who add an item at once, one
// gets it.
const securityDuplicate = 45

// securityLimit is the most bytes of an item: go-keyring writes it with one line of at most
// 4,096 bytes to `security -i`, in base64. About 60 bytes are the line's own; a line too
// long leaks a process, and one of exactly 4,096 fails silently: so keep well under.
func securityLimit(service, name string) int {
	return (3900 - len(service) - len(name)) / 4 * 3
}
