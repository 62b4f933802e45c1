package e2e

import (
	"testing"

	"github.com/authctl/authctl/internal/idp"
)

// The smallest whole story, with a browser that is a function.
func TestRobotSignsIn(t *testing.T) {
	t.Parallel()
	u, p := newUser(t), demoProvider(t, idp.Options{})
	u.must("login", "--issuer", p.Issuer(), "--client-id", "demo", "--browser", robotBrowser())
	if got, want := u.must("whoami", "--claim", "name"), "Ada Lovelace\n"; got != want {
		t.Errorf("whoami: got %q, want %q", got, want)
	}
	token := u.must("token")
	if len(token) < 2 {
		t.Errorf("token: got %q, want one", token)
	}
	u.noFileHolds(p.Secrets()...)
}
