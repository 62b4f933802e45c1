package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/authctl/authctl/internal/atomicfile"
)

// Passphrase is where a File's key comes from that has no key file. The key is random and
// lies in Dir, locked by the passphrase; once that was given, the kernel keeps the key in
// the user's keyring for a while, and nobody is asked. Only Linux has such a keyring.
//
// What was given is good for this process to its end: a renewal that has been sent can be
// saved, whatever the kernel has forgotten meanwhile.
type Passphrase struct {
	Dir     string        // of the locked key; made 0700 when first needed
	Timeout time.Duration // from when the passphrase was given; the kernel counts whole seconds

	Present func() bool                                           // whether there is somebody to ask
	Ask     func(ctx context.Context, q Question) (string, error) // an empty answer gives up
	Asked   func()                                                // nobody is asked any more; may be nil
	Unkept  func(err error)                                       // the kernel can't keep the key that was given; may be nil

	key    []byte
	gaveUp *PassphraseError
}

// Question says which passphrase is asked for.
type Question struct {
	New   bool // one that is yet to be chosen
	Wrong int  // how often it was wrong just now
}

// PassphraseError says that who was asked doesn't know the passphrase.
type PassphraseError struct {
	File string // of the key that it locks, without which another can be chosen; empty: none was chosen
	Why  string
}

func (e *PassphraseError) Error() string { return e.Why }

// askPatience is how long the terminal is waited for: nobody may be watching it, or the
// command may be in its background.
const askPatience = 5 * time.Minute

// attempts is how often somebody may try.
const attempts = 3

// lookEvery is how soon it is seen that the passphrase was given elsewhere, or that it is
// this process's turn to ask.
const lookEvery = 100 * time.Millisecond

// errElsewhere says that the passphrase was given, or chosen, to another process.
var errElsewhere = errors.New("the passphrase was given elsewhere")

// get returns the key. Where no passphrase has been chosen yet, one is if choose is true:
// to read without it, what is stored has lost its key.
func (p *Passphrase) get(ctx context.Context, choose bool) ([]byte, error) {
	if p.gaveUp != nil {
		return nil, p.gaveUp
	}
	ctx, cancel := context.WithTimeoutCause(ctx, askPatience, ErrUnasked)
	defer cancel()
	for p.key == nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		locked, err := p.read()
		if err != nil {
			return nil, err
		}
		if locked == nil && !choose {
			return nil, damaged("a key file is to be named that isn't, or the file %s of its key is gone", p.file())
		}
		key, err := p.find(ctx, locked)
		if err != nil && !errors.Is(err, errElsewhere) {
			errors.As(err, &p.gaveUp)
			return nil, err
		}
		p.key = key
	}
	return p.key, nil
}

// known returns the key if nobody has to be asked for it: else ErrUnasked.
func (p *Passphrase) known() ([]byte, error) {
	if p.key != nil {
		return p.key, nil
	}
	locked, err := p.read()
	if err != nil {
		return nil, err
	}
	key, err := keptKey(keyName(locked))
	if err == nil && (locked == nil || key == nil) {
		err = ErrUnasked
	}
	return key, err
}

// find gets the key from the kernel or from a person. Of several processes that want to
// ask, one does, and the others wait for what the kernel gets.
func (p *Passphrase) find(ctx context.Context, locked []byte) ([]byte, error) {
	key, err := heldKey(locked) // before anybody is asked, also of a kernel that keeps none
	if key != nil && locked != nil || err != nil {
		return key, err
	}
	if p.Present == nil || !p.Present() {
		if locked == nil {
			return nil, ErrUnchosen
		}
		return nil, ErrUnasked
	}
	end, ok := p.turn()
	if !ok {
		return nil, pause(ctx)
	}
	defer end()
	if p.isElsewhere(locked) { // since we looked, and before it was our turn
		return nil, errElsewhere
	}
	return p.ask(ctx, locked)
}

// isElsewhere reports whether the passphrase was given, or chosen, to another process.
func (p *Passphrase) isElsewhere(locked []byte) bool {
	now, err := p.read()
	if err != nil {
		return false
	}
	key, _ := heldKey(now)
	return key != nil || !bytes.Equal(now, locked)
}

// pause is a moment's wait for others.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(lookEvery):
		return errElsewhere
	}
}

// ask asks until it has the key, or until another process was told.
func (p *Passphrase) ask(ctx context.Context, locked []byte) (key []byte, err error) {
	if p.Asked != nil {
		defer p.Asked()
	}
	atomicfile.Sweep(p.file())
	asking, cancel := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		p.watch(asking, cancel, locked)
	}()
	defer func() { cancel(nil); <-watched }()
	if locked == nil {
		key, err = p.choose(asking)
	} else {
		key, err = p.unlock(asking, locked)
	}
	if err != nil && asking.Err() != nil {
		err = context.Cause(asking)
	}
	return key, err
}

// watch cancels when there is nothing to ask for any more.
func (p *Passphrase) watch(ctx context.Context, cancel context.CancelCauseFunc, locked []byte) {
	for errors.Is(pause(ctx), errElsewhere) {
		if p.isElsewhere(locked) {
			cancel(errElsewhere)
			return
		}
	}
}

// choose makes a key and locks it. Of two that choose at once the first counts, and the
// other is asked for that.
func (p *Passphrase) choose(ctx context.Context) ([]byte, error) {
	passphrase, err := p.answer(ctx, Question{New: true})
	if err != nil {
		return nil, err
	}
	key := newKey()
	locked, err := lockKey(passphrase, key)
	if err != nil {
		return nil, err
	}
	switch err := atomicfile.New(p.file(), locked); {
	case errors.Is(err, fs.ErrExist):
		return nil, errElsewhere
	case err != nil:
		return nil, err
	}
	p.keep(locked, key)
	return key, nil
}

func (p *Passphrase) unlock(ctx context.Context, locked []byte) ([]byte, error) {
	k, err := parseLockedKey(locked) // before anybody is asked
	if err != nil {
		return nil, err
	}
	for wrong := range attempts {
		passphrase, err := p.answer(ctx, Question{Wrong: wrong})
		if err != nil {
			return nil, err
		}
		if key, err := k.unlock(passphrase); err == nil {
			p.keep(locked, key)
			return key, nil
		}
	}
	return nil, &PassphraseError{File: p.file(), Why: fmt.Sprintf("the passphrase was wrong %d times", attempts)}
}

// keep has the kernel keep the key. Where that has no room, the passphrase is as right: this
// process has the key, and the next one asks.
func (p *Passphrase) keep(locked, key []byte) {
	if err := keepKey(keyName(locked), key, p.Timeout); err != nil && p.Unkept != nil {
		p.Unkept(err)
	}
}

func (p *Passphrase) answer(ctx context.Context, q Question) (string, error) {
	passphrase, err := p.Ask(ctx, q)
	if err == nil && passphrase == "" {
		unknown := &PassphraseError{Why: "no passphrase was given"}
		if !q.New {
			unknown.File = p.file()
		}
		err = unknown
	}
	return passphrase, err
}

// read returns the locked key as it lies in its file; nil when there is none.
func (p *Passphrase) read() ([]byte, error) {
	f, err := os.Open(p.file())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const most = 4096 // far more than lockKey writes
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err == nil && len(text) == most {
		err = damaged("the file %s of its key is none of ours", p.file())
	}
	return text, err
}

// file has a name that no secret's file has: those have a ~ in theirs.
func (p *Passphrase) file() string { return filepath.Join(p.Dir, "passphrase.json") }

// heldKey is the key that the kernel holds; nil when it holds none.
func heldKey(locked []byte) ([]byte, error) {
	key, err := keptKey(keyName(locked))
	if len(key) != keySize {
		return nil, err
	}
	return key, nil
}

// keyName is what the kernel calls a key. It follows from the locked key, so that the
// kernel's is never taken for the key of another passphrase, or of another directory.
func keyName(locked []byte) string {
	sum := sha256.Sum256(locked)
	return "authctl:" + hex.EncodeToString(sum[:16])
}

// Forget has the kernel forget the key, so that the passphrase is asked for again.
func (p *Passphrase) Forget() {
	if locked, err := p.read(); err == nil && locked != nil {
		dropKey(keyName(locked))
	}
}

// Shorten has the kernel forget the key when Timeout is over from now, if it was to keep it
// for longer.
func (p *Passphrase) Shorten() error {
	locked, err := p.read()
	if err != nil || locked == nil {
		return fail("checking", "", err)
	}
	name := keyName(locked)
	key, err := keptKey(name)
	if err == nil && key != nil && keyLife(name) > p.Timeout && keepKey(name, key, p.Timeout) != nil {
		dropKey(name) // there is no room for two: sooner rather than later
	}
	return fail("checking", "", err)
}

// KeyState is what there is of a passphrase and its key.
type KeyState struct {
	Chosen bool
	Held   bool          // the kernel has the key
	Left   time.Duration // for which it will, about; zero: unknown
}

// State looks, and asks nobody. Its errors are *Error.
func (p *Passphrase) State() (KeyState, error) {
	locked, err := p.read()
	if err == nil && locked != nil {
		_, err = parseLockedKey(locked)
	}
	if err != nil {
		return KeyState{}, fail("checking", "", err)
	}
	key, err := heldKey(locked)
	s := KeyState{Chosen: locked != nil, Held: key != nil}
	if s.Held {
		s.Left = keyLife(keyName(locked))
	}
	return s, fail("checking", "", err)
}
