package main

import (
	"cmp"
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
		if inode, uid := listeningSocket(table, port); inode != "" {
			return cmp.Or(socketHolder("socket:["+inode+"]"), namesake(uid))
		}
	}
	return ""
}

func listeningSocket(table, port string) (inode, uid string) {
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", ""
	}
	raw, err := os.ReadFile(table)
	if err != nil {
		return "", ""
	}
	const listening = "0A"
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		if len(f) > 9 && f[3] == listening && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", number)) {
			return f[9], f[7]
		}
	}
	return "", ""
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
		if name := program(process); name != "" {
			return fmt.Sprintf("%s (pid %s)", name, filepath.Base(process))
		}
	}
	return ""
}

// namesake is told when another authctl of the user's runs, which shows nobody what it
// has open, and so may well be it.
func namesake(uid string) string {
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return ""
	}
	self := "/proc/" + strconv.Itoa(os.Getpid())
	for _, process := range processes {
		status, err := os.ReadFile(filepath.Join(process, "status"))
		if err == nil && process != self && strings.Contains(string(status), "\nUid:\t"+uid+"\t") && program(process) == program(self) {
			return "another " + program(self)
		}
	}
	return ""
}

// program is a process's name, "" for one that has ended.
func program(process string) string {
	name, err := os.ReadFile(filepath.Join(process, "comm"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(name))
}
