//go:build !windows && !darwin

package main

// foregroundOpeners run for as long as the browser does.
var foregroundOpeners = []string{"xdg-open", "x-www-browser", "www-browser"}
