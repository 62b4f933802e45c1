package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// portHolder is the program that listens on a TCP port, as in «python3 (pid 4711)», as
// far as /proc shows it to this user. See proc(5).
func portHolder(port string) string {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		if inode := listeningSocket(table, port); inode != "" {
			return socketHolder("socket:[" + inode + "]")
		}
	}
	return ""
}

func listeningSocket(table, port string) (inode string) {
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return ""
	}
	raw, err := os.ReadFile(table)
	if err != nil {
		return ""
	}
	const listening = "0A"
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		if len(f) > 9 && f[3] == listening && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", number)) {
			return f[9]
		}
	}
	return ""
}

func socketHolder(socket string) string {
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return ""
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err != nil || target != socket {
			continue
		}
		process := filepath.Dir(filepath.Dir(link))
		name, err := os.ReadFile(filepath.Join(process, "comm"))
		if err != nil {
			return ""
		}
		return fmt.Sprintf("%s (pid %s)", strings.TrimSpace(string(name)), filepath.Base(process))
	}
	return ""
}
