//go:build windows

// Command person is what a person, and their other programs, do on Windows: it signs in
// as their browser, keeps a file open and looks into the Credential Manager. For tests only.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"time"

	"golang.org/x/sys/windows"

	"github.com/authctl/authctl/internal/robot"
)

func main() {
	does := map[string]func([]string) error{
		"visit": visit, "hold": hold, "codepage": codepage, "credentials": credentials,
		"child": child, "console": console, "interrupted": interrupted, "with": with,
	}
	if len(os.Args) < 2 || does[os.Args[1]] == nil {
		exitOn(fmt.Errorf("what is asked?"))
	}
	exitOn(does[os.Args[1]](os.Args[2:]))
}

// exitOn ends with the code that a command ended with, or with 99.
func exitOn(err error) {
	if ended := (*exec.ExitError)(nil); errors.As(err, &ended) {
		os.Exit(ended.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "person:", err)
		os.Exit(99)
	}
}

// visit is `visit URL`: the browser. SEEN names a file for the URL's length and the title
// of the page that it ended on.
func visit(args []string) error {
	page, err := robot.Visit(context.Background(), args[0], robot.Options{Insecure: true, Timeout: 30 * time.Second})
	if err != nil {
		return err
	}
	if file := os.Getenv("SEEN"); file != "" {
		text := fmt.Appendf(nil, "%d %s", len(args[0]), page.Title)
		return errors.Join(os.WriteFile(file+".new", text, 0o600), os.Rename(file+".new", file))
	}
	return nil
}

// hold is `hold FILE`: a program that has a file open for reading as most do, so that
// nobody can replace it, until stdin ends.
func hold(args []string) error {
	f, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer f.Close()
	fmt.Println("held")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// codepage is `codepage N CMD ARG…`: a command on a console with that code page.
func codepage(args []string) error {
	var page uint32
	if _, err := fmt.Sscan(args[0], &page); err != nil {
		return err
	}
	if err := windows.SetConsoleOutputCP(page); err != nil {
		return err
	}
	return run(args[1:])
}

// with is `with NAME=VALUE… -- CMD ARG…`: a command in another environment.
func with(args []string) error {
	for i, arg := range args {
		if arg == "--" {
			return run(args[i+1:])
		}
		name, value, _ := strings.Cut(arg, "=")
		os.Setenv(name, value)
	}
	return nil
}

// console is `console FILE CMD ARG…`: a command at a console. When that has ended it waits
// for the file: Wine's console may not show the last of what was said once nobody is there.
func console(args []string) error {
	before := consoleMode()
	err := run(args[1:])
	if now := consoleMode(); now != before {
		fmt.Printf("The console's mode was %#x and is %#x.\n", before, now)
	}
	fmt.Println("It has ended.")
	for {
		if _, missing := os.Stat(args[0]); missing == nil {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func consoleMode() (mode uint32) {
	windows.GetConsoleMode(windows.Handle(os.Stdin.Fd()), &mode)
	return mode
}

func run(args []string) error {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	signal.Notify(make(chan os.Signal, 1), os.Interrupt) // Ctrl-C is the command's
	return cmd.Run()
}

// interrupted is `interrupted CODE`: a command of exec's that ends with it at Ctrl-C.
func interrupted(args []string) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	fmt.Println("waiting for Ctrl-C")
	<-signals
	return child(args)
}

// child is `child CODE [read]`: a command of exec's. It shows the token, and what it reads.
func child(args []string) error {
	fmt.Println(os.Getenv("ACCESS_TOKEN"))
	if len(args) > 1 {
		line, _ := bufio.NewReader(os.Stdin).ReadString('\n')
		fmt.Print(line)
	}
	code := 0
	fmt.Sscan(args[0], &code)
	os.Exit(code)
	return nil
}
