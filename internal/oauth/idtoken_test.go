package oauth

import (
	"context"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

func in(d time.Duration) int64 { return time.Now().Add(d).Unix() }

// Each hostile ID token has an honest twin, which differs in nothing but that.
func TestIDToken(t *testing.T) {
	claim := func(name string, value any) func(*provider) {
		return func(p *provider) { p.claims[name] = value }
	}
	asIs := func(*provider) {}
	signedBy := func(s signer) func(*provider) {
		return func(p *provider) { p.signer = s }
	}
	for _, test := range []struct {
		name    string
		hostile func(*provider)
		honest  func(*provider)
		why     string
	}{
		{"alg none", func(p *provider) { p.idToken = func() string { return unsigned(p.claims) } }, asIs, `signed with "none"`},
		{"signature cut off", cutSignature, asIs, "its signature is wrong"},
		{"another key's signature", signedBy(signer{jose.RS256, otherRSAKey(), "key-1"}), signedBy(signer{jose.RS256, rsaKey(), "key-1"}), "its signature is wrong"},
		{"payload changed", changePayload, asIs, "its signature is wrong"},
		{"HMAC with the public key as its secret", hmacWithPublicKey, asIs, `signed with "HS256"`},
		{"algorithm that is not listed", signedBy(signer{jose.RS512, rsaKey(), "key-1"}), signedBy(signer{jose.RS256, rsaKey(), ""}), `signed with "RS512"`},
		{"algorithm that is not the key's", signedBy(signer{jose.PS256, rsaKey(), "key-1"}), asIs, "no key has the ID"},
		{"unknown kid", signedBy(signer{jose.RS256, rsaKey(), "key-2"}), signedBy(signer{jose.RS256, rsaKey(), "key-1"}), `no key has the ID "key-2"`},
		{"key for encryption", func(p *provider) { p.keys[0].Use = "enc" }, func(p *provider) { p.keys[0].Use = "" }, "no key that can be used"},
		{"critical header", header("crit", []string{"urn:example:x"}, "urn:example:x", true), header("urn:example:x", true), "critical header"},
		{"payload that is not in base64", header("b64", false, "crit", []string{"b64"}), asIs, "critical header"},
		{"key in its header", func(p *provider) {
			p.signer.key = otherRSAKey()
			header("jwk", p.signer.public())(p)
		}, func(p *provider) { header("jwk", p.signer.public())(p) }, "its signature is wrong"},
		{"key at another place", func(p *provider) {
			p.signer.key = otherRSAKey()
			header("jku", p.URL+"/elsewhere")(p)
		}, func(p *provider) { header("jku", p.URL+"/elsewhere")(p) }, "its signature is wrong"},
		{"RSA key of 1024 bits", signedAndPublished(must(rsa.GenerateKey(rand.Reader, 1024))), signedAndPublished(otherRSAKey()), "no key that can be used"},
		{"another curve than the algorithm's", onAnotherCurve, func(p *provider) {
			p.signer = signer{jose.ES384, ecKey(elliptic.P384()), "key-1"}
			p.keys = []jose.JSONWebKey{p.signer.public()}
		}, "its signature is wrong"},
		{"two signatures", jsonSerialized, asIs, "no signed JWT"},
		{"not a JWT", func(p *provider) { p.idToken = func() string { return "x.y.z" } }, asIs, "no signed JWT"},
		{"wrong iss", claim("iss", "https://evil.example.com"), asIs, "different provider"},
		{"iss with a slash more", func(p *provider) { p.claims["iss"] = p.URL + "/" }, asIs, "different provider"},
		{"no iss", claim("iss", nil), asIs, "different provider"},
		{"wrong aud", claim("aud", "client-2"), claim("aud", []string{clientID}), "audience"},
		{"no aud", claim("aud", nil), asIs, "audience"},
		{"aud without us", claim("aud", []string{"client-2", "client-3"}), asIs, "audience"},
		{"several aud, no azp", claim("aud", []string{clientID, "client-2"}), severalAudiences, "no azp"},
		{"wrong azp", claim("azp", "client-2"), claim("azp", clientID), "another client"},
		{"azp is no string", claim("azp", 5), claim("azp", clientID), "claims can't be read"},
		{"no sub", claim("sub", nil), asIs, "no sub"},
		{"empty sub", claim("sub", ""), asIs, "no sub"},
		{"expired", claim("exp", in(-time.Second)), claim("exp", in(time.Minute)), "it expired at"},
		{"no exp", claim("exp", nil), asIs, "no exp"},
		{"exp is a number in quotes", claim("exp", fmt.Sprint(in(time.Hour))), claim("exp", 1e300), "claims can't be read"},
		{"exp before the calendar", claim("exp", -1e300), asIs, "it expired at"},
		{"exp is no number", claim("exp", "soon"), claim("exp", float64(in(time.Hour))+0.5), "its claims can't be read"},
		{"not yet valid", claim("nbf", in(time.Hour)), claim("nbf", in(Leeway-time.Minute)), "it is not valid before"},
		{"nbf is no number", claim("nbf", "soon"), claim("nbf", nil), "its claims can't be read"},
		{"sub is a number", claim("sub", 5), asIs, "its claims can't be read"},
		{"no iat", claim("iat", nil), asIs, "no iat"},
		{"iat in the future", claim("iat", in(Leeway+time.Minute)), claim("iat", in(Leeway-time.Minute)), "issued in the future"},
		{"iat far beyond the calendar", claim("iat", 1e300), claim("iat", 0), "issued in the future"},
		{"iat is a number in quotes", claim("iat", "5"), asIs, "claims can't be read"},
		{"nbf far beyond the calendar", claim("nbf", 1e300), claim("nbf", -1e300), "it is not valid before"},
		{"sub twice", payload(`{"sub":"eve",`), payload(`{"sub_":"eve",`), "sub can be read in two ways"},
		{"sub in other letters too", claim("Sub", "eve"), claim("Subject", "eve"), "sub can be read in two ways"},
		{"sub in letters that only look so", claim("\u017fub", "eve"), claim("\u0455ub", "eve"), "sub can be read in two ways"},
		{"aud in other letters", func(p *provider) { p.claims["AUD"], p.claims["aud"] = clientID, nil }, asIs, "aud can be read in two ways"},
		{"exp in other letters too", claim("Exp", in(time.Hour)), claim("Expiry", 5), "exp can be read in two ways"},
		{"wrong nonce", claim("nonce", "replayed"), asIs, "nonce is not ours"},
		{"no nonce", claim("nonce", nil), asIs, "nonce is not ours"},
		{"wrong at_hash", claim("at_hash", atHash("another")), func(p *provider) {
			p.claims["at_hash"] = atHash(p.answer["access_token"].(string))
		}, "at_hash"},
	} {
		t.Run(test.name, func(t *testing.T) {
			twin := newProvider(t)
			test.honest(twin)
			grant, err := twin.login(t, twin.client(t), twin.request())
			if err != nil {
				t.Errorf("the honest twin is refused: %v", err)
			} else if !grant.SignatureChecked || grant.Subject != "ada" || grant.Issuer != twin.URL {
				t.Errorf("got %+v, want ada's, checked", grant)
			}
			p := newProvider(t)
			test.hostile(p)
			grant, err = p.login(t, p.client(t), p.request())
			if grant != nil {
				t.Error("got a grant with the error")
			}
			wantCheck(t, err, test.why)
		})
	}
}

// A time in an error is a sentence for people, in UTC, beside the clock's.
func TestIDTokenTimes(t *testing.T) {
	now := time.Date(2026, 11, 23, 3, 5, 5, 330e6, time.FixedZone("CET", 3600))
	const clock = ", and the clock says 2026-11-23T02:05:05Z"
	for _, test := range []struct {
		claim string
		time  time.Time
		want  string // empty: accepted
	}{
		{"exp", now.Add(time.Minute), ""},
		{"exp", now.Add(-time.Minute), "it expired at 2026-11-23T02:04:05Z" + clock},
		{"nbf", now.Add(Leeway), ""},
		{"nbf", now.Add(time.Hour), "it is not valid before 2026-11-23T03:05:05Z" + clock},
		{"iat", now.Add(Leeway), ""},
		{"iat", now.Add(time.Hour), "it was issued in the future, at 2026-11-23T03:05:05Z" + clock},
	} {
		p := newProvider(t)
		p.claims["iat"], p.claims["exp"] = now.Unix(), now.Add(2*time.Hour).Unix()
		p.claims[test.claim] = test.time.Unix()
		c := p.client(t)
		c.Now = func() time.Time { return now }
		_, err := p.login(t, c, p.request())
		if want := "ID token: " + test.want; test.want == "" && err != nil || test.want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%s %s: got %v, want %q", test.claim, test.time, err, test.want)
		}
	}
}

func TestSigningAlgorithms(t *testing.T) {
	for _, s := range []signer{
		{jose.RS256, rsaKey(), "rsa"},
		{jose.RS384, rsaKey(), "rsa"},
		{jose.PS256, rsaKey(), "rsa"},
		{jose.ES256, ecKey(elliptic.P256()), "ec"},
		{jose.ES384, ecKey(elliptic.P384()), "ec"},
		{jose.EdDSA, edKey(), "ed"},
		{jose.ES256, ecKey(elliptic.P256()), ""},
	} {
		t.Run(string(s.algorithm)+" "+s.kid, func(t *testing.T) {
			p := newProvider(t)
			p.signer = s
			p.keys = append(p.keys, s.public())
			if _, err := p.login(t, p.client(t), p.request()); err != nil {
				t.Error(err)
			}
			cutSignature(p)
			p.claims["nonce"] = nil
			delete(p.claims, "nonce")
			_, err := p.login(t, p.client(t), p.request())
			wantCheck(t, err, "its signature is wrong")
		})
	}
}

// Without a list in the document the algorithm is RS256; with a list that has
// nothing safe there is none; with no document any asymmetric one will do.
func TestAlgorithmsAllowed(t *testing.T) {
	for _, test := range []struct {
		name   string
		listed any
		source string
		s      signer
		why    string // empty: accepted
	}{
		{"not listed, RS256", nil, "", signer{jose.RS256, rsaKey(), "key-1"}, ""},
		{"not listed, PS256", nil, "", signer{jose.PS256, rsaKey(), "key-1"}, `"PS256"`},
		{"only unsafe ones listed", []string{"none", "HS256"}, "", signer{jose.RS256, rsaKey(), "key-1"}, "no algorithm"},
		{"only JWKS configured, PS256", nil, SourceConfigured, signer{jose.PS256, rsaKey(), "key-1"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProvider(t)
			p.metadata["id_token_signing_alg_values_supported"] = test.listed
			p.signer = test.s
			p.keys = []jose.JSONWebKey{{Key: rsaKey().Public(), KeyID: "key-1"}}
			c := p.client(t)
			if test.source != "" {
				c.Metadata.Source = test.source
			}
			_, err := p.login(t, c, p.request())
			if test.why == "" && err != nil {
				t.Error(err)
			}
			if test.why != "" {
				wantCheck(t, err, test.why)
			}
		})
	}
}

func TestMaxAge(t *testing.T) {
	maxAge := 60
	for _, test := range []struct {
		name     string
		authTime any
		refused  bool
	}{
		{"just now", in(0), false},
		{"within", in(-50 * time.Second), false},
		{"too long ago", in(-2 * time.Minute), true},
		{"absent", nil, true},
		{"just now, in quotes", fmt.Sprint(in(0)), false},
		{"a word", "now", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProvider(t)
			p.claims["auth_time"] = test.authTime
			if _, err := p.login(t, p.client(t), p.request()); err != nil {
				t.Errorf("max_age was not asked for: %v", err)
			}
			delete(p.claims, "nonce")
			r := p.request()
			r.MaxAge = &maxAge
			_, err := p.login(t, p.client(t), r)
			if test.refused {
				wantCheck(t, err, "auth_time")
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// Where no JWKS is known the signature is not checked, but all else is.
func TestWithoutJWKS(t *testing.T) {
	for _, test := range []struct {
		name string
		bend func(*provider)
		why  string
	}{
		{"honest", func(*provider) {}, ""},
		{"signed by a key nobody knows", func(p *provider) { p.signer.key = otherRSAKey() }, ""},
		{"alg none", func(p *provider) { p.idToken = func() string { return unsigned(p.claims) } }, `signed with "none"`},
		{"HMAC", hmacWithPublicKey, `signed with "HS256"`},
		{"wrong aud", func(p *provider) { p.claims["aud"] = "client-2" }, "audience"},
		{"wrong nonce", func(p *provider) { p.claims["nonce"] = "replayed" }, "nonce"},
		{"expired", func(p *provider) { p.claims["exp"] = in(-time.Minute) }, "expired"},
		{"no iss", func(p *provider) { p.claims["iss"] = nil }, "no iss"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProvider(t)
			test.bend(p)
			m, err := Discover(context.Background(), p.http(), "", Endpoints{Authorization: p.URL + "/authorize", Token: p.URL + "/token"})
			if err != nil {
				t.Fatal(err)
			}
			grant, err := p.login(t, &Client{ID: clientID, HTTP: p.http(), Metadata: m}, p.request())
			if test.why != "" {
				wantCheck(t, err, test.why)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if grant.SignatureChecked || grant.Issuer != p.URL || grant.Subject != "ada" {
				t.Errorf("got %+v, want ada's, unchecked", grant)
			}
			if p.counted("/jwks") != 0 {
				t.Error("the keys were fetched")
			}
		})
	}
}

func TestPinnedIssuer(t *testing.T) {
	p := newProvider(t)
	m := &Metadata{AuthorizationEndpoint: p.URL + "/authorize", TokenEndpoint: p.URL + "/token", Source: SourceConfigured}
	c := &Client{ID: clientID, HTTP: p.http(), Metadata: m, PinnedIssuer: p.URL}
	if _, err := p.login(t, c, p.request()); err != nil {
		t.Error(err)
	}
	c.PinnedIssuer = "https://other.example.com"
	delete(p.claims, "nonce")
	_, err := p.login(t, c, p.request())
	wantCheck(t, err, "different provider")
}

func TestClaimsAreAsSent(t *testing.T) {
	p := newProvider(t)
	p.claims["big"] = 12345678901234567
	grant, err := p.login(t, p.client(t), p.request())
	if err != nil {
		t.Fatal(err)
	}
	payload := must(jose.ParseSignedCompact(grant.IDToken, []jose.SignatureAlgorithm{jose.RS256})).UnsafePayloadWithoutVerification()
	if string(grant.Claims) != string(payload) {
		t.Errorf("got %s, want %s", grant.Claims, payload)
	}
	if got, want := grant.IDTokenExpiry.Unix(), p.claims["exp"]; got != want {
		t.Errorf("got the expiry %d, want %d", got, want)
	}
}

// No text of a hostile ID token brings a secret into an error.
func TestIDTokenEchoesSecrets(t *testing.T) {
	p := newProvider(t)
	p.claims["iss"] = p.answer["refresh_token"]
	_, err := p.login(t, p.client(t), p.request())
	wantCheck(t, err, "[redacted]")
	if err != nil && strings.Contains(err.Error(), p.answer["refresh_token"].(string)) {
		t.Errorf("the error has the refresh token: %v", err)
	}
	var check *CheckError
	if errors.As(err, &check) && check.What != "ID token" {
		t.Errorf("got %q, want ID token", check.What)
	}
}
