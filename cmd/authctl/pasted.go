package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/authctl/authctl/internal/callback"
)

// errNoPaste is a terminal, or a stdin, that ended without a redirect URL.
var errNoPaste = errors.New("stdin ended without a redirect URL")

// pasted reads redirect URLs until a good one comes. At a terminal, and beside a
// listener, a bad one is only asked for again.
func (l *signIn) pasted(ctx context.Context, redirectURI, state string, listening bool) (*callback.Response, error) {
	var response *callback.Response
	last := error(&usageError{err: errNoPaste, hint: "paste the whole address that the browser ended on"})
	try := func(line string) (done bool) {
		if strings.TrimSpace(line) == "" {
			return false
		}
		r, err := callback.Parse(line, redirectURI, state)
		if err != nil {
			last = err
			say(l.cmd, "That is not it: %v. Paste the whole address that the browser ended on.", err)
			return false
		}
		response = r
		return true
	}
	var err error
	if in, ok := l.cmd.InOrStdin().(*os.File); ok && isTerminal(in) {
		silent := func() {}
		if err = readTerminal(ctx, in, silent, silent, try); errors.Is(err, io.EOF) {
			err = nil
		}
	} else {
		err = readLines(ctx, l.cmd.InOrStdin(), try)
	}
	switch {
	case response != nil:
		return response, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && !listening:
		return nil, errorf("reading the redirect URL: %w", err)
	case listening:
		return nil, errNoPaste
	}
	return nil, last
}

// readLines hands over stdin line by line until take is content. The read itself
// can't be interrupted, so it is left behind when the context ends.
func readLines(ctx context.Context, r io.Reader, take func(string) bool) error {
	ended := make(chan error, 1)
	go func() {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if take(lines.Text()) {
				break
			}
		}
		ended <- lines.Err()
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return nil
	}
}
