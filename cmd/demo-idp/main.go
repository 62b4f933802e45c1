// Command demo-idp runs the demonstration provider, presses its buttons on
// machines without a browser, and tells the story of authctl with both.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const usage = `usage:
  demo-idp serve [flags]       run the provider on loopback until interrupted
  demo-idp click [flags] URL   open a page, press its buttons, print where that ends
  demo-idp demo [flags]        show authctl at work, with a provider of its own
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // "demo | head" cleans up too
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	commands := map[string]func() error{
		"serve": func() error { return serve(ctx, args[1:], stdin, stdout, stderr) },
		"click": func() error { return click(ctx, args[1:], stdout, stderr) },
		"demo":  func() error { return demo(ctx, args[1:], stdin, stdout, stderr) },
	}
	if len(args) == 0 || commands[args[0]] == nil {
		fmt.Fprint(stderr, usage)
		return 2
	}
	switch err := commands[args[0]](); {
	case err == nil:
		return 0
	case errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errInterrupted):
		fmt.Fprintln(stderr, "\ndemo-idp:", err)
		return 130
	default:
		fmt.Fprintln(stderr, "demo-idp:", err)
		return 1
	}
}
