package main

import (
	"fmt"
	"net"
	"runtime"
)

// portHint names the program that has the port, where the system tells, or the command
// that finds it.
func portHint(addr string) string {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return ""
	}
	const other = "or register another --redirect-uri"
	if program := portHolder(port); program != "" {
		return fmt.Sprintf("%s has it: end that program, %s", program, other)
	}
	if runtime.GOOS == "windows" {
		return fmt.Sprintf("netstat -ano | findstr :%s shows which program has it: end that, %s", port, other)
	}
	return fmt.Sprintf("lsof -nP -iTCP:%s -sTCP:LISTEN shows which program has it: end that, %s", port, other)
}
