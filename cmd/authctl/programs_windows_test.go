package main

import "errors"

func interruptParent() error { return errors.New("Ctrl-C reaches a whole console here") }
