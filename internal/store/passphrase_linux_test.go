package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/authctl/authctl/internal/need"
)

const knownPassphrase = "correct horse battery staple"

// locked returns a store whose passphrase is chosen and given, and forgotten by the kernel
// when the test ends.
func locked(t *testing.T) *File {
	t.Helper()
	f := lockedIn(t, filepath.Join(t.TempDir(), "file"))
	must(t, f.Check(t.Context()))
	return f
}

// lockedIn is a store in dir as another process sees it. Whoever asks is told the passphrase.
func lockedIn(t *testing.T, dir string) *File {
	t.Helper()
	if _, err := keptKey(keyName(nil)); err != nil {
		need.Missing(t, "the kernel's keyring")
	}
	p := &Passphrase{Dir: dir, Timeout: time.Minute, Present: func() bool { return true },
		Ask: func(context.Context, Question) (string, error) { return knownPassphrase, nil }}
	t.Cleanup(func() { forget(t, p) })
	return &File{Dir: dir, Passphrase: p}
}

// answers tells whoever asks one after the other, and nothing after the last.
func answers(p *Passphrase, all ...string) (asked *[]Question) {
	asked = new([]Question)
	p.Ask = func(_ context.Context, q Question) (string, error) {
		*asked = append(*asked, q)
		if len(*asked) > len(all) {
			return "", errors.New("asked too often")
		}
		return all[len(*asked)-1], nil
	}
	return asked
}

// forget has the kernel do so.
func forget(t *testing.T, p *Passphrase) {
	t.Helper()
	if id := kernelKey(t, p); id != 0 {
		_, err := unix.KeyctlInt(unix.KEYCTL_INVALIDATE, id, 0, 0, 0)
		must(t, err)
	}
}

// kernelKey is the kernel's number of the key; 0 when it has none.
func kernelKey(t *testing.T, p *Passphrase) int {
	t.Helper()
	text, err := p.read()
	must(t, err)
	id, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", keyName(text), 0)
	if err != nil {
		return 0
	}
	return id
}

// The passphrase is chosen once, given once, and not asked for again while the kernel has
// the key.
func TestPassphraseIsGivenOnce(t *testing.T) {
	ctx, f := t.Context(), locked(t)
	must(t, f.Create(ctx, "work", []byte("secret")))

	other := lockedIn(t, f.Dir)
	asked := answers(other.Passphrase)
	if got, err := other.Get(ctx, "work"); err != nil || string(got) != "secret" || len(*asked) > 0 {
		t.Errorf("from the kernel's key: got %q, %v, after %d questions", got, err, len(*asked))
	}

	forget(t, f.Passphrase)
	other = lockedIn(t, f.Dir)
	asked = answers(other.Passphrase, "wrong", knownPassphrase)
	for range 2 {
		if got, err := other.Get(ctx, "work"); err != nil || string(got) != "secret" {
			t.Errorf("from the passphrase: got %q, %v", got, err)
		}
	}
	if want := (Question{Wrong: 1}); len(*asked) != 2 || (*asked)[1] != want {
		t.Errorf("got the questions %v, want two, the second after a wrong answer", *asked)
	}
	if s, err := f.Passphrase.State(); err != nil || !s.Chosen || !s.Held || s.Left < 50*time.Second || s.Left > time.Minute {
		t.Errorf("got the state %+v, %v, want about a minute left", s, err)
	}
}

// A process that was given the passphrase can save what it renews, whatever the kernel has
// forgotten meanwhile.
func TestPassphraseLastsForTheProcess(t *testing.T) {
	ctx, f := t.Context(), locked(t)
	must(t, f.Create(ctx, "work", []byte("secret")))
	forget(t, f.Passphrase)
	answers(f.Passphrase)
	must(t, f.Ready(ctx, "work"))
	must(t, f.Update(ctx, "work", []byte("renewed")))
	if got, err := f.Get(ctx, "work"); err != nil || string(got) != "renewed" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestPassphraseIsNotKnown(t *testing.T) {
	for _, tc := range []struct {
		name    string
		answers []string
		why     string
	}{
		{"wrong each time", []string{"wrong", "Correct horse battery staple", knownPassphrase + " "}, "wrong 3 times"},
		{"given up", []string{""}, "no passphrase was given"},
		{"given up after a wrong one", []string{"wrong", ""}, "no passphrase was given"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ctx, f := t.Context(), locked(t)
			must(t, f.Create(ctx, "work", []byte("secret")))
			forget(t, f.Passphrase)
			f = lockedIn(t, f.Dir)
			asked := answers(f.Passphrase, tc.answers...)
			for range 2 { // the second time nobody is asked
				_, err := f.Get(ctx, "work")
				unknown := (*PassphraseError)(nil)
				if !errors.As(err, &unknown) || !strings.Contains(unknown.Why, tc.why) || unknown.File != filepath.Join(f.Dir, "passphrase.json") {
					t.Errorf("got %v, want a PassphraseError with %q and the file", err, tc.why)
				}
			}
			if len(*asked) != len(tc.answers) {
				t.Errorf("asked %d times, want %d", len(*asked), len(tc.answers))
			}
			must(t, f.Delete(ctx, "work")) // which needs no key
		})
	}
}

// Where nobody is there, nobody is asked, and it is said what is missing.
func TestNobodyIsThereToAsk(t *testing.T) {
	ctx, f := t.Context(), locked(t)
	must(t, f.Create(ctx, "work", []byte("secret")))
	forget(t, f.Passphrase)
	f = lockedIn(t, f.Dir)
	f.Passphrase.Present = func() bool { return false }
	_, getErr := f.Get(ctx, "work")
	for op, err := range map[string]error{"Get": getErr, "Check": f.Check(ctx), "Ready": f.Ready(ctx, "work"), "Create": f.Create(ctx, "work", nil)} {
		if typed := (*Error)(nil); !errors.Is(err, ErrUnasked) || !errors.As(err, &typed) {
			t.Errorf("%s: got %v, want ErrUnasked", op, err)
		}
	}
	unchosen := lockedIn(t, t.TempDir())
	unchosen.Passphrase.Present = nil
	if err := unchosen.Check(ctx); !errors.Is(err, ErrUnchosen) {
		t.Errorf("where none was chosen: got %v, want ErrUnchosen", err)
	}
	if _, err := unchosen.Get(ctx, "work"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing stored: got %v, want fs.ErrNotExist", err)
	}
}

// The kernel forgets the key by its own clock.
func TestKernelForgetsTheKey(t *testing.T) {
	f := lockedIn(t, t.TempDir())
	f.Passphrase.Timeout = 10 * time.Millisecond // rounded up to a second: zero would be for ever
	must(t, f.Check(t.Context()))
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		s, err := f.Passphrase.State()
		must(t, err)
		if !s.Held {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it has the key still")
		}
	}
	f = lockedIn(t, f.Dir)
	asked := answers(f.Passphrase, knownPassphrase)
	must(t, f.Check(t.Context()))
	if len(*asked) != 1 {
		t.Errorf("asked %d times, want once", len(*asked))
	}
}

// The kernel forgets the key with the last secret, and not before.
func TestKeyGoesWithTheLastSecret(t *testing.T) {
	ctx, f := t.Context(), lockedIn(t, filepath.Join(t.TempDir(), "[a-z]* of ?"))
	for _, name := range []string{"home", "work"} {
		must(t, f.Create(ctx, name, []byte("secret")))
	}
	for _, name := range []string{"home", "work"} {
		must(t, f.Delete(ctx, name))
		if s, err := f.Passphrase.State(); err != nil || s.Held != (name == "home") {
			t.Errorf("%s deleted: got the state %+v, %v", name, s, err)
		}
	}
}

// The key is the user's alone, and all of theirs: a session that doesn't lead to the user's
// keyring, as cron's and services', has it too, and another user hasn't. Nobody may change
// it or have it live longer.
func TestKernelKeyIsTheUsersAlone(t *testing.T) {
	f := locked(t)
	id := kernelKey(t, f.Passphrase)
	text, err := f.Passphrase.read()
	must(t, err)
	if got, want := describe(t, id), fmt.Sprintf("user;%d;%d;1b0b0000;%s", os.Getuid(), os.Getgid(), keyName(text)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	apart(t, joinSession, func() {
		if key, err := keptKey(keyName(text)); err != nil || !bytes.Equal(key, f.Passphrase.key) {
			t.Errorf("in another session: got %d bytes, %v, want the key", len(key), err)
		}
		if _, err := unix.KeyctlInt(unix.KEYCTL_SET_TIMEOUT, id, 1000, 0, 0); !errors.Is(err, unix.EACCES) {
			t.Errorf("a longer life: got %v, want it refused", err)
		}
	})
	apart(t, becomeNobody, func() {
		buf := make([]byte, keySize)
		if n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, buf, 0); !errors.Is(err, unix.EACCES) {
			t.Errorf("another user: got %d bytes, %v, want it refused", n, err)
		}
		if key, err := keptKey(keyName(text)); key != nil || err != nil {
			t.Errorf("in another user's keyring: got %d bytes, %v, want none", len(key), err)
		}
		if list, err := os.ReadFile("/proc/keys"); err != nil || bytes.Contains(list, []byte(keyName(text))) {
			t.Errorf("another user's /proc/keys: %v, or the key is named there", err)
		}
	})
}

// apart runs f on a thread that change has changed; nothing else notices.
func apart(t *testing.T, change func() error, f func()) {
	t.Helper()
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		if err = change(); err == nil {
			f()
		}
	}()
	<-done
	if errors.Is(err, fs.ErrPermission) {
		need.Missing(t, "root, to be another user")
	}
	must(t, err)
}

// joinSession gives this thread a session of its own, in which nothing is.
func joinSession() error {
	_, err := unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0)
	return err
}

func becomeNobody() error { return become(65534) }

// becomeAnother is to be a user whom nobody else is, or was: the kernel takes its time to
// forget.
func becomeAnother() error { return become(1<<30 + rand.N(1<<30)) }

func become(id int) error {
	for _, call := range []uintptr{syscall.SYS_SETRESGID, syscall.SYS_SETRESUID} {
		if _, _, errno := syscall.RawSyscall(call, uintptr(id), uintptr(id), uintptr(id)); errno != 0 {
			return errno
		}
	}
	return nil
}

// fillKernel leaves this thread's user no room for another key, until empty.
func fillKernel(t *testing.T) (empty func()) {
	var err error
	n := 0
	for ; err == nil && n < 1<<20; n++ {
		_, err = unix.AddKey("user", fmt.Sprint("filling ", n), []byte("x"), unix.KEY_SPEC_USER_KEYRING)
	}
	if !errors.Is(err, unix.EDQUOT) {
		t.Errorf("after %d keys: %v, want no room", n, err)
	}
	return func() { unix.KeyctlInt(unix.KEYCTL_CLEAR, unix.KEY_SPEC_USER_KEYRING, 0, 0, 0) }
}

// Where the kernel has no room, the passphrase is as good, and is asked for again.
func TestKernelIsFull(t *testing.T) {
	ctx, dir := t.Context(), everyones(t)
	apart(t, becomeAnother, func() {
		defer fillKernel(t)()
		for _, given := range [][]string{{knownPassphrase}, {"wrong", knownPassphrase}} { // chosen, and then by another process
			unkept := 0
			f := &File{Dir: dir, Passphrase: &Passphrase{Dir: dir, Timeout: time.Minute, Present: func() bool { return true }, Unkept: func(err error) {
				if unkept++; !errors.Is(err, ErrKeyring) || !errors.Is(err, unix.EDQUOT) {
					t.Errorf("not kept: got %v, want EDQUOT", err)
				}
			}}}
			asked := answers(f.Passphrase, given...)
			if err := f.Create(ctx, "work", []byte("secret")); err != nil {
				t.Error(err)
			}
			if got, err := f.Get(ctx, "work"); err != nil || string(got) != "secret" {
				t.Errorf("got %q, %v", got, err)
			}
			if len(*asked) != len(given) || unkept != 1 {
				t.Errorf("asked %d times, told of it %d times, want %d and 1", len(*asked), unkept, len(given))
			}
		}
	})
}

// Where it has no room for a key that is to be forgotten sooner, beside the one that it has,
// it forgets that.
func TestKernelIsFullAndIsToForgetSooner(t *testing.T) {
	dir := everyones(t)
	apart(t, becomeAnother, func() {
		f := lockedIn(t, dir)
		if err := f.Check(t.Context()); err != nil || kernelKey(t, f.Passphrase) == 0 {
			t.Errorf("with room: got %v, or the kernel has no key", err)
		}
		defer fillKernel(t)()
		f.Passphrase.Timeout = time.Second
		if err := f.Passphrase.Shorten(); err != nil || kernelKey(t, f.Passphrase) != 0 {
			t.Errorf("got %v, or the kernel has the key still", err)
		}
	})
}

// everyones is a directory for any user.
func everyones(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	must(t, errors.Join(os.Chmod(dir, 0o777), os.Chmod(filepath.Dir(dir), 0o755)))
	return dir
}

// Of many that need it at once, one asks, to choose it and to give it.
func TestOneAsks(t *testing.T) {
	const many = 16
	dir := filepath.Join(t.TempDir(), "file")
	for _, question := range []Question{{New: true}, {}} {
		asked, ends := make(chan Question, many), make(chan error, many)
		must(t, os.MkdirAll(dir, 0o700))
		for range many {
			f := lockedIn(t, dir)
			f.Passphrase.Ask = func(_ context.Context, q Question) (string, error) { asked <- q; return knownPassphrase, nil }
			go func() { ends <- f.Check(t.Context()) }()
		}
		for range many {
			must(t, <-ends)
		}
		if got := <-asked; len(asked) > 0 || got != question {
			t.Errorf("asked %d times more, first %+v, want %+v alone", len(asked), got, question)
		}
		forget(t, lockedIn(t, dir).Passphrase)
	}
}

// Who comes to its turn when the one before was told asks no more.
func TestNobodyAsksAfterTheLast(t *testing.T) {
	dir := t.TempDir()
	for _, what := range []string{"chosen", "given"} {
		before, f := lockedIn(t, dir), lockedIn(t, dir)
		f.Passphrase.Present = func() bool { must(t, before.Check(t.Context())); return true }
		asked := answers(f.Passphrase)
		must(t, f.Check(t.Context()))
		if len(*asked) > 0 {
			t.Errorf("%s: asked %+v", what, *asked)
		}
		forget(t, f.Passphrase)
	}
}

// A question ends when the passphrase is given, or chosen, elsewhere: at another terminal.
func TestPassphraseIsGivenElsewhere(t *testing.T) {
	for _, tc := range []struct {
		name   string
		chosen bool
	}{{"chosen", false}, {"given", true}} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			if tc.chosen {
				f := lockedIn(t, dir)
				must(t, f.Check(t.Context()))
				forget(t, f.Passphrase)
			}
			f, elsewhere := lockedIn(t, dir), lockedIn(t, dir)
			f.Passphrase.Ask = func(ctx context.Context, q Question) (string, error) {
				locked, err := elsewhere.Passphrase.read()
				must(t, err)
				if locked == nil {
					_, err = elsewhere.Passphrase.choose(t.Context())
				} else {
					_, err = elsewhere.Passphrase.unlock(t.Context(), locked)
				}
				must(t, err)
				<-ctx.Done()
				return "", ctx.Err()
			}
			must(t, f.Check(t.Context()))
		})
	}
}

// Who chooses at the same time as another, unseen, is asked for the one that counts.
func TestTwoChoose(t *testing.T) {
	f := lockedIn(t, t.TempDir())
	first := lockedIn(t, f.Dir)
	asked := []Question{}
	f.Passphrase.Ask = func(_ context.Context, q Question) (string, error) {
		if asked = append(asked, q); q.New {
			var err error
			first.Passphrase.key, err = first.Passphrase.choose(t.Context())
			must(t, err)
			forget(t, first.Passphrase)
			return "another passphrase", nil
		}
		return knownPassphrase, nil
	}
	must(t, f.Check(t.Context()))
	if len(asked) != 2 || asked[1].New || !bytes.Equal(f.Passphrase.key, first.Passphrase.key) {
		t.Errorf("got the questions %v, want the second to be for what was chosen", asked)
	}
}

// Ctrl-C ends the wait for an answer and the wait for one's turn, with its cause.
func TestPassphraseIsInterrupted(t *testing.T) {
	cause := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	f := lockedIn(t, t.TempDir())
	waiting := lockedIn(t, f.Dir)
	f.Passphrase.Ask = func(ctx context.Context, _ Question) (string, error) {
		done := make(chan error)
		go func() { done <- waiting.Check(ctx) }()
		cancel(cause)
		if err := <-done; !errors.Is(err, cause) {
			t.Errorf("waiting for its turn: got %v, want the cause", err)
		}
		return "", ctx.Err()
	}
	if err := f.Check(ctx); !errors.Is(err, cause) {
		t.Errorf("asked: got %v, want the cause", err)
	}
	if left := entries(t, f.Dir); len(left) != 1 || left[0] != "passphrase.lock" {
		t.Errorf("got %v left", left)
	}
}

// Who chooses is killed at each call that changes something. What is left is no passphrase,
// or a whole one; and a key that the kernel has is never one without a time-out or with
// other rights.
func TestKilledWhileChoosing(t *testing.T) {
	if dir := os.Getenv("STORE_TEST_DIR"); dir != "" {
		runtime.LockOSThread() // strace counts each thread's calls
		must(t, (&File{Dir: dir, Passphrase: lockedIn(t, dir).Passphrase}).Check(t.Context()))
		os.Exit(0) // without forgetting the key
	}
	t.Parallel()
	need.Program(t, "strace")
	between := 0
	for call, least := range map[string]int{"fsync": 2, "linkat": 1, "unlinkat": 1, "add_key": 1, "keyctl": 5} {
		n := 1 // the first that isn't made
		for !killedAt(t, call, n, &between) {
			n++
		}
		if n <= least {
			t.Errorf("%s: killed at %d calls, want %d at least: this looks at the wrong calls", call, n-1, least)
		}
	}
	if between == 0 {
		t.Error("never killed between the file and the kernel")
	}
}

// killedAt chooses in a child that is killed before its nth call of that kind, and looks
// at what it has left. It counts those that have chosen and didn't tell the kernel.
func killedAt(t *testing.T, call string, n int, between *int) (survived bool) {
	t.Helper()
	f := lockedIn(t, filepath.Join(t.TempDir(), "file"))
	cmd := child(t.Name(), []string{"STORE_TEST_DIR=" + f.Dir})
	strace := exec.Command("strace", append([]string{"-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call,
		"-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n)}, cmd.Args...)...)
	strace.Env = cmd.Env
	out, err := strace.CombinedOutput()
	failed := (*exec.ExitError)(nil)
	if err != nil && (!errors.As(err, &failed) || failed.ExitCode() > 0) {
		t.Fatalf("strace: %v\n%s", err, out)
	}
	state, stateErr := f.Passphrase.State()
	must(t, stateErr)
	if state.Chosen && !state.Held {
		*between++
	}
	if id := kernelKey(t, f.Passphrase); id != 0 {
		if d := describe(t, id); !strings.Contains(d, ";1b0b0000;") || state.Left == 0 {
			t.Errorf("killed at %s %d: the kernel's key is %q, for %v", call, n, d, state.Left)
		}
	}
	asked := answers(f.Passphrase, knownPassphrase)
	if err := f.Check(t.Context()); err != nil || (len(*asked) == 0) != state.Held || len(*asked) > 0 && (*asked)[0].New == state.Chosen {
		t.Errorf("killed at %s %d: got %v, after the questions %v in the state %+v", call, n, err, *asked, state)
	}
	return err == nil || t.Failed()
}

// describe is what the kernel says of a key: type;uid;gid;rights;name.
func describe(t *testing.T, id int) string {
	t.Helper()
	buf := make([]byte, 256)
	n, err := unix.KeyctlBuffer(unix.KEYCTL_DESCRIBE, id, buf, 0)
	must(t, err)
	return strings.TrimRight(string(buf[:n]), "\x00")
}
