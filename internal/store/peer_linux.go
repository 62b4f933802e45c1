package store

import (
	"fmt"
	"os"
	"syscall"
)

// checkPeer refuses who listens at the other end of a socket, unless that is this user or
// root, for whom systemd may have begun to listen. A bus that has ended leaves a name behind,
// in /tmp as a rule, at which any user of the machine can listen next.
func checkPeer(fd int) error {
	peer, err := syscall.GetsockoptUcred(fd, syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	if err != nil {
		return fmt.Errorf("%w: %w", errStranger, os.NewSyscallError("getsockopt", err))
	}
	if int(peer.Uid) != os.Getuid() && peer.Uid != 0 {
		return fmt.Errorf("%w: user %d listens there", errStranger, peer.Uid)
	}
	return nil
}
