package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// understandsEscapes asks the console to, which those before Windows 10 can't. The mode
// stays: the shell sets its own.
func understandsEscapes(f *os.File) bool {
	console, mode := windows.Handle(f.Fd()), uint32(0)
	if err := windows.GetConsoleMode(console, &mode); err != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
