package main

import (
	"errors"
	"io/fs"
	"runtime"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/store"
)

func storeHint(err error) (string, int) {
	var failed *store.Error
	if !errors.As(err, &failed) {
		return "", 0
	}
	login, unlocks, unknown := loginCommand(err), commandFor(err, "whoami"), (*store.PassphraseError)(nil)
	again := login
	p := (*onProfile)(nil)
	errors.As(err, &p)
	if p != nil && p.doing == signingIn {
		login, unlocks, again = "the same command with", "the same command", "the same command" // it has settings that are not saved yet
	}
	const keyFileFlag = " --store-key-file FILE"
	keyFile := login + keyFileFlag
	without := func() string {
		if p != nil && p.asks != nil && p.asks() {
			return ", with a passphrase: " + login + " --store file"
		}
		return ": " + login + " --store file" + keyFileFlag
	}
	switch {
	case p != nil && p.doing == moving && failed.Op == "checking" && (errors.Is(err, store.ErrAbsent) || errors.Is(err, store.ErrKeyFile)):
		return "nothing was moved; give --store and --store-key-file that can be used: a key file that isn't there yet is made", exitStore
	case p != nil && p.doing == removing && errors.Is(err, store.ErrAbsent):
		return "its tokens may be in the keychain: the same command where that is, as in the desktop's session; if it is gone for good, take " + config.Header(p.name) + " out of " + p.file + " by hand", exitStore
	case p != nil && p.doing == signingOut && errors.Is(err, store.ErrAbsent):
		return "its tokens may be in the keychain: the same command where that is, as in the desktop's session", exitStore
	case p != nil && (p.doing == signingOut || p.doing == removing) && errors.Is(err, store.ErrLocked):
		return unlocking(runtime.GOOS), exitStore
	case errors.Is(err, store.ErrLocked):
		return unlocking(runtime.GOOS) + ", or do without" + without(), exitStore
	case errors.Is(err, store.ErrAbsent):
		return "on a machine without a keychain" + without(), exitStore
	case errors.Is(err, store.ErrDamaged):
		return loginCommand(err), exitStore
	case errors.Is(err, store.ErrOpen):
		return "", exitStore // the message has the command
	case errors.Is(err, store.ErrKeyFile) && machineHint(err) == "":
		return "bring back the key file as login made it; without it, sign in again with another: " + loginCommand(err) + " --store-key-file FILE", exitStore
	case errors.Is(err, store.ErrUnchosen):
		return "the same command at a terminal, or with --store-key-file FILE", exitUsage
	case errors.Is(err, store.ErrUnasked):
		return unlocks + " at a terminal asks for it; to do without: " + keyFile, exitStore
	case errors.Is(err, store.ErrKeyring):
		return "to do without it, in a container for example: " + keyFile, exitStore
	case errors.As(err, &unknown) && unknown.File == "":
		return "the same command asks again, or does without one with --store-key-file FILE", exitStore
	case errors.As(err, &unknown):
		return "if it is forgotten, what it locks is lost, of every profile there: rm " + shellWord(unknown.File) + ", then " + again, exitStore
	case errors.Is(err, store.ErrTimeout):
		return "the keychain doesn't answer: restart it, or do without" + without(), exitStore
	}
	return machineHint(err), exitStore
}

// unlocking is how a locked keychain opens. macOS unlocks it at its own screen only, so
// that over SSH it is locked.
func unlocking(system string) string {
	if system == "darwin" {
		return "security unlock-keychain, then the same command again"
	}
	return "unlock the keychain (sign in to the desktop, or unlock the login keyring), then the same command again"
}

// machineHint is the way out of what disks and permissions do.
func machineHint(err error) string {
	switch {
	case isDiskFull(err):
		return "the disk is full: free some space, then try again"
	case isReadOnly(err):
		return "the file system is read-only: set AUTHCTL_STATE_DIR, and --config, to a place that can be written"
	case errors.Is(err, fs.ErrPermission):
		return permissionHint
	}
	return ""
}
