package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/authctl/authctl/internal/session"
	"github.com/authctl/authctl/internal/store"
)

// keptSecret is a client secret as it is stored: with the settings that say whose it
// is, so that an edited config can't send it to another provider.
type keptSecret struct {
	Binding map[string]string `json:"binding"`
	Secret  string            `json:"client_secret"`
}

// secretKeys are the settings that decide where a client secret is sent, and for whom.
var secretKeys = []string{"issuer", "client_id", "token_url", "revocation_url"}

// clientSecretName is the second secret of a profile that needs one.
func clientSecretName(session string) string { return session + "/client-secret" }

// clientSecret is the stored one, or "" where there is none for these settings.
func clientSecret(ctx context.Context, secrets session.Store, session string, binding map[string]string) (string, error) {
	raw, err := secrets.Get(ctx, clientSecretName(session))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, store.ErrDamaged) {
		return "", nil // damaged is as good as none: whoever needs it says so, and it is replaced
	}
	if err != nil {
		return "", err
	}
	var kept keptSecret
	if json.Unmarshal(raw, &kept) != nil {
		return "", nil // not ours: as good as none, and the next login replaces it
	}
	for _, key := range secretKeys {
		if kept.Binding[key] != binding[key] {
			return "", nil
		}
	}
	return kept.Secret, nil
}

// keepClientSecret stores it for the profile's present settings.
func (p *profile) keepClientSecret(ctx context.Context, secret string) error {
	kept := keptSecret{Binding: map[string]string{}, Secret: secret}
	for _, key := range secretKeys {
		kept.Binding[key] = p.session.Binding[key]
	}
	raw, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	return p.secrets.Create(ctx, clientSecretName(p.session.Name), raw)
}

// readSecretFile reads a client secret; the line end that an editor adds isn't part
// of it.
func readSecretFile(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", &usageError{err: errorf("reading the client secret: %v", err)}
	}
	secret := strings.TrimRight(string(raw), "\r\n")
	if secret == "" {
		return "", &usageError{err: errorf("the client secret file %s is empty", path)}
	}
	return secret, nil
}
