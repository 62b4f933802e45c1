package main

import (
	"io"
	"os"
	"path/filepath"
)

// install copies a program to a place of its own, as install(1), tar and a download do. The
// linker writes through a mapping, which leaves the file in the page cache in the smallest
// pieces, and a start takes a fifth longer.
func (s *stage) install(program string) string {
	from, err := os.Open(program)
	if err != nil {
		s.Fatal(err)
	}
	defer from.Close()
	path := filepath.Join(s.TempDir(), filepath.Base(program))
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		s.Fatal(err)
	}
	defer to.Close()
	if _, err := io.Copy(to, from); err != nil {
		s.Fatal(err)
	}
	if err := to.Sync(); err != nil { // what isn't on the disk can't be evicted
		s.Fatal(err)
	}
	return path
}

// installBefore is install before the machine's last start: what runs is read in by
// starting it, in small pieces too. Some file systems, such as tmpfs, know no such state.
func (s *stage) installBefore(program string) (path string, ok bool) {
	path = s.install(program)
	return path, evict(path)
}
