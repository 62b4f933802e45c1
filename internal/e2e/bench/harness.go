package main

import (
	"errors"
	"fmt"
	"os"
	"testing"
)

// harness lets what serves the tests serve a program as well. Of testing.TB it has
// what internal/keychaintest and internal/need call; the rest would panic.
type harness struct {
	testing.TB
	cleanups []func()
}

// failure is what Fatal panics with, to end whoever called it.
type failure struct{ error }

func (h *harness) Helper()           {}
func (h *harness) Name() string      { return "bench" }
func (h *harness) Cleanup(f func())  { h.cleanups = append(h.cleanups, f) }
func (h *harness) Fatal(args ...any) { panic(failure{errors.New(fmt.Sprint(args...))}) }

func (h *harness) Fatalf(format string, args ...any) { h.Fatal(fmt.Sprintf(format, args...)) }
func (h *harness) Skipf(format string, args ...any) {
	h.Fatalf(format+": make test-deps brings it", args...)
}

func (h *harness) TempDir() string {
	dir, err := os.MkdirTemp("", "authctl-bench")
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// end ends what was started, the last first.
func (h *harness) end() {
	for len(h.cleanups) > 0 {
		last := len(h.cleanups) - 1
		f := h.cleanups[last]
		h.cleanups = h.cleanups[:last]
		f()
	}
}

// recoverFailure, deferred, makes an error of a failure.
func recoverFailure(err *error) {
	switch r := recover().(type) {
	case nil:
	case failure:
		*err = r
	default:
		panic(r)
	}
}
