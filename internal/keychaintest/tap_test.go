package keychaintest

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// A child's calls reach the service by way of the test, and come to what it says.
func TestTap(t *testing.T) {
	b := Open(t, NoService)
	b.Serve(Healthy)
	var verdict, seen atomic.Int64
	env := b.Tap(func(string) Verdict {
		seen.Add(1)
		return Verdict(verdict.Load())
	})
	_, address, _ := strings.Cut(env, "=")
	for _, tc := range []struct {
		verdict Verdict
		want    string // the error; "late": none within a moment
	}{
		{Pass, ""},
		{Refuse, "the test says no"},
		{Swallow, "late"},
		{Lose, "Message recipient disconnected from message bus without replying"},
		{HangUp, "EOF"},
	} {
		verdict.Store(int64(tc.verdict))
		conn, err := dbus.Connect(address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		call := conn.Object(serviceName, rootPath).Go(secretPrefix+"Service.OpenSession", 0, make(chan *dbus.Call, 1), "plain", dbus.MakeVariant(""))
		got := "late"
		select {
		case <-call.Done:
			got = ""
			if call.Err != nil {
				got = call.Err.Error()
			}
		case <-time.After(map[bool]time.Duration{true: 200 * time.Millisecond, false: time.Minute}[tc.want == "late"]):
		}
		if !strings.Contains(got, tc.want) || tc.want == "" && got != "" {
			t.Errorf("verdict %d: got %q, want %q", tc.verdict, got, tc.want)
		}
	}
	if got := seen.Load(); got != 5 {
		t.Errorf("got %d calls, want 5", got)
	}
}
