package main

// roomyStack has the stack grow while there is next to nothing on it. Below cobra it would
// grow step by step, and each step walks what is on it by the tables of the functions
// there: half a megabyte is read in for that.
//
//go:noinline
func roomyStack(use bool) (b byte) {
	if use { // never: the room is in the frame all the same
		var room [24 << 10]byte
		fill(&room)
		b = room[0]
	}
	return b
}

//go:noinline
func fill(room *[24 << 10]byte) { room[0] = 1 }
