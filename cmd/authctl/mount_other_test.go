//go:build !linux

package main

func tmpfsProgram()    {}
func readonlyProgram() {}
func hostsProgram()    {}
func offlineProgram()  {}
func nokeyctlProgram() {}
