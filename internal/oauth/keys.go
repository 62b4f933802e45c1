package oauth

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// opKeys is the Op or What of an error about getting keys.
const opKeys = "keys"

// isAboutKeys: the keys couldn't be had, so that nothing is known of a signature.
func isAboutKeys(err error) bool {
	var unreachable *UnreachableError
	var check *CheckError
	return errors.As(err, &unreachable) && unreachable.Op == opKeys ||
		errors.As(err, &check) && check.What == opKeys
}

// keySet is the provider's keys for go-oidc. Unlike go-oidc's own, it starts with
// the key that is kept in Metadata, and says by the type of its error whether the
// keys couldn't be had or the signature is bad: go-oidc turns it into text.
type keySet struct {
	client     *Client
	algorithms []jose.SignatureAlgorithm
	err        error
}

// CountKeys fetches the provider's keys and says how many of them can be used.
func (c *Client) CountKeys(ctx context.Context) (int, error) {
	keys, err := (&keySet{client: c}).fetch(ctx)
	return len(keys), c.secrets().cleanError(err)
}

func (k *keySet) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	payload, err := k.verify(ctx, raw)
	k.err = err
	return payload, err
}

// verify fetches the keys when the kept one doesn't fit: providers change them at
// will, OpenID Connect Core 10.1.1.
func (k *keySet) verify(ctx context.Context, raw string) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(raw, k.algorithms)
	if err != nil {
		return nil, idTokenError("it is no signed JWT")
	}
	m := k.client.Metadata
	if payload, _, err := verifyWith(readKeys(m.Keys), jws); err == nil {
		return payload, nil
	}
	keys, err := k.fetch(ctx)
	if err != nil {
		return nil, err
	}
	payload, key, err := verifyWith(keys, jws)
	if err != nil {
		return nil, err
	}
	m.Keys, err = keep(key)
	return payload, err
}

func (k *keySet) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	a, err := get(ctx, k.client.HTTP, opKeys, k.client.Metadata.JWKSURI)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, &CheckError{What: opKeys, Why: a.place() + " " + a.statusLine()}
	}
	keys := readKeys(a.body)
	if len(keys) == 0 {
		return nil, &CheckError{What: opKeys, Why: a.place() + " has no key that can be used"}
	}
	return keys, nil
}

// readKeys are the public signing keys of a JWK set. Any other is passed over, as
// RFC 7517 §5 has it: one that is not understood must not spoil the set.
func readKeys(document []byte) []jose.JSONWebKey {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(document, &set) != nil {
		return nil
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if misread(raw) == "" && key.UnmarshalJSON(bare(raw)) == nil && key.IsPublic() && isForSignatures(key.Use, raw) && isStrong(key.Key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// bare is a key without its certificates, which are optional and not looked at here (RFC 7517
// §4.6 to §4.9): go-jose refuses the key for one that is wrong, and some providers have such.
func bare(key json.RawMessage) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(key, &members) != nil {
		return key
	}
	for _, name := range []string{"x5u", "x5c", "x5t", "x5t#S256"} {
		delete(members, name)
	}
	without, err := json.Marshal(members)
	if err != nil {
		return key
	}
	return without
}

// isForSignatures looks at use and key_ops, RFC 7517 §4.2 and §4.3.
func isForSignatures(use string, key []byte) bool {
	var more struct {
		Operations []string `json:"key_ops"`
	}
	return (use == "" || use == "sig") && json.Unmarshal(key, &more) == nil &&
		(more.Operations == nil || slices.Contains(more.Operations, "verify"))
}

// isStrong: RFC 7518 §3.3 wants 2048 bits of an RSA key. go-jose takes no more than 4096,
// and looks at the curve of any other.
func isStrong(key any) bool {
	k, isRSA := key.(*rsa.PublicKey)
	return !isRSA || k.N.BitLen() >= 2048
}

// verifyWith tries every key that the header allows: without a kid there may be
// several, and a kid may name several.
func verifyWith(keys []jose.JSONWebKey, jws *jose.JSONWebSignature) ([]byte, *jose.JSONWebKey, error) {
	header := jws.Signatures[0].Protected
	err := fmt.Errorf("no key has the ID %q", header.KeyID)
	for _, key := range keys {
		if header.KeyID != "" && key.KeyID != header.KeyID || key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue
		}
		payload, failed := jws.Verify(&key)
		if failed == nil {
			return payload, &key, nil
		}
		err = errors.New("its signature is wrong")
	}
	return nil, nil, idTokenError(err.Error())
}

// keep is key as a set, without the certificates that may come with it.
func keep(key *jose.JSONWebKey) (json.RawMessage, error) {
	kept := jose.JSONWebKey{Key: key.Key, KeyID: key.KeyID, Algorithm: key.Algorithm, Use: key.Use}
	return json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{kept}})
}
