//go:build !linux

package main

func tmpfsProgram()    {}
func readonlyProgram() {}
