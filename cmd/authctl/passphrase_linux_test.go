package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/need"
)

const (
	passphrase = "correct horse battery staple"
	toChoose   = "Choose a passphrase (it isn't shown): "
	toRepeat   = "The same again: "
	toGive     = "Passphrase of authctl's file store: "
)

// locker is a user whose file store has a passphrase, at a terminal of their own.
type locker struct {
	t    *testing.T
	home string
	env  []string
}

func newLocker(t *testing.T) *locker {
	t.Helper()
	if _, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_USER_KEYRING, true); err != nil {
		need.Missing(t, "the kernel's keyring")
	}
	server := idp.New(idp.Options{})
	issuer, err := server.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	l := &locker{t: t, home: t.TempDir()}
	l.env = append(os.Environ(), "HOME="+l.home, "XDG_CONFIG_HOME="+l.home, "XDG_STATE_HOME="+l.home+"/state", "BROWSER=browser",
		"AUTHCTL_STORE=file", "AUTHCTL_ISSUER="+issuer, "AUTHCTL_CLIENT_ID=demo", "TERM=dumb")
	t.Cleanup(l.forget)
	return l
}

// file is that of the locked key.
func (l *locker) file() string { return l.home + "/state/authctl/file/passphrase.json" }

// forget has the kernel do so.
func (l *locker) forget() {
	l.t.Helper()
	text, err := os.ReadFile(l.file())
	if err != nil {
		return
	}
	sum := sha256.Sum256(text)
	id, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", "authctl:"+hex.EncodeToString(sum[:16]), 0)
	if err == nil {
		_, err = unix.KeyctlInt(unix.KEYCTL_INVALIDATE, id, 0, 0, 0)
	}
	if err != nil && err != unix.ENOKEY && err != unix.EKEYEXPIRED && err != unix.EKEYREVOKED { // it is on its way out
		l.t.Fatal(err)
	}
}

// turn is a question and what is typed then.
type turn struct{ question, answer string }

// talks runs a command at a terminal. The questions have to come in that order, the
// answers are never shown, and the terminal is in the end as it was. It returns all that
// was shown.
func (l *locker) talks(code int, turns []turn, command ...string) string {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = l.env
	terminal, tty, err := pty.Open()
	if err != nil {
		l.t.Fatal(err)
	}
	defer terminal.Close()
	before, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		l.t.Fatal(err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	tty.Close()
	shown, seen := "", 0
	for in := bufio.NewReader(terminal); ; {
		c, err := in.ReadByte()
		if err != nil { // EIO once the other end is closed
			break
		}
		shown += string(c)
		if len(turns) > 0 && strings.Contains(shown[seen:], turns[0].question) {
			seen = len(shown)
			if _, err := terminal.WriteString(turns[0].answer); err != nil {
				l.t.Fatal(err)
			}
			turns = turns[1:]
		}
	}
	cmd.Wait() // its code tells
	if got := cmd.ProcessState.ExitCode(); got != code || len(turns) > 0 {
		l.t.Fatalf("%s: exit %d, want %d; not asked: %q, in:\n%s", strings.Join(command, " "), got, code, turns, shown)
	}
	if after, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS); err != nil || *after != *before {
		l.t.Errorf("%s: the terminal's modes are %+v, %v, want %+v", strings.Join(command, " "), after, err, before)
	}
	if strings.Contains(shown, passphrase) {
		l.t.Errorf("%s: the passphrase is shown in:\n%s", strings.Join(command, " "), shown)
	}
	return shown
}

// signsIn chooses the passphrase.
func (l *locker) signsIn(flags ...string) {
	l.t.Helper()
	l.talks(0, []turn{{toChoose, passphrase + "\r"}, {toRepeat, passphrase + "\r"}}, append([]string{"authctl", "login"}, flags...)...)
}

// runs runs a command where there is no terminal.
func (l *locker) runs(code int, command ...string) string {
	l.t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = l.env
	out, _ := cmd.CombinedOutput() // its code tells
	if got := cmd.ProcessState.ExitCode(); got != code {
		l.t.Fatalf("%s: exit %d, want %d\n%s", strings.Join(command, " "), got, code, out)
	}
	return string(out)
}

// has fails the test unless text has a line like that.
func has(t *testing.T, text, pattern string) {
	t.Helper()
	if !regexp.MustCompile(`(?m)` + pattern).MatchString(text) {
		t.Errorf("got\n%s\nwant %s", text, pattern)
	}
}

// The first login has a passphrase chosen, with care; it is asked for when the kernel has
// forgotten it, and by nobody who has no terminal.
func TestPassphraseAtATerminal(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	has(t, l.runs(2, "authctl", "login"), `^hint: the same command at a terminal, or with --store-key-file FILE$`)
	shown := l.talks(0, []turn{
		{toChoose, "\r"}, {toChoose, "2 short\r"}, {toChoose, "an arrow: \x1b[A\r"}, {toChoose, passphrase + "\r"}, {toRepeat, "another one\r"},
		{toChoose, "wrong\x15" + passphrase + "é\x7f\r"}, {toRepeat, passphrase + "\r"},
	}, "authctl", "login", "--store-timeout", "30m")
	has(t, shown, `again 30m later\.`)
	has(t, shown, `^Signed in to `)
	token := l.runs(0, "authctl", "token")
	has(t, l.runs(0, "authctl", "status"), ` file \(passphrase\)  signed in$`)
	has(t, l.runs(0, "authctl", "status", "--json"), `"store": "file",\n +"store_key": "passphrase",`)
	has(t, l.runs(0, "authctl", "doctor"), `^ok    store        sealed files, locked by a passphrase, whose key the kernel holds for (29|30) minutes more: stored`)

	l.forget()
	for _, command := range []string{"token", "whoami", "status", "exec -- true", "token --login"} {
		out := l.runs(5, append([]string{"authctl"}, strings.Fields(command)...)...)
		has(t, out, `^authctl: .*the passphrase of the file store is needed, and nobody gave it at a terminal$`)
		has(t, out, `^hint: authctl whoami.* at a terminal asks for it; to do without: authctl login.* --store-key-file FILE$`)
	}
	has(t, l.runs(5, "authctl", "login"), `^hint: the same command at a terminal asks for it; to do without: the same command with --store-key-file FILE$`)

	shown = l.talks(0, []turn{{toGive, "wrong\r"}, {toGive, passphrase + "\r"}}, "sh", "-c", `test "$(authctl token)" = "$1"`, "sh", strings.TrimSpace(token))
	has(t, shown, `^That is not it\.`)
	if again := l.runs(0, "authctl", "token"); again != token {
		t.Error("got another token")
	}
}

// What a key file opens is taken along to a passphrase, and from there to another key file.
func TestPassphraseAndKeyFileTakeTurns(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	l.env = append(l.env, "AUTHCTL_STORE=")
	l.runs(0, "authctl", "login", "--store", "file", "--store-key-file", l.home+"/one.key")
	token := l.runs(0, "authctl", "token")
	shown := l.talks(0, []turn{{toChoose, passphrase + "\r"}, {toRepeat, passphrase + "\r"}}, "authctl", "profile", "set", "--store-key-file", "")
	has(t, shown, `^Moved the session of profile "default" to where the passphrase opens it\.`)
	if got := l.runs(0, "authctl", "token"); got != token {
		t.Error("with the passphrase: got another token")
	}
	l.forget()
	l.runs(5, "authctl", "token")
	l.runs(5, "authctl", "profile", "set", "--store-key-file", l.home+"/two.key") // nobody to ask: it stays
	shown = l.talks(0, []turn{{toGive, passphrase + "\r"}}, "authctl", "profile", "set", "--store-key-file", l.home+"/two.key")
	has(t, shown, `^Moved the session of profile "default" to the key file .*two\.key\.`)
	l.forget()
	if got := l.runs(0, "authctl", "token"); got != token {
		t.Error("with the key file: got another token")
	}
	left, err := filepath.Glob(l.home + "/state/authctl/file/*sealed*")
	if err != nil || len(left) != 1 {
		t.Errorf("got the sealed files %v, %v, want one", left, err)
	}
}

// The kernel forgets the key sooner when a shorter time-out is set, and with the last
// session that it opens.
func TestPassphraseIsForgottenInTime(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	l.signsIn()
	l.runs(0, "authctl", "profile", "set", "--store-timeout", "5m")
	has(t, l.runs(0, "authctl", "doctor"), `whose key the kernel holds for (4|5) minutes more`)
	l.runs(0, "authctl", "profile", "set", "--store-timeout", "1h") // of which the kernel has not been told
	has(t, l.runs(0, "authctl", "doctor"), `whose key the kernel holds for (4|5) minutes more`)
	l.runs(0, "authctl", "logout")
	has(t, l.runs(0, "authctl", "doctor"), `the kernel doesn't hold the key now`)
}

// What a sealed session has lost its key is no passphrase that is yet to be chosen.
func TestDoctorMissesThePassphrasesFile(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	l.signsIn()
	l.forget()
	if err := os.Remove(l.file()); err != nil {
		t.Fatal(err)
	}
	has(t, l.runs(1, "authctl", "doctor"), `^fail  store        .*passphrase\.json of its key is gone`)
}

// Ctrl-C, at any question, leaves terminal and store as they were.
func TestPassphraseInterrupted(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	l.talks(130, []turn{{toChoose, "some\x03"}}, "authctl", "login")
	l.talks(130, []turn{{toChoose, passphrase + "\r"}, {toRepeat, "\x03"}}, "authctl", "login")
	if _, err := os.Stat(l.file()); !os.IsNotExist(err) {
		t.Errorf("a passphrase was chosen: %v", err)
	}
	l.signsIn()
	l.forget()
	l.talks(130, []turn{{toGive, "wrong\r"}, {toGive, passphrase + "\x03"}}, "authctl", "token")
	l.talks(130, []turn{{toGive, "\x03"}}, "authctl", "logout")
	l.talks(2, []turn{{toGive, "\x1c"}}, "authctl", "token") // of Go's making
	l.talks(0, []turn{{toGive, passphrase + "\r"}}, "authctl", "token")
}

// A forgotten passphrase costs a sign-in, and the hint says how.
func TestPassphraseForgotten(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	l.signsIn()
	l.forget()
	wrong := turn{toGive, "wrong\r"}
	shown := l.talks(5, []turn{wrong, wrong, wrong}, "authctl", "token")
	has(t, shown, `^authctl: .*the passphrase was wrong 3 times`)
	has(t, shown, `^hint: if it is forgotten, what it locks is lost, of every profile there: rm `+regexp.QuoteMeta(l.file())+`, then authctl login`)
	has(t, l.talks(4, []turn{{toGive, "\r"}}, "authctl", "logout"), `signed out of profile "default" on this machine, but its tokens are not revoked: .*no passphrase was given`)
	l.runs(3, "authctl", "token")

	// the same for who is signed in still
	l.talks(0, []turn{{toGive, passphrase + "\r"}}, "authctl", "login")
	l.forget()
	if err := os.Remove(l.file()); err != nil {
		t.Fatal(err)
	}
	has(t, l.runs(5, "authctl", "token"), `^authctl: .*the file .*passphrase\.json of its key is gone`)
	l.signsIn()
	l.runs(0, "authctl", "token")
}

// Of 64 that need the passphrase at one terminal one asks.
func TestPassphraseIsAskedByOne(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	l.signsIn()
	l.forget()
	shown := l.talks(0, []turn{{toGive, passphrase + "\r"}}, "sh", "-c", `for i in $(seq 64); do authctl token </dev/tty >`+l.home+`/token.$i & all="$all $!"; done; for one in $all; do wait $one || exit; done`)
	if n := strings.Count(shown, toGive); n != 1 {
		t.Errorf("asked %d times, in:\n%s", n, shown)
	}
	l.sameTokens(64)
}

func (l *locker) sameTokens(n int) {
	l.t.Helper()
	want := l.runs(0, "authctl", "token")
	files, _ := filepath.Glob(l.home + "/token.*")
	if len(files) != n {
		l.t.Errorf("got %d tokens, want %d", len(files), n)
	}
	for _, file := range files {
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			l.t.Errorf("%s: got %d bytes, %v, want the token", file, len(got), err)
		}
	}
}

// A job in the background neither asks, nor is stopped, nor keeps one in the foreground from
// asking; it goes on with what that was told.
func TestPassphraseInTheBackground(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	l.signsIn()
	l.forget()
	shown := l.talks(0, []turn{{toGive, passphrase + "\r"}}, "sh", "-c", fmt.Sprintf("set -m; authctl token >%[1]s/token.1 & authctl token >%[1]s/token.2 && wait $!", l.home))
	if n := strings.Count(shown, toGive); n != 1 {
		t.Errorf("asked %d times, in:\n%s", n, shown)
	}
	l.sameTokens(2)
}

// Suspended at the question, it keeps nobody from asking; when it goes on, it asks no more.
func TestPassphraseSuspended(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	l.signsIn()
	l.forget()
	l.talks(0, []turn{{toGive, "\x1a"}, {toGive, passphrase + "\r"}}, "sh", "-c",
		fmt.Sprintf("set -m; authctl token >%[1]s/token.1; authctl token >%[1]s/token.2 && fg", l.home))
	l.sameTokens(2)
}

// While it is suspended the terminal echoes, also where the shell doesn't see to that; once
// it goes on, it doesn't, and asks again.
func TestPassphraseSuspendedLeavesTheEcho(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	l.signsIn()
	for _, before := range [][]turn{nil, {{toGive, "wrong\r"}}} {
		l.forget()
		turns := append(before, turn{toGive, "half\x1a"}, turn{"Again? ", "\r"}, turn{toGive, " of it\x15" + passphrase + "\r"})
		l.talks(0, turns, "sh", "-c",
			`set -m; before=$(stty -g); authctl token >/dev/null; test "$before" = "$(stty -g)" && printf 'Again? ' && read -r _ && fg`)
	}
}

// The kernel forgets when the user says.
func TestPassphraseTimesOut(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	l.signsIn("--store-timeout", "1s")
	l.env = append(l.env, "AUTHCTL_STORE_TIMEOUT=2h")
	for end := time.Now().Add(time.Minute); exec.Command("true").Run() == nil; time.Sleep(50 * time.Millisecond) {
		cmd := exec.Command("authctl", "token")
		cmd.Env = l.env
		if out, err := cmd.CombinedOutput(); err != nil {
			has(t, string(out), "nobody gave it at a terminal")
			break
		}
		if time.Now().After(end) {
			t.Fatal("the kernel has the key still")
		}
	}
	l.talks(0, []turn{{toGive, passphrase + "\r"}}, "authctl", "token")
	has(t, l.runs(0, "authctl", "doctor"), `the kernel holds for (1 hour|2 hours) more`)
}

// Where keyctl is refused, as in many containers, nobody is asked in vain: it is said, with
// the way out, which works.
func TestKeyctlIsRefused(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	for _, command := range []string{"login", "login --store-timeout 1h"} {
		out := l.talks(5, nil, append([]string{"nokeyctl", "authctl"}, strings.Fields(command)...)...)
		has(t, out, `^authctl: .*the kernel's keyring can't be used: operation not permitted`)
		has(t, out, `^hint: to do without it, in a container for example: the same command with --store-key-file FILE`)
	}
	doctor := l.runs(1, "nokeyctl", "authctl", "doctor")
	has(t, doctor, `^fail  store        the kernel's keyring can't be used: operation not permitted\n      fix: .*--store-key-file FILE$`)
	l.signsIn()
	has(t, l.runs(5, "nokeyctl", "authctl", "token"), `^hint: .*: authctl login --store-key-file FILE$`)
	l.runs(0, "nokeyctl", "authctl", "login", "--store-key-file", l.home+"/key")
	l.runs(0, "nokeyctl", "authctl", "token")
	has(t, l.runs(0, "nokeyctl", "authctl", "status", "--json"), `"store": "file",\n +"store_key": "key file",`)
	has(t, l.runs(0, "nokeyctl", "authctl", "status"), ` file +signed in$`)
}

// Where the kernel has no room for another key, the passphrase is asked for each time, and
// it is said why.
func TestNoRoomForTheKey(t *testing.T) {
	t.Parallel()
	need.Program(t, "strace")
	l := newLocker(t)
	full := strings.Fields("strace -f -qq -o /dev/null -e trace=add_key -e inject=add_key:error=EDQUOT authctl")
	const said = `(?s)^authctl: warning: the passphrase is asked for each time: the kernel's keyring can't be used: disk quota exceeded \(/proc/keys lists .* --store-key-file FILE does without\)\r$`
	shown := l.talks(0, []turn{{toChoose, passphrase + "\r"}, {toRepeat, passphrase + "\r"}}, append(full, "login")...)
	has(t, shown, said)
	has(t, shown, `^Signed in to `)
	has(t, l.talks(0, []turn{{toGive, passphrase + "\r"}}, append(full, "whoami")...), said)
}

// nokeyctlProgram is `nokeyctl [-kill] CMD ARG…`: it runs a command to which the kernel
// refuses the calls of its keyrings, as container engines have it do, or that it kills for
// them, as service managers have it.
func nokeyctlProgram() {
	refuse := unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	if os.Args[1] == "-kill" {
		refuse, os.Args = unix.SECCOMP_RET_KILL_PROCESS, os.Args[1:]
	}
	program := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}} // the call's number
	for _, call := range []uint32{unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL} {
		program = append(program, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: call},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: refuse})
	}
	program = append(program, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
	runtime.LockOSThread() // the filter is this thread's, and of what it becomes
	exitOn(unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
	of := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	exitOn(unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&of)), 0, 0))
	path, err := exec.LookPath(os.Args[1])
	exitOn(err)
	exitOn(syscall.Exec(path, os.Args[1:], os.Environ()))
}
