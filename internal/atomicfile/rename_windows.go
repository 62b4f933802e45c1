package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/windows"
)

// rename replaces to at once, also while it is being read (os.Root.Rename has POSIX
// semantics): with MoveFileEx a crowd of readers would keep the writer out for as long as
// it goes on. Both are in one directory.
func rename(from, to string) error {
	dir, err := os.OpenRoot(filepath.Dir(to))
	if err != nil {
		return err
	}
	defer dir.Close()
	err = whileBusy(func() error { return dir.Rename(filepath.Base(from), filepath.Base(to)) })
	if failed := (*os.LinkError)(nil); errors.As(err, &failed) {
		err = &os.LinkError{Op: "rename", Old: from, New: to, Err: failed.Err}
	}
	return err
}

// read opens the file so that it can be replaced meanwhile (FILE_SHARE_DELETE), unlike
// os.ReadFile.
func read(path string) (data []byte, err error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	err = whileBusy(func() error {
		file, err := windows.CreateFile(name, windows.GENERIC_READ,
			windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil,
			windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
		if err != nil {
			return &fs.PathError{Op: "open", Path: path, Err: err}
		}
		f := os.NewFile(uintptr(file), path)
		defer f.Close()
		data, err = io.ReadAll(f)
		return err
	})
	return data, err
}

// whileBusy repeats f while another program, such as a virus scanner, has the file and
// doesn't share it. Those have it for moments, so a second is ample; a file that nobody may
// have is reported so, too.
func whileBusy(f func() error) error {
	for end := time.Now().Add(time.Second); ; {
		err := f()
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
