package e2e

import (
	"crypto/ecdsa"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/idp"
	"github.com/authctl/authctl/internal/leaktest"
)

// life is a user's with one provider, in which every place is looked at.
type life struct {
	*user
	p        *idp.Server
	verbose  bool
	caches   bool     // the access token, in the kernel
	more     []string // environment
	secrets  leaktest.Secrets
	places   map[string]bool // that were looked at
	needed   map[string]bool // of the belongings
	findings []string
}

func newLife(u *user, p *idp.Server) *life {
	return &life{user: u, p: p, places: map[string]bool{}, needed: map[string]bool{}}
}

// learn adds what has become a secret, on either side.
func (l *life) learn() {
	for secret, kind := range l.p.Kinds() {
		l.secrets.Add(kind, secret)
	}
	l.secrets.Add(clientSecret, l.p.Options().ConfidentialSecret)
}

// learnSince adds the provider's secrets that weren't there before: what is spent is none.
func (l *life) learnSince(before map[string]string, kinds ...string) {
	for secret, kind := range l.p.Kinds() {
		if before[secret] == "" && (len(kinds) == 0 || slices.Contains(kinds, kind)) {
			l.secrets.Add(kind, secret)
		}
	}
}

// learnKeys adds the keys that a login makes.
func (l *life) learnKeys() {
	if key, err := os.ReadFile(filepath.Join(l.home, "keys", "authctl")); err == nil {
		l.secrets.Add(storeKey, string(key))
	}
	for _, name := range []string{l.named("default"), l.named("default") + "/client-secret"} {
		fields := strings.Split(l.lookup(name), ":")
		if fields[0] != "authctl-sealed" {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(fields[len(fields)-1]))
		if err != nil {
			l.t.Fatal(err)
		}
		l.secrets.Add(storeKey, string(key))
	}
	file := l.stateFile("tls", "localhost.pem")
	if cert, err := tls.LoadX509KeyPair(file, file); err == nil {
		scalar, err := cert.PrivateKey.(*ecdsa.PrivateKey).Bytes()
		if err != nil {
			l.t.Fatal(err)
		}
		l.secrets.Add(tlsKey, string(scalar))
	}
}

// look finds each secret that is where none of its kind belongs.
func (l *life) look(place, text string) {
	l.places[place] = true
	for _, leak := range l.secrets.In(text) {
		if !l.belongs(leak.Kind, place) {
			l.findings = append(l.findings, fmt.Sprintf("%s: %v", place, leak))
		}
	}
}

// lookAround looks at every file of the user's, and at its name.
func (l *life) lookAround() {
	l.t.Helper()
	for _, dir := range l.directories() {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			l.look("names of files", path)
			if d.Type().IsRegular() {
				content, err := os.ReadFile(path)
				l.look("file "+path, string(content))
				return err
			}
			return nil
		})
		if err != nil {
			l.t.Fatal(err)
		}
	}
}

// directories are those that are the user's own.
func (l *life) directories() (dirs []string) {
	for _, variable := range l.env {
		if name, dir, _ := strings.Cut(variable, "="); name == "HOME" || name == "TMPDIR" {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// ended waits for a command, looks at all that it did, and at what there is now.
func (l *life) ended(w *watched, code int, args ...string) {
	l.t.Helper()
	name := strings.Join(args, " ")
	if got := w.wait(); got != code {
		l.t.Errorf("authctl %s: exit %d, want %d\n%s", name, got, code, w.stderr)
	}
	l.learn()
	for place, text := range w.seen() {
		l.look(l.placed(place, name), text)
	}
	l.lookAround()
}

// placed is a place by the name that the belongings have for it.
func (l *life) placed(place, command string) string {
	connection, ok := strings.CutPrefix(place, "connection ")
	switch {
	case ok && strings.HasSuffix(connection, "->"+strings.TrimPrefix(l.p.Issuer(), "http://")+"]"):
		return "the provider of " + command
	case ok:
		return "the page of " + command
	case strings.HasPrefix(place, "file "):
		return place
	case place == "kernel" && l.caches:
		return "the kernel's cache"
	}
	return place + " of " + command
}
