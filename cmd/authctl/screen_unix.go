//go:build !windows

package main

import "os"

// understandsEscapes goes by TERM, which the terminal sets.
func understandsEscapes(*os.File) bool {
	name := os.Getenv("TERM")
	return name != "" && name != "dumb"
}
