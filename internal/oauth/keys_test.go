package oauth

import (
	"crypto/elliptic"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// A JWKS that is known is never skipped.
func TestKeysThatCannotBeHad(t *testing.T) {
	p := newProvider(t)
	c := p.client(t)
	c.Metadata.JWKSURI = p.URL + "/nothing-here"
	_, err := p.login(t, c, p.request())
	wantCheck(t, err, "answered 404 Not Found")

	c.Metadata.JWKSURI = unusedAddress(t) + "/jwks"
	delete(p.claims, "nonce")
	_, err = p.login(t, c, p.request())
	wantUnreachable(t, err, "keys: 127.0.0.1")
}

func TestKeyRotation(t *testing.T) {
	p := newProvider(t)
	c := p.client(t)
	login := func() error {
		delete(p.claims, "nonce")
		_, err := p.login(t, c, p.request())
		return err
	}
	for _, step := range []struct {
		name    string
		s       signer
		fetches int // in all
	}{
		{"first", signer{jose.RS256, rsaKey(), "key-1"}, 1},
		{"the kept key serves", signer{jose.RS256, rsaKey(), "key-1"}, 1},
		{"a new kid", signer{jose.RS256, otherRSAKey(), "key-2"}, 2},
		{"another key under the same kid", signer{jose.RS256, rsaKey(), "key-2"}, 3},
		{"another type of key", signer{jose.ES256, ecKey(elliptic.P256()), "key-3"}, 4},
	} {
		p.signer = step.s
		p.keys = []jose.JSONWebKey{step.s.public()}
		if err := login(); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		if got := p.counted("/jwks"); got != step.fetches {
			t.Errorf("%s: got %d fetches, want %d", step.name, got, step.fetches)
		}
	}
	p.signer = signer{jose.RS256, rsaKey(), "key-1"}
	wantCheck(t, login(), `no key has the ID "key-1"`)
}

func TestCountKeys(t *testing.T) {
	p := newProvider(t)
	c := p.client(t)
	p.keys = []jose.JSONWebKey{signer{jose.RS256, rsaKey(), "key-1"}.public(), signer{jose.ES256, ecKey(elliptic.P256()), "key-2"}.public()}
	if n, err := c.CountKeys(t.Context()); n != 2 || err != nil {
		t.Errorf("got %d, %v, want 2", n, err)
	}
	p.keys = nil
	_, err := c.CountKeys(t.Context())
	wantCheck(t, err, "has no key that can be used")
}

// A key that go-jose doesn't know must not spoil the others.
func TestKeysThatAreNotUnderstood(t *testing.T) {
	good := string(must(p256Set()))
	for _, bad := range []string{`{"kty":"OKP","crv":"Ed448","x":"AA"}`, `{"kty":"secret"}`, `{"kty":"RSA"}`, `5`, `null`, `{"kty":"oct","k":"AAAA"}`} {
		document := strings.Replace(good, `"keys":[`, `"keys":[`+bad+`,`, 1)
		if got := len(readKeys([]byte(document))); got != 1 {
			t.Errorf("%s: got %d keys, want 1", bad, got)
		}
	}
}

// Certificates are optional, and nobody here looks at them.
func TestKeysWithOddCertificates(t *testing.T) {
	good := string(must(p256Set()))
	for _, odd := range []string{`"x5t":"AAAA="`, `"x5t":"key-1"`, `"x5t#S256":"AAAA"`, `"x5c":"MIIB"`, `"x5c":["no certificate"]`, `"x5u":"::"`} {
		document := strings.Replace(good, `"use":"sig"`, `"use":"sig",`+odd, 1)
		if got := len(readKeys([]byte(document))); got != 1 {
			t.Errorf("%s: got %d keys, want 1", odd, got)
		}
	}
}

// A key says what it is for, and has a length that makes sense.
func TestKeysThatAreOfNoUse(t *testing.T) {
	good := string(must(p256Set()))
	rsaKey := func(bytes int) string {
		n := base64.RawURLEncoding.EncodeToString(slices.Repeat([]byte{0xff}, bytes))
		return `{"keys":[{"kty":"RSA","e":"AQAB","n":"` + n + `"}]}`
	}
	for _, test := range []struct {
		name, document string
		want           int
	}{
		{"to verify", strings.Replace(good, `"use":"sig"`, `"key_ops":["verify"]`, 1), 1},
		{"to encrypt", strings.Replace(good, `"use":"sig"`, `"key_ops":["encrypt"]`, 1), 0},
		{"to verify and for encryption", strings.Replace(good, `"use":"sig"`, `"use":"enc","key_ops":["verify"]`, 1), 0},
		{"for nothing", strings.Replace(good, `"use":"sig"`, `"key_ops":[]`, 1), 0},
		{"for two uses", strings.Replace(good, `"use":"sig"`, `"use":"enc","use":"sig"`, 1), 0},
		{"512 bits", rsaKey(64), 0},
		{"1024 bits", rsaKey(128), 0},
		{"2048 bits", rsaKey(256), 1},
		{"4096 bits", rsaKey(512), 1},
		{"500,000 bits", rsaKey(62500), 0},
	} {
		if got := len(readKeys([]byte(test.document))); got != test.want {
			t.Errorf("%s: got %d keys, want %d", test.name, got, test.want)
		}
	}
}

func p256Set() ([]byte, error) {
	key := signer{jose.ES256, ecKey(elliptic.P256()), "key-1"}.public()
	return keep(&key)
}
