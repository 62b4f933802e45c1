//go:build !linux && !darwin && !windows

package store

// checkPeer: only Linux is asked who listens.
func checkPeer(int) error { return nil }
