package oauth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// header puts more into the header of what is signed: names and values in turn.
func header(more ...any) func(*provider) {
	return func(p *provider) {
		p.idToken = func() string { return signText(p.signer, p.payload(), more...) }
	}
}

// payload is the claims' text with another beginning than a brace.
func payload(begin string) func(*provider) {
	return func(p *provider) {
		p.idToken = func() string { return signText(p.signer, begin+p.payload()[1:]) }
	}
}

func (p *provider) payload() string { return string(must(json.Marshal(without(p.claims)))) }

func signedAndPublished(key any) func(*provider) {
	return func(p *provider) {
		p.signer.key = key
		p.keys = []jose.JSONWebKey{p.signer.public()}
	}
}

// onAnotherCurve is signed with ES384 and a key that is one of ES256's, RFC 7518 §3.4.
func onAnotherCurve(p *provider) {
	key := ecKey(elliptic.P256())
	p.keys = []jose.JSONWebKey{{Key: key.Public(), KeyID: "key-1"}}
	p.idToken = func() string {
		encode := base64.RawURLEncoding.EncodeToString
		signed := encode([]byte(`{"alg":"ES384","kid":"key-1"}`)) + "." + encode([]byte(p.payload()))
		sum := sha512.Sum384([]byte(signed))
		r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
		if err != nil {
			panic(err)
		}
		signature := make([]byte, 96)
		r.FillBytes(signature[:48])
		s.FillBytes(signature[48:])
		return signed + "." + encode(signature)
	}
}

func cutSignature(p *provider) {
	p.idToken = func() string {
		token := sign(p.signer, without(p.claims))
		return token[:strings.LastIndexByte(token, '.')+1]
	}
}

func changePayload(p *provider) {
	p.idToken = func() string {
		honest := strings.Split(sign(p.signer, without(p.claims)), ".")
		p.claims["sub"] = "eve"
		other := strings.Split(sign(p.signer, without(p.claims)), ".")
		return honest[0] + "." + other[1] + "." + honest[2]
	}
}

func hmacWithPublicKey(p *provider) {
	der := must(x509.MarshalPKIXPublicKey(rsaKey().Public()))
	secret := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	p.signer = signer{jose.HS256, secret, "key-1"}
}

func jsonSerialized(p *provider) {
	p.idToken = func() string {
		maker := must(jose.NewMultiSigner([]jose.SigningKey{
			{Algorithm: jose.RS256, Key: rsaKey()},
			{Algorithm: jose.RS256, Key: otherRSAKey()},
		}, nil))
		return strings.ReplaceAll(must(maker.Sign([]byte(`{"sub":"ada"}`))).FullSerialize(), " ", "")
	}
}

func severalAudiences(p *provider) {
	p.claims["aud"], p.claims["azp"] = []string{clientID, "client-2"}, clientID
}
