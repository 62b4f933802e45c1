package idp

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// encode is base64url without padding, RFC 7515 §2.
func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// honestly is how an ID token is signed.
func honestly(x *exchange, payload []byte) string { return sign(x.key(x.Alg), nil, payload) }

func unsigned(x *exchange, payload []byte) string { return unsignedAs("none")(x, payload) }

// unsignedAs names an algorithm that signs nothing.
func unsignedAs(alg string) func(*exchange, []byte) string {
	return func(_ *exchange, payload []byte) string {
		header := mustJSON(map[string]string{"alg": alg, "typ": "JWT"})
		return encode(header) + "." + encode(payload) + "."
	}
}

// signedByPublicKey takes the published key for an HMAC secret: a client that
// lets the token choose the algorithm accepts it. RFC 8725 §2.1.
func signedByPublicKey(x *exchange, payload []byte) string {
	key := x.key(x.Alg)
	public := key.Public()
	secret, err := x509.MarshalPKIXPublicKey(public.Key)
	if err != nil {
		panic(err)
	}
	return sign(jose.JSONWebKey{Key: secret, Algorithm: "HS256", KeyID: key.KeyID}, nil, payload)
}

// signedSymmetrically uses the secret that is published among the keys.
func signedSymmetrically(_ *exchange, payload []byte) string {
	return sign(jose.JSONWebKey{Key: make([]byte, 32), Algorithm: "HS256", KeyID: "shared"}, nil, payload)
}

// signedByAnother has the right kid and a stranger's signature.
func signedByAnother(x *exchange, payload []byte) string {
	return signedAs(x.key(x.Alg).KeyID, true)(x, payload)
}

// signedByStranger has the right kid and the signature of one whom nobody published.
func signedByStranger(x *exchange, payload []byte) string {
	key := jose.JSONWebKey{Key: generate(x.Alg), Algorithm: x.Alg, KeyID: x.key(x.Alg).KeyID}
	return sign(key, nil, payload)
}

// signedAs names a kid, with a stranger's key or with the right one. "" is none.
func signedAs(kid string, byStranger bool) func(*exchange, []byte) string {
	return func(x *exchange, payload []byte) string {
		key := x.key(x.Alg)
		if byStranger {
			key = forged.get(x.Alg)
		}
		key.KeyID = kid
		return sign(key, nil, payload)
	}
}

// signedUnder has more headers, and the right kid.
func signedUnder(headers func(*exchange) map[jose.HeaderKey]any, byStranger bool) func(*exchange, []byte) string {
	return func(x *exchange, payload []byte) string {
		key := x.key(x.Alg)
		if byStranger {
			key.Key = forged.get(x.Alg).Key
		}
		return sign(key, headers(x), payload)
	}
}

// critical is signed honestly, under a header that a reader has to understand and
// can't: RFC 7515 §4.1.11.
func critical(x *exchange, payload []byte) string {
	return sign(x.key(x.Alg), map[jose.HeaderKey]any{"crit": []string{"urn:example:safe"}, "urn:example:safe": true}, payload)
}

// unpacked is signed honestly over a payload that is not in base64, which no JWT may
// be: RFC 7797 §7.
func unpacked(x *exchange, payload []byte) string {
	return sign(x.key(x.Alg), map[jose.HeaderKey]any{"b64": false, "crit": []string{"b64"}}, payload)
}

// payloadChanged has another sub than the one that was signed.
func payloadChanged(x *exchange, payload []byte) string {
	part := strings.Split(honestly(x, payload), ".")
	other := strings.Replace(string(payload), `"sub":"`, `"sub":"x`, 1)
	return part[0] + "." + encode([]byte(other)) + "." + part[2]
}

// cut is a JWT without its signature.
func cut(jwt string) string { return jwt[:strings.LastIndexByte(jwt, '.')] }

// weak is a key of half the least length, RFC 7518 §3.3.
var weak = sync.OnceValue(func() jose.JSONWebKey {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		panic(err)
	}
	return jose.JSONWebKey{Key: key, KeyID: "weak", Algorithm: "RS256", Use: "sig"}
})

func weakPublic(*exchange) any {
	key := weak()
	return key.Public()
}
