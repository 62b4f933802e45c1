package main

import (
	"os"
	"strings"
	"testing"
)

// The question comes to the terminal wherever stderr goes, and nothing of it is in there.
func TestPassphraseIsAskedAtTheTerminal(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	log := l.home + "/log"
	chosen := []turn{{toChoose, "2 short\r"}, {toChoose, passphrase + "\r"}, {toRepeat, passphrase + "\r"}}
	has(t, l.talks(0, chosen, "sh", "-c", "authctl login 2>"+log), `^That is too short: `)
	token := strings.TrimSpace(l.runs(0, "authctl", "token"))
	for _, script := range []string{`authctl token 2>"$2"`, `x=$(authctl token 2>/dev/null); echo "$x"`, `authctl token 2>&1 >"$2"; cat "$2"`} {
		l.forget()
		shown := l.talks(0, []turn{{toGive, "wrong\r"}, {toGive, passphrase + "\r"}}, "sh", "-c", script, "sh", token, log)
		has(t, shown, `^That is not it\.`)
		if !strings.Contains(shown, token) {
			t.Errorf("%s: the token isn't shown", script)
		}
		if logged, err := os.ReadFile(log); err != nil || strings.Contains(string(logged), "assphrase") {
			t.Errorf("%s: got %q, %v on stderr", script, logged, err)
		}
	}
}

// A terminal is no person where it isn't stdin, or another session's: that is said at once.
func TestPassphraseIsNotAsked(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	l.signsIn()
	l.forget()
	for _, script := range []string{"authctl token </dev/null", "true | authctl token", "setsid -w authctl token"} {
		has(t, l.talks(5, nil, "sh", "-c", script), `^authctl: .*nobody gave it at a terminal\r$`)
	}
}

// Ctrl-D gives none, and twice in a line ends that, as at any terminal.
func TestPassphraseIsNotGiven(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	for _, turns := range [][]turn{
		{{toChoose, "\x04"}},
		{{toChoose, "2 short\r"}, {toChoose, "wrong\x15\x04"}},
		{{toChoose, passphrase + "\r"}, {toRepeat, "\x04"}},
	} {
		shown := l.talks(5, turns, "authctl", "login")
		has(t, shown, `: \r\nauthctl: .*: no passphrase was given\r$`)
		has(t, shown, `^hint: the same command asks again, or does without one with --store-key-file FILE\r$`)
	}
	l.signsIn()
	l.forget()
	has(t, l.talks(5, []turn{{toGive, "wrong\r"}, {toGive, "\x04"}}, "authctl", "token"), `: \r\nauthctl: .*: no passphrase was given\r$`)
	l.talks(0, []turn{{toGive, passphrase + "\x04\x04"}}, "authctl", "token")
}

// What a terminal does with keys that edit is done; of what is pasted the first line counts.
func TestPassphraseIsEdited(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	l.signsIn()
	for _, typed := range []string{
		"wrong\x15" + passphrase + "\r",
		passphrase + "é愛\x7f\x08\r",
		passphrase[:7] + "\x04" + passphrase[7:] + "\r",
		passphrase + "\nauthctl logout\n",
	} {
		l.forget()
		l.talks(0, []turn{{toGive, typed}}, "authctl", "token")
	}
}

// A job in the background says once what it waits for, and how it gets it.
func TestPassphraseIsAwaitedInTheBackground(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	l.signsIn()
	l.forget()
	const waits = "authctl: waiting for the passphrase of the file store, "
	shown := l.talks(0, []turn{{waits, "\r"}, {toGive, passphrase + "\r"}}, "sh", "-c",
		`set -m; authctl token -p default >"$1/token.1" & read -r _; fg`, "sh", l.home)
	has(t, shown, `^`+waits+`which is asked for in the foreground only: bring this job there \(fg\), or run authctl whoami --profile default\r$`)
	if n := strings.Count(shown, waits); n != 1 {
		t.Errorf("said %d times, in:\n%s", n, shown)
	}
	l.forget()
	shown = l.talks(0, []turn{{waits, "\r"}, {toGive, passphrase + "\r"}}, "sh", "-c",
		`set -m; authctl token >"$1/token.2" 2>"$1/log" & until grep waiting "$1/log"; do :; done; read -r _; authctl whoami --claim sub; wait $!`, "sh", l.home)
	if n := strings.Count(shown, toGive); n != 1 {
		t.Errorf("asked %d times, in:\n%s", n, shown)
	}
	l.sameTokens(2)
}

// Doctor has nobody choose or give one. Where that is all that is to be done it is well,
// unless there is no terminal to do it at: then its report says what is.
func TestDoctorOnAPassphrase(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	has(t, l.talks(0, nil, "sh", "-c", "authctl doctor 2>/dev/null"), `  store        sealed files, locked by a passphrase, which login has you choose; `)
	report := l.runs(0, "authctl", "doctor", "--store", "file")
	has(t, report, `^warn  store        sealed files, locked by a passphrase that is yet to be chosen, and there is no terminal to choose one at\n      fix: authctl login --store file at a terminal; to do without: authctl login --store file --store-key-file FILE$`)
	has(t, report, `^skip  session      no passphrase has been chosen yet$`)
	l.signsIn("--store-timeout", "30m")
	l.forget()
	has(t, l.talks(0, nil, "authctl", "doctor"), `  store        sealed files, locked by a passphrase; the kernel doesn't hold the key now, so the next command that needs it asks, once in 30m\r$`)
	report = l.runs(0, "authctl", "doctor")
	has(t, report, `^warn  store        sealed files, locked by a passphrase; the kernel doesn't hold the key now, and there is no terminal to ask for it at\n      fix: authctl whoami at a terminal asks for it; to do without: authctl login --store-key-file FILE$`)
	has(t, report, `^skip  session      the passphrase has not been given$`)
}

// Where there is no keychain, the hint at a terminal is a line that works there: with a
// passphrase, or, where the kernel keeps none, with a key file.
func TestNoKeychainAtATerminal(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	l.env = append(l.env, "AUTHCTL_STORE=", "DBUS_SESSION_BUS_ADDRESS=unix:path="+l.home+"/none")
	has(t, l.talks(5, nil, "authctl", "login"), `^hint: on a machine without a keychain, with a passphrase: the same command with --store file\r$`)
	has(t, l.talks(5, nil, "authctl", "token", "-p", "default"), `^hint: on a machine without a keychain, with a passphrase: authctl login --profile default --store file\r$`)
	has(t, l.talks(1, nil, "authctl", "doctor"), `^      fix: on a machine without a keychain, with a passphrase: authctl login --store file\r$`)
	const keyFile = `^hint: on a machine without a keychain: the same command with --store file --store-key-file FILE\r?$`
	has(t, l.talks(5, nil, "nokeyctl", "authctl", "login"), keyFile)
	has(t, l.talks(5, nil, "authctl", "login", "--store-key-file", l.home+"/key"), keyFile)
	has(t, l.runs(5, "authctl", "login"), keyFile)
	l.signsIn("--store", "file")
	l.runs(0, "authctl", "token")
}
