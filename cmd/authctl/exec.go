package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/authctl/authctl/internal/session"
)

func newExecCmd(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "exec -- CMD [ARG...]",
		Short: "Run a command with a fresh token in ACCESS_TOKEN",
		Long: `Run a command with a fresh token in ACCESS_TOKEN. Flags after its name are its
own, and authctl ends with its exit code.`,
		DisableFlagsInUseLine: true,
		Example:               `  authctl exec -- sh -c 'curl -H "Authorization: Bearer $ACCESS_TOKEN" https://api.example.com/'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{err: errorf("exec needs a command to run"), hint: "authctl exec -- CMD ARG…"}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			env := os.Environ() // as it came: looking for the keychain sets a variable
			tokens, err := o.fresh(cmd, session.Need{MinTTL: time.Minute})
			if err != nil {
				return err
			}
			program, err := lookUp(args[0])
			if err != nil {
				return err
			}
			return become(cmd, program, args, withVariable(env, "ACCESS_TOKEN", tokens.AccessToken), nil)
		},
	}
	cmd.Flags().SetInterspersed(false) // flags after CMD are CMD's
	return cmd
}

// lookUp finds a program the way a shell does, and fails with a shell's codes: 127
// for not found, 126 for found but not to be run.
func lookUp(name string) (string, error) {
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path, nil
	case errors.Is(err, exec.ErrDot):
		return "", &commandError{name, 126, errorf("it is in the current directory, which PATH names by a relative path")}
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return "", &commandError{name, 127, errorf("command not found")}
	}
	return "", &commandError{name, 126, errors.Unwrap(err)}
}

// commandError is a command that authctl was to run and could not.
type commandError struct {
	name string
	code int
	err  error
}

func (e *commandError) Error() string { return "running " + e.name + ": " + e.err.Error() }
func (e *commandError) Unwrap() error { return e.err }

// withVariable is env with one variable set, whatever it was before.
func withVariable(env []string, name, value string) []string {
	kept := make([]string, 0, len(env)+1)
	for _, e := range env {
		if !strings.HasPrefix(e, name+"=") {
			kept = append(kept, e)
		}
	}
	return append(kept, name+"="+value)
}
