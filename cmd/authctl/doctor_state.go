package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/session"
)

// checkState looks at the directory of locks, sealed files and the callback's
// certificate: it is ours alone, has room, and knows locks.
func (d *doctor) checkState(context.Context) finding {
	const elsewhere = "set AUTHCTL_STATE_DIR to a directory of your own"
	dir, err := stateDir()
	if err != nil {
		d.unsafe = true
		return d.failure(err, elsewhere)
	}
	_, err = os.Stat(dir)
	missing := errors.Is(err, fs.ErrNotExist)
	found := finding{}
	if !missing {
		found = inspect(dir)
	}
	if found.Result == resultFail {
		return found
	}
	at, err := d.place(filepath.Join(dir, "locks"))
	if err == nil {
		err = config.Writable(filepath.Join(at, "probe"))
	}
	if err != nil {
		return failed(cmp.Or(machineHint(err), elsewhere), "%s can't be written: %w", dir, cause(err))
	}
	if err := checkLocks(at); err != nil {
		return d.failure(err, elsewhere)
	}
	switch {
	case found.Result != "":
		return found
	case missing:
		return passed("%s is not there yet, and can be made; locks work there", dir)
	}
	return passed("%s is yours alone, has room, and locks work there", dir)
}

// checkLocks tries them on a file of its own: a profile's would stay for good.
func checkLocks(dir string) error {
	name := "doctor-" + strings.ToLower(rand.Text())
	defer os.Remove(filepath.Join(dir, name+".lock"))
	return (&session.Session{Name: name, Dir: dir}).CheckLock()
}

// place is where probes for dir are made: dir, or while it isn't there a directory above
// it, on the same disk, of which nothing is left.
func (d *doctor) place(dir string) (string, error) {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return dir, err
	}
	above := filepath.Dir(dir)
	for ; filepath.Dir(above) != above; above = filepath.Dir(above) {
		if _, err := os.Stat(above); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	made, err := os.MkdirTemp(above, ".authctl-doctor-*")
	if err == nil {
		d.made = append(d.made, made)
	}
	return made, err
}

// inspect finds what in dir belongs to another user, mostly after a sudo, or is open to
// others.
func inspect(dir string) (found finding) {
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			found = failed(cmp.Or(machineHint(err), "see what is there"), "%w", err)
			return fs.SkipAll
		}
		info, err := e.Info()
		if err != nil || info.Mode().Type() == fs.ModeSymlink { // it went meanwhile, or has no modes
			return nil
		}
		switch owner, how := foreignOwner(info), opened(path, info); {
		case owner != "":
			found = failed(`sudo chown -R "$(id -un)" `+shellWord(dir), "%s belongs to user %s", path, owner)
		case how != "":
			found = warned(closeDir(dir), "%s is open to other users: %s", path, how)
		default:
			return nil
		}
		return fs.SkipAll
	})
	return found
}

// cause is what the system said, without the name of a file that is only a probe.
func cause(err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return path.Err
	}
	return err
}

// plural is a number with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
