package idp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"maps"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// keyring holds a signing key for each algorithm, made when first needed.
type keyring struct {
	mu         sync.Mutex
	keys       map[string]jose.JSONWebKey
	generation int
}

// shared spares the tests an RSA key for each of their servers. The key that
// forgers sign with lies beside it.
var shared, forged keyring

func (k *keyring) get(alg string) jose.JSONWebKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.keys[alg]
	if !ok {
		key = jose.JSONWebKey{Key: generate(alg), KeyID: fmt.Sprintf("%s-%d", alg, k.generation), Algorithm: alg, Use: "sig"}
		if k.keys == nil {
			k.keys = map[string]jose.JSONWebKey{}
		}
		k.keys[alg] = key
	}
	return key
}

func generate(alg string) crypto.Signer {
	var key crypto.Signer
	var err error
	switch alg {
	case "RS256", "PS256":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ES256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EdDSA":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		panic("idp: unknown algorithm " + alg)
	}
	if err != nil {
		panic(err)
	}
	return key
}

// RotateKey retires the signing key: from now on another one signs, under
// another kid, and the old one is no longer published.
func (s *Server) RotateKey() {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	s.keys.generation++
	s.keys.keys = nil
}

func (s *Server) key(alg string) jose.JSONWebKey {
	s.keys.mu.Lock()
	rotated := s.keys.generation > 0
	s.keys.mu.Unlock()
	if rotated {
		return s.keys.get(alg)
	}
	return shared.get(alg)
}

// sign makes a JWT, with headers beside those that every one has.
func sign(key jose.JSONWebKey, headers map[jose.HeaderKey]any, payload []byte) string {
	options := (&jose.SignerOptions{}).WithType("JWT")
	maps.Copy(options.ExtraHeaders, headers)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key}, options)
	if err != nil {
		panic(err) // our own keys with our own algorithms
	}
	object, err := signer.Sign(payload)
	if err != nil {
		panic(err)
	}
	text, err := object.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return text
}

// leftHalf is the at_hash of an access token, OpenID Connect Core §3.1.3.6:
// the left half of the hash that goes with the ID token's algorithm.
func leftHalf(alg, token string) string {
	if alg == "EdDSA" { // Ed25519 hashes with SHA-512
		sum := sha512.Sum512([]byte(token))
		return base64.RawURLEncoding.EncodeToString(sum[:32])
	}
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
