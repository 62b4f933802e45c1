package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"strings"
)

// keySize is AES-256's, in bytes.
const keySize = 32

// sealedFormat opens every sealed file: what it is, and its version.
const sealedFormat = "authctl sealed 1\n"

// seal returns the content of a sealed file: the format's line, a nonce of 96
// random bits, AES-256-GCM's ciphertext and tag. The format and the secret's name
// are authenticated too, so that no file can stand in for another. A key seals one
// secret's renewals, or one machine's, far below the 2³² random nonces that GCM
// allows a key (NIST SP 800-38D §8.3). Not protected: an old file of the same name
// put back.
func seal(key []byte, name string, secret []byte) ([]byte, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	return aead.Seal([]byte(sealedFormat), nil, secret, []byte(sealedFormat+name)), nil
}

// unseal is seal's inverse; what it returns is what was sealed under this name
// with this key, or an ErrDamaged.
func unseal(key []byte, name string, data []byte) ([]byte, error) {
	sealed, ok := strings.CutPrefix(string(data), sealedFormat)
	if !ok {
		return nil, damaged("it is not in the form %q", strings.TrimSpace(sealedFormat))
	}
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	secret, err := aead.Open(nil, nil, []byte(sealed), []byte(sealedFormat+name))
	if err != nil {
		return nil, damaged("it was changed, or sealed with another key or for another name")
	}
	return secret, nil
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// newKey returns 32 random bytes.
func newKey() []byte {
	key := make([]byte, keySize)
	rand.Read(key) // never fails
	return key
}
