package main

import "errors"

func signalParent(string) error { return errors.New("Ctrl-C reaches a whole console here") }
