package main

import (
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestPortHolder(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(addr, func(t *testing.T) {
			l, err := net.Listen("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			held := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
			got := portHolder(held)
			if !regexp.MustCompile(`^\S+ \(pid ` + strconv.Itoa(os.Getpid()) + `\)$`).MatchString(got) {
				t.Errorf("got %q, want this process", got)
			}
			if hint := portHint(l.Addr().String()); !strings.HasPrefix(hint, got+" has it") {
				t.Errorf("hint: got %q", hint)
			}
			l.Close()
			if got := portHolder(held); got != "" {
				t.Errorf("once it is free: got %q, want nothing", got)
			}
		})
	}
	for _, none := range []string{"", "x", "99999", "-1"} {
		if got := portHolder(none); got != "" {
			t.Errorf("port %q: got %q, want nothing", none, got)
		}
	}
}
