//go:build !linux

package main

// hideMemory does nothing. macOS lets only root and entitled debuggers look into a process,
// and writes no core files unless asked to; a limit of ours would go on to what exec
// becomes. Windows writes a dump of all memory only where an administrator asked for it.
func hideMemory() {}
