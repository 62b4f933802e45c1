package main

import (
	"bufio"
	"context"
	"flag"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"

	"github.com/authctl/authctl/internal/robot"
)

// phoneProgram is `phone [-press NAME] [-complete] CMD ARG…`: a person who runs a login
// for another device, and goes on there by what it says on stderr: types the code in, or
// opens the address that has it already. With -leave nobody does; with -interrupt it
// sends INT instead.
func phoneProgram() {
	press := flag.String("press", "", "button to press")
	complete := flag.Bool("complete", false, "open the address with the code in it")
	leave := flag.Bool("leave", false, "do nothing")
	interrupt := flag.Bool("interrupt", false, "send INT")
	flag.Parse()
	cmd := exec.Command(flag.Arg(0), flag.Args()[1:]...)
	cmd.Stdout = os.Stdout
	stderr, err := cmd.StderrPipe()
	exitOn(err)
	exitOn(cmd.Start())
	lines := bufio.NewReader(io.TeeReader(stderr, os.Stderr))
	if code, addresses := readCode(lines); code != "" && !*leave {
		switch options := (robot.Options{Press: *press}); {
		case *interrupt:
			exitOn(cmd.Process.Signal(os.Interrupt))
		case *complete:
			exitOn(visited(addresses[1], options))
		default:
			options.Fill = map[string]string{"user_code": code}
			exitOn(visited(addresses[0], options))
		}
	}
	io.Copy(io.Discard, lines)
	if err := cmd.Wait(); err != nil {
		os.Exit(cmd.ProcessState.ExitCode())
	}
}

// readCode reads what a person would, until authctl waits for them.
func readCode(lines *bufio.Reader) (code string, addresses []string) {
	isCode := regexp.MustCompile(`^[A-Z]{4}-[A-Z]{4}$`)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return "", nil
		}
		text, aside := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "  ")
		switch {
		case strings.HasPrefix(line, "Waiting"):
			return code, addresses
		case aside && isCode.MatchString(text):
			code = text
		case aside && strings.HasPrefix(text, "http"):
			addresses = append(addresses, text)
		}
	}
}

func visited(address string, o robot.Options) error {
	_, err := robot.Visit(context.Background(), address, o)
	return err
}
