package e2e

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/keychaintest"
)

// Where somebody could answer the dialog that unlocks it, login opens one. Doctor
// changes nothing, and a lock is a part of the machine.
func TestDoctorUnlocksNothing(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		command, said string
		dialog        bool
	}{
		{"doctor", `fail\S*  store        the keychain is locked\r\n`, false},
		{"login", `The keychain is locked: unlock it in the dialog`, true},
	} {
		bus := keychaintest.Open(t, keychaintest.NoService)
		service := bus.Serve(keychaintest.Ask)
		u := newUserWith(t, bus)
		u.set("DISPLAY=:99")
		s := u.terminal(tc.command, "--issuer", "http://127.0.0.1:1", "--client-id", "demo")
		s.screen.await(t, tc.said)
		if tc.dialog {
			<-service.Asked
			service.Answer(false)
		}
		s.exit()
		if len(service.Asked) > 0 {
			t.Errorf("%s: got a dialog that it doesn't need", tc.command)
		}
	}
}

// Ctrl-C doesn't wait for a keychain that never answers.
func TestDoctorIsInterrupted(t *testing.T) {
	t.Parallel()
	bus := keychaintest.Open(t, keychaintest.NoService)
	bus.Serve(keychaintest.Mute)
	u := newUserWith(t, bus)
	s := u.terminal("doctor", "--issuer", "http://127.0.0.1:1", "--client-id", "demo")
	s.screen.await(t, `  state  `)
	began := time.Now()
	s.typing("\x03")
	if code := s.exit(); code != 130 {
		t.Errorf("exit code: got %d, want 130\n%s", code, s.screen)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %v to end", took)
	}
	if strings.Contains(s.screen.String(), "  store  ") {
		t.Errorf("the check that was interrupted is reported:\n%s", s.screen)
	}
}

// Colours are for a terminal whose user wants them.
func TestDoctorOnATerminal(t *testing.T) {
	for _, tc := range []struct {
		name, variable string
		coloured       bool
	}{
		{"a terminal", "TERM=xterm", true},
		{"NO_COLOR", "NO_COLOR=1", false},
		{"a dumb one", "TERM=dumb", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			taken, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer taken.Close()
			u := newUser(t)
			u.signIn(idp.Options{})
			u.set(tc.variable)
			s := u.terminal("doctor", "--redirect-uri", "http://"+taken.Addr().String()+"/callback")
			if code := s.exit(); code != 1 {
				t.Errorf("exit code: got %d, want 1", code)
			}
			green, red := strings.Contains(s.screen.String(), "\x1b[32mok  \x1b[0m  version "), strings.Contains(s.screen.String(), "\x1b[31mfail\x1b[0m  redirect ")
			if escapes := strings.Contains(s.screen.String(), "\x1b"); green != tc.coloured || red != tc.coloured || escapes != tc.coloured {
				t.Errorf("got green %v, red %v, escapes %v, want %v\n%s", green, red, escapes, tc.coloured, s.screen)
			}
			if !strings.Contains(s.screen.String(), "login opens no browser here, but prints the address to open") {
				t.Errorf("the browser's line isn't there:\n%s", s.screen)
			}
		})
	}
}
