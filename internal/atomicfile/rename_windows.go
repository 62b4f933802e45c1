package atomicfile

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// rename waits for readers: Windows refuses to replace a file that another
// process has open without FILE_SHARE_DELETE, which is how Go opens files. Reads
// last for microseconds, so a second is ample.
func rename(from, to string) error {
	for end := time.Now().Add(time.Second); ; {
		err := os.Rename(from, to)
		busy := errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
		if !busy || time.Now().After(end) {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// syncDir does nothing: NTFS journals a rename itself, and directories can't be
// flushed.
func syncDir(string) {}
