//go:build !linux

package session

// holdsLock is true: processes have one number there.
func holdsLock(int, string) bool { return true }
