package store

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/authctl/authctl/internal/atomicfile"
)

// filePrefix opens the names of the files that belong to a secret: the kind of
// store, then its name with all but [a-z0-9._@-] escaped. The mark ~ ends it, so
// that no secret's prefix opens another's files. The kind comes first because
// Windows gives names like con and con.txt another meaning.
func filePrefix(kind, name string) string {
	var b strings.Builder
	b.WriteString(kind + "~")
	for _, c := range []byte(name) {
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("._@-", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String() + "~"
}

// randomText returns 16 characters that nobody used before.
func randomText() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// files lists what in dir belongs to the secret with this prefix, the remains of
// writes that a crash cut short included.
func files(dir, prefix string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if _, there := os.Lstat(dir); errors.Is(there, fs.ErrNotExist) { // Windows says so of a file, too
		return nil, nil
	}
	var found []string
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, prefix) || atomicfile.IsTemp(name) && strings.HasPrefix(name, "."+prefix) {
			found = append(found, filepath.Join(dir, name))
		}
	}
	return found, err
}

// sweep removes what belongs to a secret, but for the file that is in use.
func sweep(dir, prefix, keep string) error {
	found, err := files(dir, prefix)
	for _, path := range found {
		if filepath.Base(path) == keep {
			continue
		}
		if e := os.Remove(path); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// probeSealed proves that what the secret has in dir at present can be written there
// again, and some more. Where it has nothing there, there is nothing to prove.
func probeSealed(dir, prefix string) error {
	found, err := files(dir, prefix)
	for _, path := range found {
		info, statErr := os.Stat(path)
		if statErr != nil || atomicfile.IsTemp(path) {
			continue
		}
		err = errors.Join(err, atomicfile.Probe(path, info.Size()+info.Size()/4+1024))
	}
	return err
}
