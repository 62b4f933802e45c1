//go:build windows || darwin

package main

// foregroundOpeners are none: the system opens the browser and returns at once.
var foregroundOpeners []string
