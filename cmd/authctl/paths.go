package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"
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
	if err != nil {
		return "", &usageError{err: errorf("finding the config file: %v", err), hint: "set HOME, or name the file with --config"}
	}
	return filepath.Join(dir, "authctl", "config.toml"), nil
}

// stateDir holds locks, sealed files and the callback's certificate.
func stateDir() (string, error) {
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
