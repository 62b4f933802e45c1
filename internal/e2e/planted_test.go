package e2e

import (
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
)

// leakVar, in the environment of the test binary, names the place where it puts what it
// reads from stdin: an authctl that can't keep a secret.
const leakVar = "E2E_LEAK"

// leaks are the ways out of a process, by the place that watched has for each.
var leaks = map[string]func(secret string) error{
	"stdout": func(secret string) error { return to(os.NewFile(1, "stdout"), secret) },
	"stderr": func(secret string) error { return to(os.NewFile(2, "stderr"), secret) },
	"arguments of unknown program true": func(secret string) error {
		return exec.Command("true", "--token="+secret).Run()
	},
	"environment of unknown program true, TOKEN": func(secret string) error {
		child := exec.Command("true")
		child.Env = append(os.Environ(), "TOKEN="+secret)
		return child.Run()
	},
	"file": func(secret string) error { return os.WriteFile("kept", []byte(secret), 0o600) },
	"file; gone": func(secret string) error {
		if err := os.WriteFile("gone", []byte(secret), 0o600); err != nil {
			return err
		}
		return os.Remove("gone")
	},
	"file; in two writes": func(secret string) error {
		f, err := os.Create("pieces")
		if err != nil {
			return err
		}
		defer f.Close()
		if err := to(f, secret[:13]); err != nil {
			return err
		}
		return to(f, secret[13:])
	},
	"names of files":        func(secret string) error { return os.WriteFile(strings.ReplaceAll(secret, "/", "_"), nil, 0o600) },
	"names of files; links": func(secret string) error { return os.Symlink(secret, "link") },
	"pipe": func(secret string) error {
		_, w, err := os.Pipe()
		if err != nil {
			return err
		}
		return to(w, secret)
	},
	"kernel":   toTheKernel,
	"bus":      func(secret string) error { return over("unix", "socket", secret) },
	"the page": func(secret string) error { return over("tcp", "127.0.0.1:0", secret) },
}

func to(w io.Writer, text string) error {
	_, err := io.WriteString(w, text)
	return err
}

// over sends the text to a listener of its own, in two parts of one call.
func over(network, address, text string) error {
	l, err := net.Listen(network, address)
	if err != nil {
		return err
	}
	defer l.Close()
	conn, err := net.Dial(network, l.Addr().String())
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = (&net.Buffers{[]byte("HTTP/1.1 200 OK\r\n\r\n" + text[:10]), []byte(text[10:])}).WriteTo(conn)
	return err
}

// beLeaky is what the test binary does then.
func beLeaky(place string) int {
	secret, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = leaks[place](string(secret))
	}
	if err != nil {
		return 1
	}
	return 0
}
