package store

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// keyRights are what keyrings(7) calls permissions. All of the user's processes may find
// the key and read it, also those whose session doesn't lead to the user's keyring (cron,
// services); nobody may change it, or how long it lives.
const keyRights = (keyView|keyRead|keySearch|keyLink)<<24 | (keyView|keyRead|keySearch)<<16

const keyView, keyRead, keySearch, keyLink = 0x01, 0x02, 0x08, 0x10

// keptKey returns what the key of that name in the user's keyring holds; nil when there is
// none. A key never changes; another of its name takes its place.
func keptKey(name string) ([]byte, error) {
	id, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", name, 0)
	key, n := make([]byte, usualKey), 0
	if err == nil {
		n, err = unix.KeyctlBuffer(unix.KEYCTL_READ, id, key, 0)
	}
	if err == nil && n > len(key) { // n is what it needs
		key = make([]byte, n)
		n, err = unix.KeyctlBuffer(unix.KEYCTL_READ, id, key, 0)
	}
	switch {
	case errors.Is(err, unix.ENOKEY), errors.Is(err, unix.EKEYEXPIRED), errors.Is(err, unix.EKEYREVOKED):
		return nil, nil
	case err != nil:
		return nil, keyringError(err)
	}
	return key[:n], nil
}

// usualKey is the size, in bytes, of what is read at once: an access token as a rule.
const usualKey = 4 << 10

// keepKey puts the key into the user's keyring, in place of one of the same name. It is
// made in the keyring of this thread alone, which ends with the thread, and linked when it
// has its time-out and its rights: nobody ever sees it without, whenever this is killed.
func keepKey(name string, key []byte, timeout time.Duration) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	id, err := unix.AddKey("user", name, key, unix.KEY_SPEC_THREAD_KEYRING)
	if err != nil {
		return keyringError(err)
	}
	defer unix.KeyctlInt(unix.KEYCTL_UNLINK, id, unix.KEY_SPEC_THREAD_KEYRING, 0, 0)
	seconds := min(max(1, (timeout+time.Second-1)/time.Second), math.MaxInt32) // zero would be for ever
	if _, err := unix.KeyctlInt(unix.KEYCTL_SET_TIMEOUT, id, int(seconds), 0, 0); err != nil {
		return keyringError(err)
	}
	if err := unix.KeyctlSetperm(id, keyRights); err != nil {
		return keyringError(err)
	}
	if _, err := unix.KeyctlInt(unix.KEYCTL_LINK, id, unix.KEY_SPEC_USER_KEYRING, 0, 0); err != nil {
		return keyringError(err)
	}
	return nil
}

// dropKey takes the key of that name away from all that have it.
func dropKey(name string) {
	if id, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", name, 0); err == nil {
		_, _ = unix.KeyctlInt(unix.KEYCTL_INVALIDATE, id, 0, 0, 0)
	}
}

func keyringError(err error) error { return fmt.Errorf("%w: %w", ErrKeyring, err) }

// keyLife is how long the kernel is going to keep a key, as /proc/keys has it: in whole
// units, rounded down. Zero: it doesn't say.
func keyLife(name string) time.Duration {
	id, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", name, 0)
	if err != nil {
		return 0
	}
	for _, fields := range listedKeys() {
		if serial, err := strconv.ParseUint(fields[0], 16, 32); err == nil && int(serial) == id {
			return keyTime(fields[3])
		}
	}
	return 0
}

// showsKey reports whether /proc/keys has a key of that name, which is no call of keyctl.
// Where that can't be read, as in many containers, it hasn't.
func showsKey(name string) bool {
	return slices.ContainsFunc(listedKeys(), func(fields []string) bool {
		over := strings.Contains(fields[1], "i") || fields[3] == "expd" // invalidated, and not yet swept away
		return fields[8] == name+":" && !over
	})
}

// listedKeys is what /proc/keys says of each key: its number, flags, usage, time-out,
// rights, user, group, type, name with a colon, and more.
func listedKeys() (keys [][]string) {
	list, _ := os.ReadFile("/proc/keys")
	for line := range strings.Lines(string(list)) {
		if fields := strings.Fields(line); len(fields) > 8 {
			keys = append(keys, fields)
		}
	}
	return keys
}

// keyTime reads 59s, 7h or 3d.
func keyTime(text string) time.Duration {
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	n, err := strconv.Atoi(text[:len(text)-1])
	if err != nil {
		return 0 // perm, expd
	}
	return time.Duration(n) * units[text[len(text)-1]]
}

// turn reports whether this process may ask, until end. Of those that share a terminal
// only one group of processes is in its foreground, so a lock keeps the group's members
// apart, and a group that was suspended at the question keeps nobody else from it. Where
// there are no locks, two that ask at once are a nuisance and no danger.
func (p *Passphrase) turn() (end func(), ok bool) {
	f, err := os.OpenFile(filepath.Join(p.Dir, "passphrase.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return func() {}, true
	}
	_ = f.Chmod(0o600) // the umask may have left it less
	lock := unix.Flock_t{Type: unix.F_WRLCK, Start: int64(unix.Getpgrp()), Len: 1}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &lock); errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		f.Close()
		return nil, false
	}
	return func() { f.Close() }, true
}
