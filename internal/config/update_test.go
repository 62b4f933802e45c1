package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/need"
)

func paths(t *testing.T) (config, lockPath string) {
	dir := t.TempDir()
	return filepath.Join(dir, "conf", "config.toml"), filepath.Join(dir, "state", "config.lock")
}

func TestUpdateMakesAPrivateFile(t *testing.T) {
	path, lockPath := paths(t)
	if err := Update(path, lockPath, set("work", Settings{"issuer": "a"})); err != nil {
		t.Fatal(err)
	}
	f, err := Load(path)
	if err != nil || len(f.Names()) != 1 {
		t.Fatalf("got %v, %v, want one profile", f, err)
	}
	if runtime.GOOS == "windows" {
		return // it has no such permissions
	}
	for p, want := range map[string]os.FileMode{path: 0o600, lockPath: 0o600, filepath.Dir(path): 0o700, filepath.Dir(lockPath): 0o700} {
		if info, err := os.Stat(p); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got %v, %v, want %v", filepath.Base(p), info.Mode(), err, want)
		}
	}
}

func TestUpdateWritesOnlyChanges(t *testing.T) {
	path, lockPath := paths(t)
	write(t, path, whole)
	old, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	failed := errors.New("no")
	for name, edit := range map[string]func(*Edit) error{
		"the same": set("work", Settings{"client_id": "3f1c"}),
		"failed":   func(e *Edit) error { return errors.Join(e.Remove("work"), failed) },
		"undone":   func(e *Edit) error { return errors.Join(e.Set("new", nil), e.Remove("new")) },
	} {
		err := Update(path, lockPath, edit)
		if name == "failed" != errors.Is(err, failed) {
			t.Errorf("%s: got %v", name, err)
		}
		now, err := os.Stat(path)
		if err != nil || !os.SameFile(old, now) {
			t.Errorf("%s: the file was written again (%v)", name, err)
		}
	}
}

func TestUpdateKeepsALink(t *testing.T) {
	path, lockPath := paths(t)
	target := filepath.Join(t.TempDir(), "dotfiles.toml")
	write(t, target, whole)
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		need.Missing(t, "symbolic links")
	}
	if err := Update(path, lockPath, remove("home")); err != nil {
		t.Fatal(err)
	}
	if f, err := Load(target); err != nil || len(f.Names()) != 1 {
		t.Errorf("got %v, %v, want the target changed", f, err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("got %v, %v, want still a link", info.Mode(), err)
	}
}

func TestUpdateOfABrokenFile(t *testing.T) {
	path, lockPath := paths(t)
	write(t, path, "[profile.work\n")
	var syntax *SyntaxError
	if err := Update(path, lockPath, set("work", nil)); !errors.As(err, &syntax) {
		t.Errorf("got %v, want a *SyntaxError", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "[profile.work\n" {
		t.Errorf("got %q, %v, want it as it was", text, err)
	}
}

func TestUpdatesAtOnceAllCount(t *testing.T) {
	path, lockPath := paths(t)
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			if err := Update(path, lockPath, set(fmt.Sprintf("p%d", i), Settings{"issuer": "a"})); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if f, err := Load(path); err != nil || len(f.Names()) != 32 {
		t.Errorf("got %d profiles, %v, want 32", len(f.Names()), err)
	}
}

func TestLockIsGivenUp(t *testing.T) {
	_, lockPath := paths(t)
	unlock, err := lock(t.Context(), lockPath)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := lock(ctx, lockPath); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	again, err := lock(t.Context(), lockPath)
	if err != nil {
		t.Fatal(err)
	}
	if err := again(); err != nil {
		t.Error(err)
	}
}

func TestWritable(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), "")
	for name, want := range map[string]bool{
		"new": true, "file": true, "not/yet/there": true,
		".": false, "file/below": false,
	} {
		if err := Writable(filepath.Join(dir, name)); (err == nil) != want {
			t.Errorf("%s: got %v, want writable %v", name, err, want)
		}
	}
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() && e.Name() != "file" {
			t.Errorf("got %s, %v, want only the file", path, err)
		}
		return nil
	})
}

func TestWritableSaysReadOnly(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // elsewhere no directory is surely read-only for everyone
	}
	if err := Writable("/proc/self/config.toml"); err == nil {
		t.Error("got no error for a directory that nobody can write")
	}
}
