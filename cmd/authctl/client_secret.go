package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/authctl/authctl/internal/session"
	"github.com/authctl/authctl/internal/store"
)

// keptSecret is a client secret as it is stored: with the settings that say whose it
// is, so that an edited config can't send it to another provider.
type keptSecret struct {
	Binding map[string]string `json:"binding"`
	Secret  string            `json:"client_secret"`

	// Earlier is another client's, which this one replaces. It counts until the
	// settings of this one are saved.
	Earlier *keptSecret `json:"earlier,omitempty"`
}

// secretKeys are the settings that decide where a client secret is sent, and for whom.
var secretKeys = []string{"issuer", "client_id", "token_url", "revocation_url"}

// clientSecretName is the second secret of a profile that needs one.
func clientSecretName(session string) string { return session + "/client-secret" }

// clientSecret is the stored one, or "" where there is none for these settings.
func clientSecret(ctx context.Context, secrets session.Store, session string, binding map[string]string) (string, error) {
	kept, err := readSecret(ctx, secrets, session)
	if err != nil {
		return "", err
	}
	for ; kept != nil; kept = kept.Earlier {
		if kept.isFor(binding) {
			return kept.Secret, nil
		}
	}
	return "", nil
}

// isFor reports whether the secret may be sent for these settings.
func (k *keptSecret) isFor(binding map[string]string) bool {
	return !slices.ContainsFunc(secretKeys, func(key string) bool { return k.Binding[key] != binding[key] })
}

// readSecret is what is stored, or nil. Damaged, or not ours, is as good as none: whoever
// needs it says so, and the next login replaces it.
func readSecret(ctx context.Context, secrets session.Store, session string) (*keptSecret, error) {
	raw, err := secrets.Get(ctx, clientSecretName(session))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, store.ErrDamaged) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var kept *keptSecret
	if json.Unmarshal(raw, &kept) != nil {
		return nil, nil
	}
	return kept, nil
}

// keepClientSecret stores it for the profile's present settings. settle saves these: as
// in session.Save, what was stored goes on counting until it has, and is put back when
// it fails.
func (p *profile) keepClientSecret(ctx context.Context, secret string, settle func() error) error {
	kept := &keptSecret{Binding: map[string]string{}, Secret: secret}
	for _, key := range secretKeys {
		kept.Binding[key] = p.session.Binding[key]
	}
	old, err := readSecret(ctx, p.secrets, p.session.Name)
	if err != nil {
		return err
	}
	if old != nil && !old.isFor(kept.Binding) {
		kept.Earlier = old
	}
	if err := p.writeSecret(ctx, kept); err != nil {
		return err
	}
	if err := settle(); err != nil {
		return errors.Join(err, p.putBackSecret(ctx, old))
	}
	if kept.Earlier != nil {
		kept.Earlier = nil
		_ = p.writeSecret(ctx, kept) // what stays counts no more, and goes with the next one
	}
	return nil
}

func (p *profile) putBackSecret(ctx context.Context, old *keptSecret) error {
	if old == nil {
		return p.secrets.TakeBack(ctx, clientSecretName(p.session.Name))
	}
	return p.writeSecret(ctx, old)
}

// writeSecret replaces what is stored; nil is nothing.
func (p *profile) writeSecret(ctx context.Context, kept *keptSecret) error {
	name := clientSecretName(p.session.Name)
	if kept == nil {
		return p.secrets.Delete(ctx, name)
	}
	raw, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	return p.secrets.Create(ctx, name, raw)
}

// readSecretFile reads a client secret; the line end that an editor adds isn't part
// of it, nor is the mark at the beginning that Windows' programs like.
func readSecretFile(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", &usageError{err: errorf("reading the client secret: %v", err)}
	}
	secret := strings.TrimRight(decodeText(raw), "\r\n")
	if secret == "" {
		return "", &usageError{err: errorf("the client secret file %s is empty", path)}
	}
	return secret, nil
}

// decodeText is UTF-8, or UTF-16 with a byte order mark, as «>» in Windows PowerShell
// writes it. The mark itself goes.
func decodeText(raw []byte) string {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(raw, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	default:
		return strings.TrimPrefix(string(raw), "\ufeff")
	}
	units := make([]uint16, 0, len(raw)/2)
	for pair := range slices.Chunk(raw[2:], 2) {
		if len(pair) == 2 {
			units = append(units, order.Uint16(pair))
		}
	}
	return string(utf16.Decode(units))
}
