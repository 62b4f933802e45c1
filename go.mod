module github.com/authctl/authctl

go 1.26.0

// What authctl is made of. Each module is imported by the one package that is named.
require (
	github.com/BurntSushi/toml v1.6.0 // config: positions in errors, and keys that nobody knows
	github.com/boombuler/barcode v1.1.0 // cmd/authctl: a QR code's modules; released in 2025, imports the standard library alone
	github.com/coreos/go-oidc/v3 v3.21.0 // oauth: the ID token's checks
	github.com/go-jose/go-jose/v4 v4.1.8 // oauth, and idp: JOSE; never a hand-rolled JWT
	github.com/godbus/dbus/v5 v5.2.4 // store: is the keychain there, and unlocked; comes with go-keyring
	github.com/gofrs/flock v0.13.1 // session and config: a lock that the kernel frees, on every system
	github.com/pkg/browser v0.0.0-20240102092130-5ac0b6a4141c // cmd/authctl: the desktop's own browser
	github.com/spf13/cobra v1.10.2 // cmd/authctl: commands, flags, completion
	github.com/zalando/go-keyring v0.2.8 // store: the keychains of Linux, macOS and Windows
	golang.org/x/crypto v0.58.0 // store: argon2id (RFC 9106), which makes a key of a passphrase
	golang.org/x/oauth2 v0.37.0 // oauth: authorization URL, PKCE, exchange, refresh
	golang.org/x/sys v0.49.0 // cmd/authctl: terminal modes; store: the kernel's keyring; store, atomicfile: error codes and access lists of Windows; e2e: a tracer, and the benchmark's files
	golang.org/x/term v0.47.0 // cmd/authctl: is a person there
)

// What only the demo and the tests are made of.
require (
	github.com/chromedp/cdproto v0.159.0 // the types of chromedp
	github.com/chromedp/chromedp v0.23.0 // e2e: a real browser
	github.com/creack/pty v1.1.24 // e2e and cmd/authctl: a real terminal
	github.com/rogpeppe/go-internal v1.16.0 // cmd/authctl: scripts of what a user would notice
	golang.org/x/net v0.62.0 // robot: the forms of a page
)

require (
	github.com/danieljoos/wincred v1.2.3 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
	golang.org/x/tools v0.26.0 // indirect
)
