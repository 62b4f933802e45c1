package store

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/authctl/authctl/internal/need"
)

// inKernel is a cache, and a name in it that nobody else has.
func inKernel(t *testing.T) (KernelCache, string) {
	t.Helper()
	c, name := KernelCache{For: "the tests"}, rand.Text()
	if c.Works() != nil {
		need.Missing(t, "the kernel's keyring")
	}
	t.Cleanup(func() { c.Delete(name) })
	return c, name
}

// number is the kernel's of a cached secret; 0 when it has none.
func (c KernelCache) number(name string) int {
	id, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", c.key(name), 0)
	if err != nil {
		return 0
	}
	return id
}

func TestKernelCache(t *testing.T) {
	const most = 32767 - 32   // the kernel's limit, less what it is good for
	const usualQuota = 20_000 // of all keys of an ordinary user, keyrings(7); root has far more
	ordinary := os.Getuid() != 0
	for _, c := range []struct {
		name string
		size int
		kept bool
	}{
		{"one byte", 1, true},
		{"what is read at once", usualKey - 32, true},
		{"a byte more", usualKey - 32 + 1, true},
		{"half of an ordinary user's", usualQuota / 2, true},
		{"the most", most, !ordinary},
		{"too large", most + 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cache, name := inKernel(t)
			secret := bytes.Repeat([]byte{'s'}, c.size)
			cache.Put(name, secret, time.Minute)
			if got := cache.Get(name); bytes.Equal(got, secret) != c.kept {
				t.Errorf("got %d bytes of %d, want them kept: %v", len(got), len(secret), c.kept)
			}
			if got := (KernelCache{For: "something else"}).Get(name); got != nil {
				t.Errorf("for something else: got %d bytes, want none", len(got))
			}
			(KernelCache{}).Delete(name)
			if got := cache.Get(name); got != nil || cache.number(name) != 0 {
				t.Errorf("deleted: got %d bytes", len(got))
			}
		})
	}
}

// Who has the same secrets has the same copies of them, and nobody else has.
func TestKernelCacheIsOfItsPlace(t *testing.T) {
	cache, name := inKernel(t)
	for what, other := range map[string]struct {
		place, name string
		same        bool
	}{
		"the same":                {"", name, true},
		"another place":           {"/elsewhere", name, false},
		"another name":            {"", name + "2", false},
		"the same, cut elsewhere": {name[:1], name[1:], false},
	} {
		for _, quiet := range []bool{false, true} {
			cache.Delete(name) // what takes another's place is shown for a moment
			cache.Put(name, []byte("secret"), time.Minute)
			o := KernelCache{Place: other.place, For: cache.For, Quiet: quiet}
			if got := o.Get(other.name); (got != nil) != other.same {
				t.Errorf("%s: got %d bytes", what, len(got))
			}
			o.Delete(other.name)
			if got := cache.Get(name); (got == nil) != other.same || showsKey(cache.key(name)) == other.same {
				t.Errorf("%s (quiet: %v) deletes: got %d bytes", what, quiet, len(got))
			}
		}
	}
}

// A cached secret is the user's alone, in every session of theirs; nobody has it longer
// than it was to live, nor once it is deleted.
func TestCachedSecretIsTheUsersAlone(t *testing.T) {
	cache, name := inKernel(t)
	cache.Put(name, []byte("secret"), time.Minute)
	id := cache.number(name)
	if got, want := describe(t, id), fmt.Sprintf("user;%d;%d;1b0b0000;%s", os.Getuid(), os.Getgid(), cache.key(name)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if left := keyLife(cache.key(name)); left <= 0 || left > time.Minute {
		t.Errorf("got %v to live, want a minute at most", left)
	}
	apart(t, joinSession, func() {
		if got := cache.Get(name); string(got) != "secret" {
			t.Errorf("in another session: got %d bytes", len(got))
		}
		for what, call := range map[string]func() error{
			"a longer life":  func() error { _, err := unix.KeyctlInt(unix.KEYCTL_SET_TIMEOUT, id, 1000, 0, 0); return err },
			"other contents": func() error { _, err := unix.KeyctlBuffer(unix.KEYCTL_UPDATE, id, []byte("other"), 0); return err },
			"other rights":   func() error { return unix.KeyctlSetperm(id, 0x3f3f3f3f) },
		} {
			if err := call(); !errors.Is(err, unix.EACCES) {
				t.Errorf("%s: got %v, want it refused", what, err)
			}
		}
		for _, linked := range []int{unix.KEY_SPEC_USER_KEYRING, id} { // the first, to possess the second
			_, err := unix.KeyctlInt(unix.KEYCTL_LINK, linked, unix.KEY_SPEC_SESSION_KEYRING, 0, 0)
			must(t, err)
		}
		cache.Delete(name)
		if n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, make([]byte, 64), 0); err == nil {
			t.Errorf("deleted, and linked by another program: got %d bytes", n)
		}
	})
}

func TestKernelCacheEnds(t *testing.T) {
	cache, name := inKernel(t)
	began := time.Now()
	cache.Put(name, []byte("secret"), time.Second)
	for end := began.Add(time.Minute); cache.Get(name) != nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it is there still")
		}
	}
	if cache.Put(name, []byte("secret"), 1<<62); cache.Get(name) == nil || keyLife(cache.key(name)) == 0 {
		t.Error("a time beyond all that is counted: not kept, or for ever")
	}
}

// A user's room in the kernel is small. When it is full, nothing is kept and nothing is
// wrong.
func TestKernelCacheIsFull(t *testing.T) {
	cache, name := inKernel(t)
	apart(t, becomeAnother, func() {
		if cache.Put(name, []byte("secret"), time.Minute); cache.Get(name) == nil {
			t.Error("with room: not kept")
		}
		cache.Delete(name)
		defer fillKernel(t)()
		if cache.Put(name, []byte("secret"), time.Minute); cache.Get(name) != nil {
			t.Error("without room: kept")
		}
		must(t, cache.Works())
	})
}
