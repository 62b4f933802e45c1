package store

import (
	"bytes"
	"encoding/base64"
	"path/filepath"
	"strings"
	"testing"
)

// A sealed file is what was sealed, or refused; nothing in it makes us panic.
func FuzzUnseal(f *testing.F) {
	key := bytes.Repeat([]byte{7}, keySize)
	// seal(key, "work", "secret") once: the fuzzer's processes have to agree on it.
	whole, err := base64.StdEncoding.DecodeString("YXV0aGN0bCBzZWFsZWQgMQpFAYSOrFUR3cjitzFNGJD3fegQ6byGYL8yjE+0+BbdtaH7")
	if err != nil {
		f.Fatal(err)
	}
	if got, err := unseal(key, "work", whole); err != nil || string(got) != "secret" {
		f.Fatalf("got %q, %v, want a file that an earlier version wrote to stay readable", got, err)
	}
	other, err := seal(key, "other", []byte("secret"))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{whole, other, whole[:len(whole)-1], nil, []byte(sealedFormat), []byte("authctl sealed 2\n"), bytes.Repeat([]byte{0}, 100)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := unseal(key, "work", data)
		if err == nil && (!bytes.Equal(data, whole) || string(got) != "secret") {
			t.Errorf("got %q from %d bytes that nobody sealed", got, len(data))
		}
	})
}

// An item is the secret itself, or names a file of this secret and a whole key.
func FuzzParseItem(f *testing.F) {
	item := sealedItem{file: filePrefix("keychain", "work") + "0011223344556677", key: bytes.Repeat([]byte{7}, keySize)}
	for _, seed := range []string{
		item.String(), item.String() + "\n", "", "secret", itemPrefix, itemPrefix + "1", itemPrefix + "1::", itemPrefix + "2:x:y",
		itemPrefix + "1:keychain~work~/../../x:" + base64.StdEncoding.EncodeToString(item.key),
		itemPrefix + "1:keychain~other~x:" + base64.StdEncoding.EncodeToString(item.key),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, sealed, err := parseItem("work", text)
		if sealed != strings.HasPrefix(text, itemPrefix) {
			t.Errorf("got sealed %v for %q", sealed, text)
		}
		if !sealed || err != nil {
			return
		}
		if len(got.key) != keySize || filepath.Base(got.file) != got.file || !strings.HasPrefix(got.file, "keychain~work~") {
			t.Errorf("got file %q and a key of %d bytes", got.file, len(got.key))
		}
		if again, _, err := parseItem("work", got.String()); err != nil || again.file != got.file || !bytes.Equal(again.key, got.key) {
			t.Errorf("got %v, %v back, want %v", again, err, got)
		}
	})
}

// A locked key is what we wrote, to the byte, or refused.
func FuzzParseLockedKey(f *testing.F) {
	for _, seed := range []string{
		lockedOnce, lockedOnce[1:], "", "{}", "null", "[]", `{"version":1}`, strings.ToUpper(lockedOnce),
		strings.Replace(lockedOnce, "65536", "4294967295", 1), strings.Replace(lockedOnce, "argon2id", "argon2i", 1),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := parseLockedKey(text)
		if err != nil {
			return
		}
		if again, err := k.encode(); err != nil || !bytes.Equal(again, text) || k.derivation != ours() || len(k.Salt) != saltSize {
			t.Errorf("got %+v of %q, want what we write", k, text)
		}
	})
}
