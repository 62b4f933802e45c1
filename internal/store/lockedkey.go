package store

import (
	"bytes"
	"crypto/rand"
	"encoding/json"

	"golang.org/x/crypto/argon2"
)

// lockedKey is a store's key, sealed under one that is derived from a passphrase. That a
// passphrase is wrong shows in the seal.
type lockedKey struct {
	Version int `json:"version"`
	derivation
	Salt []byte `json:"salt"`
	Key  []byte `json:"key"` // see seal
}

// derivation is a way from a passphrase to a key. It is written down to be known, not to
// be chosen: a file that names another is refused, so that nobody who writes one can have
// us derive a weak key, or fill the memory.
type derivation struct {
	KDF     string `json:"kdf"`
	Time    uint32 `json:"time"`       // passes
	Memory  uint32 `json:"memory_kib"` // KiB
	Threads uint8  `json:"threads"`
}

const (
	lockedVersion = 1
	saltSize      = 16 // bytes, RFC 9106 §3.1
)

// ours is the second recommendation of RFC 9106 §4: 64 MiB.
func ours() derivation { return derivation{KDF: "argon2id", Time: 3, Memory: 64 << 10, Threads: 4} }

func (d derivation) key(passphrase string, salt []byte) []byte {
	return argon2.IDKey([]byte(passphrase), salt, d.Time, d.Memory, d.Threads, keySize)
}

// lockedName is the name under which the key is sealed.
const lockedName = "passphrase"

// lockKey returns the file of key, locked by the passphrase.
func lockKey(passphrase string, key []byte) ([]byte, error) {
	k := lockedKey{Version: lockedVersion, derivation: ours(), Salt: make([]byte, saltSize)}
	rand.Read(k.Salt) // never fails
	var err error
	if k.Key, err = seal(k.key(passphrase, k.Salt), lockedName, key); err != nil {
		return nil, err
	}
	return k.encode()
}

// unlock is lockKey's inverse. An error is an ErrDamaged: mostly the passphrase is another.
func (k lockedKey) unlock(passphrase string) ([]byte, error) {
	key, err := unseal(k.key(passphrase, k.Salt), lockedName, k.Key)
	if err == nil && len(key) != keySize {
		err = damaged("its key has %d bytes instead of %d", len(key), keySize)
	}
	return key, err
}

func (k lockedKey) encode() ([]byte, error) {
	text, err := json.Marshal(k)
	return append(text, '\n'), err
}

// parseLockedKey accepts what lockKey writes, to the byte.
func parseLockedKey(text []byte) (k lockedKey, err error) {
	if err := json.Unmarshal(text, &k); err != nil {
		return lockedKey{}, damaged("the file of its key can't be understood")
	}
	if k.Version != lockedVersion || k.derivation != ours() {
		return lockedKey{}, damaged("the file of its key is of another version of authctl, or was changed")
	}
	if again, err := k.encode(); err != nil || !bytes.Equal(again, text) || len(k.Salt) != saltSize {
		return lockedKey{}, damaged("the file of its key was changed")
	}
	return k, nil
}
