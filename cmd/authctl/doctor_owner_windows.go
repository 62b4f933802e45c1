package main

import (
	"io/fs"

	"github.com/authctl/authctl/internal/atomicfile"
)

// foreignOwner is never known here: the access list says who gets at a file.
func foreignOwner(fs.FileInfo) string { return "" }

// opened says how other users can get at a file; "" where they can't.
func opened(path string, _ fs.FileInfo) string {
	if who := atomicfile.Others(path, atomicfile.ToRead|atomicfile.ToWrite); who != "" {
		return "its access list lets " + who
	}
	return ""
}
