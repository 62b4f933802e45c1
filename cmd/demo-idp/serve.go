package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"github.com/authctl/authctl/internal/idp"
)

// serve runs the provider until ctx ends, or stdin does. Its first two lines on
// stdout are the issuer and the client ID.
func serve(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	var o idp.Options
	fs := flag.NewFlagSet("demo-idp serve", flag.ContinueOnError)
	fs.SetOutput(stderr)
	o.Flags(fs)
	listen := fs.String("listen", "127.0.0.1:0", "loopback `address` to listen on")
	untilEOF := fs.Bool("until-eof", false, "end when stdin does")
	if err := fs.Parse(args); err != nil {
		return err
	}
	server := idp.New(o)
	issuer, err := server.StartOn(*listen)
	if err != nil {
		return err
	}
	defer server.Close()
	if _, err := fmt.Fprintf(stdout, "issuer %s\nclient-id %s\n", issuer, server.Options().ClientID); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if *untilEOF {
		go func() { io.Copy(io.Discard, stdin); cancel() }()
	}
	<-ctx.Done()
	return nil
}
