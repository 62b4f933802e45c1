package main

import (
	"os"

	"github.com/authctl/authctl/internal/atomicfile"
)

// checkStateDir refuses a directory in which others can write, as on Unix. What is in a
// user's profile is theirs by inheritance; other places are often everybody's.
func checkStateDir(dir string) error {
	who := atomicfile.Others(dir, atomicfile.ToWrite)
	if who == "" {
		return nil
	}
	return &usageError{
		err:  errorf("others can write in the state directory %s: its access list lets %s", dir, who),
		hint: closeDir(dir) + ", or set AUTHCTL_STATE_DIR to a directory that is not there yet, which is made for you alone",
	}
}

// closeDir and closeFile are the commands that leave a directory or a file to its user, for
// cmd.exe and PowerShell alike.
func closeDir(path string) string  { return closing(path, "(OI)(CI)F") }
func closeFile(path string) string { return closing(path, "F") }

func closing(path, rights string) string {
	return `icacls "` + path + `" /inheritance:r /grant:r "` + os.Getenv("USERNAME") + ":" + rights + `"`
}
