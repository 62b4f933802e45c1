package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/authctl/authctl/internal/config"
)

// configPath is the config file: --config, AUTHCTL_CONFIG, or the platform's place.
func (o *options) configPath() (string, error) {
	for _, named := range []string{o.config, os.Getenv("AUTHCTL_CONFIG")} {
		if named != "" {
			return filepath.Abs(named)
		}
	}
	return defaultConfigPath()
}

func defaultConfigPath() (string, error) {
	dir, err := os.UserConfigDir()
	if xdg := os.Getenv("XDG_CONFIG_HOME"); err != nil && xdg != "" && !filepath.IsAbs(xdg) && runtime.GOOS != "windows" {
		dir, err = os.UserHomeDir() // a relative one is to be ignored, XDG says
		dir = filepath.Join(dir, ".config")
	}
	if err != nil {
		return "", &usageError{err: errorf("finding the config file: %v", err), hint: "set HOME, or name the file with --config"}
	}
	return filepath.Join(dir, "authctl", "config.toml"), nil
}

// stateDir holds locks, sealed files and the callback's certificate.
func stateDir() (string, error) {
	dir, err := stateDirName()
	if err == nil {
		err = checkStateDir(dir)
	}
	return dir, err
}

func stateDirName() (string, error) {
	if dir := os.Getenv("AUTHCTL_STATE_DIR"); dir != "" {
		return filepath.Abs(dir)
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "authctl"), nil
	}
	var base string
	var err error
	switch runtime.GOOS {
	case "windows":
		base, err = os.UserCacheDir() // %LocalAppData%, which does not roam
	case "darwin", "ios":
		base, err = os.UserConfigDir() // ~/Library/Application Support
	default:
		if base, err = os.UserHomeDir(); err == nil {
			base = filepath.Join(base, ".local", "state")
		}
	}
	if err != nil {
		return "", &usageError{err: errorf("finding the state directory: %v", err), hint: "set HOME, or AUTHCTL_STATE_DIR"}
	}
	return filepath.Join(base, "authctl"), nil
}

// secretName is what a profile's secrets and lock are called. Another config file
// than the default one has sessions of its own, so its path is in the name.
func secretName(profile, configPath string) string {
	if usual, err := defaultConfigPath(); err == nil && usual == configPath {
		return profile
	}
	sum := sha256.Sum256([]byte(configPath))
	return profile + "@" + hex.EncodeToString(sum[:8])
}

// checkKeyFile keeps the key from lying beside what it seals.
func checkKeyFile(p config.Profile, state string) error {
	if p.Store != "file" || p.StoreKeyFile == "" || !within(state, p.StoreKeyFile) {
		return nil
	}
	return &usageError{
		err:  errorf("the key file %s is in authctl's own state directory, beside what it seals", p.StoreKeyFile),
		hint: "choose a --store-key-file elsewhere, for example on another volume or in your own key directory",
	}
}

// within reports whether path is inside dir, symbolic links resolved where they
// exist.
func within(dir, path string) bool {
	rel, err := filepath.Rel(resolved(dir), resolved(path))
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// resolved follows the links of the part of path that exists.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if parent := filepath.Dir(path); parent != path {
		return filepath.Join(resolved(parent), filepath.Base(path))
	}
	return path
}
