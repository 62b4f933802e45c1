// Package e2e holds tests only, on real parts: the built authctl, Chromium,
// gnome-keyring, a real terminal, and two providers: panva's oidc-provider, whose
// authors know nothing of us, and the demonstration provider.
package e2e
