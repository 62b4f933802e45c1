package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// KernelCache keeps copies of secrets in the user's keyring of the kernel, which forgets
// each when its time is up. All of the user's programs can read them there, and nobody can
// change them. It is for what may be lost at any time: where the kernel refuses, or has no
// room (20,000 bytes a user, as a rule), nothing is kept and nobody is told. Only Linux has
// it.
type KernelCache struct {
	Place string // where the secrets themselves are: whoever has them there has the same copies here
	For   string // what the copies are good for: they don't exist for anything else
	Quiet bool   // Delete calls keyctl only for what /proc/keys shows: a service may be killed for the call
}

// Get returns nil for what isn't there.
func (c KernelCache) Get(name string) []byte {
	kept, _ := keptKey(c.key(name))
	purpose := c.purpose()
	secret, ours := bytes.CutPrefix(kept, purpose[:])
	if !ours {
		return nil
	}
	return secret
}

// Put keeps a secret for life, a second at least.
func (c KernelCache) Put(name string, secret []byte, life time.Duration) {
	purpose := c.purpose()
	_ = keepKey(c.key(name), append(purpose[:], secret...), life)
}

// Delete forgets a secret, whatever it is good for.
func (c KernelCache) Delete(name string) {
	if key := c.key(name); !c.Quiet || showsKey(key) {
		dropKey(key)
	}
}

// Works says why nothing can be kept here, an *Error.
func (c KernelCache) Works() error {
	_, err := keptKey(c.key(""))
	return fail("checking", "", err)
}

func (c KernelCache) purpose() [sha256.Size]byte { return sha256.Sum256([]byte(c.For)) }

// key follows from the place and the name alone, so that everybody finds it. Neither has a
// zero byte.
func (c KernelCache) key(name string) string {
	sum := sha256.Sum256([]byte(c.Place + "\x00" + name))
	return "authctl:" + hex.EncodeToString(sum[:16])
}
