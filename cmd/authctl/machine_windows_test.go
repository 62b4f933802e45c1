package main

import (
	"io/fs"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

// What the system says of disks that can't be written.
const diskFull, readOnlyDisk = windows.ERROR_DISK_FULL, windows.ERROR_WRITE_PROTECT

func TestMachineHint(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"disk full":       {windows.ERROR_DISK_FULL, "the disk is full"},
		"disk full, too":  {windows.ERROR_HANDLE_DISK_FULL, "the disk is full"},
		"write-protected": {windows.ERROR_WRITE_PROTECT, "read-only"},
		"held by another": {windows.ERROR_ACCESS_DENIED, "what has it open"},
	} {
		if got := machineHint(&fs.PathError{Op: "write", Path: `C:\x`, Err: c.err}); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q in it", name, got, c.want)
		}
	}
}

func TestCmdTakesNoURL(t *testing.T) {
	for program, ok := range map[string]bool{
		`C:\Program Files\Firefox\firefox.exe`: true,
		`C:\tools\open.BAT`:                    false,
		`C:\tools\open.cmd`:                    false,
		`C:\Windows\System32\cmd.exe`:          false,
		`cmd`:                                  false,
	} {
		if err := takesURL(program); (err == nil) != ok {
			t.Errorf("%s: got %v, want it taken: %t", program, err, ok)
		}
	}
}
