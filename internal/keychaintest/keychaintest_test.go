package keychaintest

import "testing"

func TestStartModes(t *testing.T) {
	for _, tc := range []struct {
		name string
		mode Mode
		want bool // somebody owns the secret service's name
	}{
		{"unlocked", Unlocked, true},
		{"locked", Locked, true},
		{"empty", Empty, true},
		{"no service", NoService, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := Open(t, tc.mode)
			var got bool
			err := b.Connect().BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, serviceName).Store(&got)
			if err != nil || got != tc.want {
				t.Errorf("got %v, %v, want %v", got, err, tc.want)
			}
		})
	}
}
