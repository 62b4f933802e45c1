package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/authctl/authctl/internal/store"
)

// checkStore stores, reads and deletes a secret of its own, as login does before it opens
// a browser. Nobody is asked to unlock anything.
func (d *doctor) checkStore(ctx context.Context) finding {
	if d.profile == nil {
		return skipped("the profile can't be used, so which store it has isn't known")
	}
	switch p := d.profile; {
	case d.unsafe:
		return skipped("the state directory can't be used")
	case p.HasPassphrase() && runtime.GOOS != "linux":
		return skipped("the profile names no key file")
	case p.HasPassphrase():
		return d.checkPassphrase(ctx, p.secrets.secretStore.(*store.File))
	case p.Store == "file":
		return d.checkFileStore(ctx, p.secrets.secretStore.(*store.File))
	case p.Store == "keychain":
		return d.checkKeychain(ctx, p.secrets.secretStore.(*store.Keychain))
	}
	return skipped("the profile has no store that there is")
}

func (d *doctor) checkKeychain(ctx context.Context, k *store.Keychain) finding {
	k.Prompt = nil
	if dir, err := d.place(k.Dir); err == nil { // else Check says so, if it needs one
		k.Dir = dir
	}
	took, err := timed(func() error { return k.Check(ctx) })
	if err != nil {
		return d.storeFailure(err)
	}
	d.store = true
	name := keychainName(k.ServedBy(ctx))
	const slow = 2 * time.Second
	if took > slow {
		return warned("restart "+name, "%s works and is slow: storing, reading and deleting a secret took %v", name, took)
	}
	return passed("%s: stored, read and deleted a secret in %v; one larger than %d bytes is sealed into a file", name, took, k.ItemLimit(d.profile.session.Name))
}

// keychainName is what the keychain is called here; service is the program that keeps it.
func keychainName(service string) string {
	switch {
	case runtime.GOOS == "darwin":
		return "the macOS keychain"
	case runtime.GOOS == "windows":
		return "the Credential Manager"
	case service != "":
		return "the keychain (" + service + ")"
	}
	return "the keychain"
}

// checkFileStore: while nothing is stored, a key file that isn't there is no loss.
func (d *doctor) checkFileStore(ctx context.Context, f *store.File) finding {
	if err := checkKeyFile(d.profile.Profile, d.profile.stateDir); err != nil {
		return d.failure(err, "choose another --store-key-file")
	}
	info, err := os.Stat(f.KeyFile)
	if _, stored := f.Get(ctx, d.profile.session.Name); errors.Is(err, fs.ErrNotExist) && errors.Is(stored, fs.ErrNotExist) {
		return d.noKeyFile(f.KeyFile)
	}
	if err == nil && info.Mode().IsRegular() {
		if how := opened(f.KeyFile, info); how != "" {
			return failed(closeFile(f.KeyFile), "the key file %s is open to other users: %s", f.KeyFile, how)
		}
	}
	if f.Dir, err = d.place(f.Dir); err != nil {
		return d.storeFailure(err)
	}
	took, err := timed(func() error { return f.Check(ctx) })
	if err != nil {
		return d.storeFailure(err)
	}
	d.store = true
	return passed("sealed files, with the key file %s: stored, read and deleted a secret in %v", f.KeyFile, took)
}

// checkPassphrase asks for none, so all that it can do without is what it tells.
func (d *doctor) checkPassphrase(ctx context.Context, f *store.File) finding {
	state, err := f.Passphrase.State()
	if err == nil {
		f.Dir, err = d.place(f.Dir)
	}
	f.Passphrase.Present = nil // nobody is asked
	if err == nil && !state.Chosen {
		if _, lost := f.Get(ctx, d.profile.session.Name); lost != nil && !errors.Is(lost, fs.ErrNotExist) {
			err = lost
		}
	}
	switch {
	case err != nil:
		return d.storeFailure(err)
	case !state.Chosen:
		return d.unchosen()
	case !state.Held:
		return d.ungiven()
	}
	took, err := timed(func() error { return f.Check(ctx) })
	if err != nil {
		return d.storeFailure(err)
	}
	d.store = true
	left := ""
	if state.Left > 0 {
		left = " for " + span(state.Left) + " more"
	}
	return passed("sealed files, locked by a passphrase, whose key the kernel holds%s: stored, read and deleted a secret in %v", left, took)
}

// unchosen is a passphrase that login has somebody choose, where they can be asked.
func (d *doctor) unchosen() finding {
	d.locked = "no passphrase has been chosen yet"
	if !canAsk(d.cmd) {
		return warned(d.login()+" at a terminal; to do without: "+d.login()+" --store-key-file FILE",
			"sealed files, locked by a passphrase that is yet to be chosen, and there is no terminal to choose one at")
	}
	return passed("sealed files, locked by a passphrase, which login has you choose; the kernel will keep the key for %s", d.profile.StoreTimeout)
}

// ungiven is one that has to be given again.
func (d *doctor) ungiven() finding {
	d.locked = "the passphrase has not been given"
	if !canAsk(d.cmd) {
		_, hint, _ := explain(d.about(&store.Error{Err: store.ErrUnasked}))
		return warned(hint, "sealed files, locked by a passphrase; the kernel doesn't hold the key now, and there is no terminal to ask for it at")
	}
	return passed("sealed files, locked by a passphrase; the kernel doesn't hold the key now, so the next command that needs it asks, once in %s", d.profile.StoreTimeout)
}

func (d *doctor) noKeyFile(file string) finding {
	if _, err := d.place(filepath.Join(filepath.Dir(file), "probe")); err != nil {
		return failed(cmp.Or(machineHint(err), "choose another --store-key-file"), "the key file %s is not there, and a login can't make it: %w", file, cause(err))
	}
	d.store = true
	return passed("sealed files; the key file %s is not there yet, login makes it", file)
}

// storeFailure is why the store doesn't work, without that it was only checked.
func (d *doctor) storeFailure(err error) finding {
	found := d.failure(err, d.login()+" --store file --store-key-file FILE")
	var failed *store.Error
	var path *fs.PathError
	switch {
	case errors.As(err, &path): // a probe's, whose name says nothing
		found.Detail = "sealed files can't be written: " + path.Err.Error()
	case errors.As(err, &failed):
		found.Detail = failed.Err.Error()
	}
	return found
}

// timed is how long f took, in whole milliseconds.
func timed(f func() error) (time.Duration, error) {
	start := time.Now()
	err := f()
	return max(time.Since(start).Round(time.Millisecond), time.Millisecond), err
}
