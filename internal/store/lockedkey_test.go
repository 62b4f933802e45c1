package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// lockedOnce is lockKey("correct horse", the bytes 0 to 31), as version 1 wrote it.
const lockedOnce = `{"version":1,"kdf":"argon2id","time":3,"memory_kib":65536,"threads":4,"salt":"c1/fGGNKtpSi4Kaw4BAZ8w==","key":"YXV0aGN0bCBzZWFsZWQgMQqYipB/zDnfcA7511u18Cd73wnwVAlNW42uzNJDHzBr2rWLN5AZkQxJxXySQKXU8ugp9UAylGoIA4O5RSA="}` + "\n"

// A locked key that an earlier version wrote opens with its passphrase, and no other.
func TestLockedKey(t *testing.T) {
	k, err := parseLockedKey([]byte(lockedOnce))
	must(t, err)
	want := make([]byte, keySize)
	for i := range want {
		want[i] = byte(i)
	}
	if key, err := k.unlock("correct horse"); err != nil || !bytes.Equal(key, want) {
		t.Errorf("got %d bytes, %v, want the key", len(key), err)
	}
	for _, wrong := range []string{"", "correct hors", "correct horse ", "Correct horse"} {
		if _, err := k.unlock(wrong); !errors.Is(err, ErrDamaged) {
			t.Errorf("%q: got %v, want it refused", wrong, err)
		}
	}
}

// What derives a weaker key, or fills the memory, is refused before anybody is asked and
// anything derived; so is whatever we didn't write.
func TestLockedKeyIsDamaged(t *testing.T) {
	for _, tc := range []struct{ name, old, new string }{
		{"less memory", `"memory_kib":65536`, `"memory_kib":8`},
		{"more memory", `"memory_kib":65536`, `"memory_kib":100000000`},
		{"fewer passes", `"time":3`, `"time":1`},
		{"no passes", `"time":3`, `"time":0`},
		{"many passes", `"time":3`, `"time":4294967295`},
		{"no threads", `"threads":4`, `"threads":0`},
		{"another derivation", "argon2id", "pbkdf2"},
		{"another version", `"version":1`, `"version":2`},
		{"a short salt", `"salt":"`, `"salt":"","more":"`},
		{"an unknown member", `{`, `{"more":1,`},
		{"a member twice", `{`, `{"version":1,`},
		{"another case", `"time"`, `"Time"`},
		{"a space", `:`, `: `},
		{"more after it", "}\n", "}\n{}"},
		{"no end", "}\n", ""},
		{"nothing", lockedOnce, ""},
		{"far too much", "}\n", "}" + strings.Repeat(" ", 1<<20)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := strings.Replace(lockedOnce, tc.old, tc.new, 1)
			if text == lockedOnce {
				t.Fatal("nothing is changed")
			}
			p := &Passphrase{Dir: t.TempDir(), Present: func() bool { return true }}
			must(t, os.WriteFile(filepath.Join(p.Dir, "passphrase.json"), []byte(text), 0o600))
			if _, err := p.State(); !errors.Is(err, ErrDamaged) {
				t.Errorf("State: got %v, want ErrDamaged", err)
			}
			if _, err := p.get(t.Context(), true); !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrKeyring) { // Ask is nil
				t.Errorf("get: got %v, want ErrDamaged", err)
			}
		})
	}
}

// A locked key that is gone takes what it sealed with it: that is said, and another is not
// made behind what is there.
func TestLockedKeyIsGone(t *testing.T) {
	f := &File{Dir: t.TempDir()}
	f.Passphrase = &Passphrase{Dir: f.Dir}
	must(t, os.WriteFile(f.path("work"), []byte(sealedFormat), 0o600))
	if _, err := f.Get(t.Context(), "work"); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "passphrase.json") {
		t.Errorf("got %v, want ErrDamaged with the file's name", err)
	}
}
