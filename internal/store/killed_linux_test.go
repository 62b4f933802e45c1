package store

import (
	"bufio"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/keychaintest"
)

// A process killed at any moment of a login or a renewal leaves the old secret or
// the new one.
func TestKilledWhileWriting(t *testing.T) {
	secrets := []string{strings.Repeat("a", 30000), strings.Repeat("b", 30000)}
	dir := os.Getenv("STORE_TEST_DIR")
	k := &Keychain{Service: "authctl-test", Dir: dir, Limit: 100, Getenv: os.Getenv}
	switch {
	case os.Getenv("STORE_TEST_WRITE") != "":
		must(t, k.Create(t.Context(), "work", []byte(secrets[0])))
		os.Stdout.WriteString("writing\n")
		for i := 0; ; i++ { // until the parent ends it
			must(t, k.Create(t.Context(), "work", []byte(secrets[i%2])))
			must(t, k.Update(t.Context(), "work", []byte(secrets[i/2%2])))
		}
	case os.Getenv(insideVar) == t.Name():
		got, err := k.Get(t.Context(), "work")
		if err != nil || string(got) != secrets[0] && string(got) != secrets[1] {
			t.Errorf("got %d bytes, %v, want one of the secrets", len(got), err)
		}
		return
	}
	env := append(keychaintest.Start(t, keychaintest.Unlocked), "STORE_TEST_DIR="+t.TempDir())
	for range 20 {
		cmd := child(t.Name(), append(env, "STORE_TEST_WRITE=1"))
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "writing"; {
		}
		time.Sleep(rand.N(30 * time.Millisecond)) // the moment is to be any
		cmd.Process.Kill()
		cmd.Wait()
		again(t, env)
	}
}
