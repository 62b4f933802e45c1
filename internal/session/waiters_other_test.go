//go:build !linux

package session

import (
	"testing"
	"time"
)

// awaitWaiters gives n others the time to block on the session's lock, which
// only Linux lists.
func awaitWaiters(*testing.T, *Session, int) { time.Sleep(3 * time.Second) }
