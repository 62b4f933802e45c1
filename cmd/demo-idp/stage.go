package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// stage is where the demonstration happens: a throw-away directory, an
// environment that points authctl at it, and the built authctl itself.
type stage struct {
	authctl string // the program's path
	dir     string
	env     []string
	stdin   io.Reader // a terminal, where a person signs in
	stdout  io.Writer
	stderr  io.Writer
}

// errInterrupted is Ctrl-C, here or in authctl.
var errInterrupted = errors.New("interrupted")

func newStage(authctl string, stdin io.Reader, stdout, stderr io.Writer) (*stage, error) {
	path, err := findAuthctl(authctl)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "authctl-demo-")
	if err != nil {
		return nil, err
	}
	return &stage{authctl: path, dir: dir, env: environment(dir), stdin: stdin, stdout: stdout, stderr: stderr}, nil
}

// findAuthctl takes the path that was given, or the authctl beside this program.
func findAuthctl(path string) (string, error) {
	if path == "" {
		self, err := os.Executable()
		if err != nil {
			return "", err
		}
		path = filepath.Join(filepath.Dir(self), "authctl")
	}
	if found, err := exec.LookPath(path); err == nil {
		return filepath.Abs(found)
	}
	return "", fmt.Errorf("there is no authctl at %s: build it there, or name it with --authctl", path)
}

// environment is the user's, less what would make authctl use their settings. The
// provider is on this machine: no proxy can reach it.
func environment(dir string) []string {
	var env []string
	for _, setting := range os.Environ() {
		name, _, _ := strings.Cut(setting, "=")
		if !strings.HasPrefix(name, "AUTHCTL_") && !strings.EqualFold(name, "NO_PROXY") {
			env = append(env, setting)
		}
	}
	return append(env, "NO_PROXY=127.0.0.1,localhost", "no_proxy=127.0.0.1,localhost",
		"AUTHCTL_CONFIG="+filepath.Join(dir, "config.toml"), "AUTHCTL_STATE_DIR="+filepath.Join(dir, "state"))
}

// run runs authctl and returns its exit code. Its stdout goes to out, its talk to
// the user.
func (s *stage) run(ctx context.Context, out io.Writer, args ...string) (code int, err error) {
	cmd := s.command(ctx, args)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.stdin, out, s.stderr
	err = cmd.Run()
	var ended *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return 0, errInterrupted
	case errors.As(err, &ended) && ended.ExitCode() == 130: // at a raw terminal only authctl sees Ctrl-C
		return 130, errInterrupted
	case errors.As(err, &ended):
		return ended.ExitCode(), nil
	}
	return 0, err
}

// command is interrupted, not killed, when ctx ends: authctl has to clean up too.
func (s *stage) command(ctx context.Context, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.authctl, args...)
	cmd.Env, cmd.Dir = s.env, s.dir
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// clear takes the stage down: the session out of the store, then the directory.
// It does so after Ctrl-C too, and says what it couldn't do.
func (s *stage) clear() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var failed error
	if _, err := os.Stat(filepath.Join(s.dir, "config.toml")); err == nil { // a login saved something
		var talk bytes.Buffer
		cmd := s.command(ctx, []string{"profile", "remove", "default"})
		cmd.Stderr = &talk
		if err := cmd.Run(); err != nil {
			failed = fmt.Errorf("removing the demonstration's profile: %w: %s", err, talk.String())
		}
	}
	return errors.Join(failed, os.RemoveAll(s.dir))
}

// hasPerson says whether somebody could use a browser window that opens here.
func hasPerson() bool {
	switch {
	case os.Getenv("CI") != "":
		return false
	case runtime.GOOS == "windows":
		return true
	case runtime.GOOS == "darwin":
		return os.Getenv("SSH_CONNECTION") == ""
	}
	return os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
}
