//go:build !windows

package main

import (
	"os"
	"testing"

	"github.com/creack/pty"
)

func openTerminal(t *testing.T) (controller, tty *os.File) {
	t.Helper()
	controller, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	return controller, tty
}
