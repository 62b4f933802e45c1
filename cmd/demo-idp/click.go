package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/authctl/authctl/internal/robot"
)

// click is the browser of a machine without one.
func click(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o := robot.Options{Insecure: true} // on loopback only: authctl's own certificate
	fs := flag.NewFlagSet("demo-idp click", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.Press, "press", "", "the `button` to press, by name, value or label; the first by default")
	fs.StringVar(&o.Fingerprint, "fingerprint", "", "the only certificate to accept on loopback, its SHA-256 as `AA:BB:…`")
	fs.DurationVar(&o.Timeout, "timeout", time.Minute, "give up after this long")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return fmt.Errorf("click needs one URL, got %d", fs.NArg())
	}
	page, err := robot.Visit(ctx, fs.Arg(0), o)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%d %s\n%s\n%s\n", page.Status, page.URL, page.Title, page.Text)
	return err
}
