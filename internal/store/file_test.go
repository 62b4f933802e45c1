package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// fileStore returns one with a key.
func fileStore(t *testing.T) *File {
	t.Helper()
	dir := t.TempDir()
	f := &File{Dir: filepath.Join(dir, "state", "sealed"), KeyFile: filepath.Join(dir, "keys", "key")}
	if made, err := MakeKey(f.KeyFile); err != nil || !made {
		t.Fatalf("MakeKey: got %v, %v", made, err)
	}
	return f
}

func TestFileRoundTrip(t *testing.T) {
	for _, tc := range []struct {
		name   string
		secret []byte
	}{
		{"empty", []byte{}},
		{"JSON", []byte(`{"version":1}`)},
		{"64 KiB", bytes.Repeat([]byte("x"), 64<<10)},
		{"1 MiB", bytes.Repeat([]byte("x"), 1<<20)},
		{"not text", []byte{0xff, 0, 0xfe, '\n'}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ctx, f := t.Context(), fileStore(t)
			const name = "work@0a1b2c/client-secret"
			must(t, f.Check(ctx))
			if _, err := f.Get(ctx, name); !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("Get before: got %v, want fs.ErrNotExist", err)
			}
			must(t, f.Create(ctx, name, []byte("first")))
			must(t, f.Ready(ctx, name))
			must(t, f.Update(ctx, name, tc.secret))
			if got, err := f.Get(ctx, name); err != nil || !bytes.Equal(got, tc.secret) {
				t.Errorf("Get: got %d bytes, %v, want %d bytes", len(got), err, len(tc.secret))
			}
			if left := entries(t, f.Dir); len(left) != 1 {
				t.Errorf("got %v, want one file", left)
			}
			for range 2 { // the second finds nothing, which is no error
				must(t, f.Delete(ctx, name))
			}
			if left := entries(t, f.Dir); len(left) != 0 {
				t.Errorf("got %v left over", left)
			}
		})
	}
}

func TestFileDamage(t *testing.T) {
	for _, tc := range []struct {
		name   string
		damage func(t *testing.T, f *File, path string)
	}{
		{"none", func(*testing.T, *File, string) {}},
		{"empty", func(t *testing.T, _ *File, path string) { must(t, os.Truncate(path, 0)) }},
		{"cut", func(t *testing.T, _ *File, path string) { must(t, os.Truncate(path, 50)) }},
		{"another form", func(t *testing.T, _ *File, path string) {
			must(t, os.WriteFile(path, []byte("authctl sealed 2\nx"), 0o600))
		}},
		{"another secret's", func(t *testing.T, f *File, path string) {
			must(t, f.Create(t.Context(), "other", []byte("secret")))
			must(t, os.Rename(f.path("other"), path))
		}},
		{"another key", func(t *testing.T, f *File, _ string) {
			must(t, os.Remove(f.KeyFile))
			_, err := MakeKey(f.KeyFile)
			must(t, err)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ctx, f := t.Context(), fileStore(t)
			must(t, f.Create(ctx, "work", []byte("secret")))
			tc.damage(t, f, f.path("work"))
			_, err := f.Get(ctx, "work")
			if tc.name == "none" {
				must(t, err)
				return
			}
			if !errors.Is(err, ErrDamaged) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("got %v, want ErrDamaged with the way out", err)
			}
			must(t, f.Create(ctx, "work", []byte("signed in again")))
			if got, err := f.Get(ctx, "work"); err != nil || string(got) != "signed in again" {
				t.Errorf("after a login: got %q, %v", got, err)
			}
		})
	}
}

// Whatever byte of a sealed file changes, it is refused.
func TestEveryByteCounts(t *testing.T) {
	key, secret := newKey(), []byte("a secret of some length")
	sealed, err := seal(key, "work", secret)
	must(t, err)
	if got, err := unseal(key, "work", sealed); err != nil || !bytes.Equal(got, secret) {
		t.Fatalf("unchanged: got %q, %v", got, err)
	}
	for i := range sealed {
		sealed[i] ^= 1
		if got, err := unseal(key, "work", sealed); !errors.Is(err, ErrDamaged) {
			t.Errorf("byte %d: got %q, %v, want ErrDamaged", i, got, err)
		}
		sealed[i] ^= 1
	}
	for n := range sealed {
		if _, err := unseal(key, "work", sealed[:n]); !errors.Is(err, ErrDamaged) {
			t.Errorf("%d bytes: got %v, want ErrDamaged", n, err)
		}
	}
}

func TestSealedTwiceDiffers(t *testing.T) {
	key := newKey()
	a, err := seal(key, "work", []byte("secret"))
	must(t, err)
	b, err := seal(key, "work", []byte("secret"))
	must(t, err)
	if bytes.Equal(a, b) || bytes.Contains(a, []byte("secret")) {
		t.Error("got the same nonce twice, or the secret itself")
	}
}

// No secret's files are another's, whatever the names.
func TestFilePrefixes(t *testing.T) {
	for name, want := range map[string]string{
		"work":                    "file~work~",
		"work.2_x-y":              "file~work.2_x-y~",
		"work@0a1b/client-secret": "file~work@0a1b%2fclient-secret~",
		"../x":                    "file~..%2fx~",
		"a~b":                     "file~a%7eb~",
		"a%7eb":                   "file~a%257eb~",
		"Work:ä\\":                "file~%57ork%3a%c3%a4%5c~",
	} {
		if got := filePrefix("file", name); got != want || filepath.Base(got) != got {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

// Errors of the directory are neither "nothing stored" nor silent.
func TestDirectoryThatCannotBe(t *testing.T) {
	ctx, f := t.Context(), fileStore(t)
	must(t, os.MkdirAll(filepath.Dir(f.Dir), 0o700))
	must(t, os.WriteFile(f.Dir, nil, 0o600))
	for op, err := range map[string]error{
		"Create": f.Create(ctx, "work", []byte("s")),
		"Delete": f.Delete(ctx, "work"),
		"Check":  f.Check(ctx),
		"Ready":  f.Ready(ctx, "work"),
	} {
		if typed := new(Error); !errors.As(err, &typed) || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v, want an *Error", op, err)
		}
	}
}

// What another key has sealed stays its own until Settle: a login that is on its way to
// another key file may be cut short, or taken back.
func TestAnotherKeysSecretStays(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(f *File) error
		old  string // what the first key opens afterwards; empty: nothing
	}{
		{"cut short", func(*File) error { return nil }, "first"},
		{"taken back", func(f *File) error { return f.TakeBack(t.Context(), "work") }, "first"},
		{"settled", func(f *File) error { return f.Settle("work") }, ""},
		{"deleted", func(f *File) error { return f.Delete(t.Context(), "work") }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			first, second := keyed(t, dir, "first.key"), keyed(t, dir, "second.key")
			if err := first.Create(t.Context(), "work", []byte("first")); err != nil {
				t.Fatal(err)
			}
			if err := second.Create(t.Context(), "work", []byte("second")); err != nil {
				t.Fatal(err)
			}
			if got, err := second.Get(t.Context(), "work"); err != nil || string(got) != "second" {
				t.Errorf("the second key opens %q, %v, want its own", got, err)
			}
			if err := c.end(second); err != nil {
				t.Fatal(err)
			}
			if got, err := first.Get(t.Context(), "work"); string(got) != c.old || (err == nil) != (c.old != "") {
				t.Errorf("the first key opens %q, %v, want %q", got, err, c.old)
			}
		})
	}
}

// Settle by the first key takes back what came to nothing; where the key is away, nothing
// is lost.
func TestSettledByTheFirstKey(t *testing.T) {
	dir := t.TempDir()
	first, second := keyed(t, dir, "first.key"), keyed(t, dir, "second.key")
	for _, f := range []*File{first, second} {
		must(t, f.Create(t.Context(), "work", []byte(filepath.Base(f.KeyFile))))
	}
	away := &File{Dir: first.Dir, KeyFile: filepath.Join(dir, "away.key")}
	settled := false
	for _, settle := range []*File{away, first, away, first} {
		if err := settle.Settle("work"); (err != nil) != (settle == away && !settled) {
			t.Errorf("Settle with %s: got %v", filepath.Base(settle.KeyFile), err)
		}
		settled = settled || settle == first
		if got, err := first.Get(t.Context(), "work"); err != nil || string(got) != "first.key" {
			t.Errorf("the first key opens %q, %v, want its own", got, err)
		}
	}
	if _, err := second.Get(t.Context(), "work"); !errors.Is(err, ErrDamaged) {
		t.Errorf("the second key: got %v, want ErrDamaged", err)
	}
}

// Two keys of one directory take turns, as in two shells: what each has written last is there
// for it, whoever wrote before.
func TestTwoKeysTakeTurns(t *testing.T) {
	dir := t.TempDir()
	first, second := keyed(t, dir, "first.key"), keyed(t, dir, "second.key")
	want := map[*File]string{}
	for n, f := range []*File{first, second, first, first, second, second, first} {
		want[f] = fmt.Sprint("secret ", n)
		must(t, f.Update(t.Context(), "work", []byte(want[f])))
		for f, want := range want {
			if got, err := f.Get(t.Context(), "work"); err != nil || string(got) != want {
				t.Errorf("after write %d %s opens %q, %v, want %q", n, filepath.Base(f.KeyFile), got, err, want)
			}
		}
		if left := entries(t, dir+"/sealed"); len(left) != len(want) {
			t.Errorf("got %v for %d keys", left, len(want))
		}
	}
}

// keyed is a store in dir with a key of its own.
func keyed(t *testing.T, dir, key string) *File {
	t.Helper()
	f := &File{Dir: filepath.Join(dir, "sealed"), KeyFile: filepath.Join(dir, key)}
	if _, err := MakeKey(f.KeyFile); err != nil {
		t.Fatal(err)
	}
	return f
}
