// Command linked is what a Go program costs that has authctl's packages in it and doesn't
// call them: bench compares with it.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/authctl/authctl/internal/callback"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/session"
	"github.com/authctl/authctl/internal/store"
)

func main() {
	if len(os.Args) > 1 { // never: it is here for the linker
		ctx, secrets := context.Background(), &store.Keychain{}
		fmt.Println(config.Load(os.Args[1]))
		fmt.Println((&session.Session{Store: secrets}).Fresh(ctx, session.Need{}, nil))
		fmt.Println((&oauth.Client{}).Refresh(ctx, oauth.Held{}))
		fmt.Println(callback.Listen(os.Args[1], nil))
	}
	os.Stdout.WriteString("hello\n")
}
