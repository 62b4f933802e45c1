package store

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestMakeKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "key")
	if made, err := MakeKey(path); err != nil || !made {
		t.Fatalf("first: got %v, %v, want true", made, err)
	}
	key, err := readKey(path)
	must(t, err)
	if made, err := MakeKey(path); err != nil || made {
		t.Errorf("second: got %v, %v, want false", made, err)
	}
	if again, err := readKey(path); err != nil || !bytes.Equal(key, again) {
		t.Errorf("the key changed, or %v", err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v, want 0600", info.Mode(), err)
	}
	for _, dir := range []string{filepath.Dir(path), filepath.Dir(filepath.Dir(path))} {
		if info, err := os.Stat(dir); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
			t.Errorf("%s: got %v, %v, want 0700", dir, info.Mode(), err)
		}
	}
}

// Of many logins at once one makes the key, and all use it.
func TestMakeKeyAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	type result struct {
		made bool
		key  []byte
		err  error
	}
	results := make(chan result)
	for range 16 {
		go func() {
			made, err := MakeKey(path)
			key, readErr := readKey(path)
			results <- result{made, key, errors.Join(err, readErr)}
		}()
	}
	made, keys := 0, map[string]bool{}
	for range 16 {
		r := <-results
		must(t, r.err)
		keys[string(r.key)] = true
		if r.made {
			made++
		}
	}
	if made != 1 || len(keys) != 1 {
		t.Errorf("got %d made, %d different, want one", made, len(keys))
	}
}

// A key file that can't be used is said to be so by every operation that needs it,
// and never reads as "nothing stored".
func TestKeyFileRefused(t *testing.T) {
	write := func(size int, mode fs.FileMode) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			must(t, os.WriteFile(path, make([]byte, size), 0o600))
			must(t, os.Chmod(path, mode))
		}
	}
	for _, tc := range []struct {
		name string
		make func(t *testing.T, path string)
		want string // empty: it is fine
	}{
		{"sound", write(keySize, 0o600), ""},
		{"sound and read-only", write(keySize, 0o400), ""},
		{"a link to a sound one", func(t *testing.T, path string) {
			write(keySize, 0o600)(t, path+"2")
			must(t, os.Symlink(path+"2", path))
		}, ""},
		{"missing", func(*testing.T, string) {}, "no such file"},
		{"short", write(keySize-1, 0o600), "31 bytes instead of 32"},
		{"long", write(keySize+1, 0o600), "33 bytes instead of 32"},
		{"empty", write(0, 0o600), "0 bytes instead of 32"},
		{"a directory", func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o700)) }, "no regular file"},
		{"read by the group", write(keySize, 0o640), "chmod 600"},
		{"read by others", write(keySize, 0o604), "chmod 600"},
		{"written by others", write(keySize, 0o602), "chmod 600"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && (strings.Contains(tc.want, "chmod") || strings.Contains(tc.name, "link")) {
				t.Log("Windows has neither modes nor links for everybody")
				return
			}
			ctx, f := t.Context(), fileStore(t)
			must(t, f.Create(ctx, "work", []byte("secret")))
			must(t, os.Rename(f.KeyFile, f.KeyFile+".real"))
			tc.make(t, f.KeyFile)
			_, getErr := f.Get(ctx, "work")
			errs := map[string]error{
				"Ready": f.Ready(ctx, "work"), "Check": f.Check(ctx), "Create": f.Create(ctx, "other", []byte("s")), "Get": getErr,
			}
			if tc.want == "" {
				must(t, errs["Ready"])
				must(t, errs["Check"])
				must(t, errs["Create"])
				return // Get: another key
			}
			for op, err := range errs {
				if !errors.Is(err, ErrKeyFile) || errors.Is(err, fs.ErrNotExist) ||
					!strings.Contains(err.Error(), f.KeyFile) || runtime.GOOS != "windows" && !strings.Contains(err.Error(), tc.want) {
					t.Errorf("%s: got %v, want ErrKeyFile with %q", op, err, tc.want)
				}
			}
			_, err := MakeKey(f.KeyFile)
			if typed := new(Error); tc.name != "missing" && (!errors.Is(err, ErrKeyFile) || !errors.As(err, &typed)) {
				t.Errorf("MakeKey: got %v, want ErrKeyFile in an *Error", err)
			}
		})
	}
}

// Deleting needs no key, and a first login with a missing key finds nothing stored.
func TestMissingKeyWhereNoneIsNeeded(t *testing.T) {
	ctx, f := t.Context(), fileStore(t)
	must(t, f.Create(ctx, "work", []byte("secret")))
	must(t, os.Remove(f.KeyFile))
	must(t, f.Delete(ctx, "work"))
	if _, err := f.Get(ctx, "work"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
}
