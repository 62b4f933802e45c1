package store

import (
	"bytes"
	"crypto/sha256"
	"time"
)

// KernelCache keeps secrets in the user's keyring of the kernel, which forgets each when
// its time is up. All of the user's programs can read them there, and nobody can change
// them. It is for what may be lost at any time: where the kernel refuses, or has no room
// (20,000 bytes a user, as a rule), nothing is kept and nobody is told. Only Linux has it.
type KernelCache struct {
	For string // what the secrets are good for: they don't exist for anything else
}

// Get returns nil for what isn't there.
func (c KernelCache) Get(name string) []byte {
	kept, _ := keptKey(cachedKey(name))
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
	_ = keepKey(cachedKey(name), append(purpose[:], secret...), life)
}

// Delete forgets a secret, whatever it is good for.
func (c KernelCache) Delete(name string) { dropKey(cachedKey(name)) }

// Works says why nothing can be kept here, an *Error.
func (c KernelCache) Works() error {
	_, err := keptKey(cachedKey(""))
	return fail("checking", "", err)
}

func (c KernelCache) purpose() [sha256.Size]byte { return sha256.Sum256([]byte(c.For)) }

func cachedKey(name string) string { return "authctl:" + name }
