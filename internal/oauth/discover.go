package oauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Discover finds out where the provider is: in its document (OpenID Connect
// Discovery §4, then RFC 8414 §3.1), in what was set explicitly, which wins, or,
// where there is neither, under ISSUER/oauth2/. Without an issuer nothing is
// asked for. No error holds what is known of an earlier sign-in there.
//
// Errors are *ConfigError, *InsecureError, *CheckError and *UnreachableError.
func Discover(ctx context.Context, hc *http.Client, issuer string, explicit Endpoints, known ...string) (*Metadata, error) {
	m, err := discover(ctx, hc, issuer, explicit)
	return m, Secrets(known).cleanError(err)
}

func discover(ctx context.Context, hc *http.Client, issuer string, explicit Endpoints) (*Metadata, error) {
	m, err := find(ctx, hc, issuer, explicit)
	if err != nil {
		return nil, err
	}
	m.override(explicit)
	if err := m.check(explicit); err != nil {
		return nil, err
	}
	return m, nil
}

func find(ctx context.Context, hc *http.Client, issuer string, explicit Endpoints) (*Metadata, error) {
	if issuer == "" {
		return &Metadata{Source: SourceConfigured}, nil
	}
	places, err := wellKnown(issuer)
	if err != nil {
		return nil, err
	}
	var failed error // what is wrong with the first place counts, where the second has nothing
	for _, place := range places {
		m, err := read(ctx, hc, place)
		if check := (*CheckError)(nil); err != nil && !errors.As(err, &check) {
			return nil, err
		}
		if m == nil {
			failed = cmp.Or(failed, err)
			continue
		}
		if err := sameIssuer(issuer, m.Issuer); err != nil {
			return nil, err
		}
		return m, m.checkPlain(issuer, explicit)
	}
	// Whoever set both endpoints by hand said that the provider has no document: then anything
	// but a document counts as none, a web page for instance.
	if failed != nil && (explicit.Authorization == "" || explicit.Token == "") {
		return nil, failed
	}
	return undocumented(issuer, explicit), nil
}

// undocumented is a provider whose documents are both missing.
func undocumented(issuer string, explicit Endpoints) *Metadata {
	if explicit.Authorization != "" || explicit.Token != "" {
		return &Metadata{Issuer: issuer, Source: SourceConfigured}
	}
	base := strings.TrimSuffix(issuer, "/")
	return &Metadata{
		Issuer:                issuer,
		AuthorizationEndpoint: base + "/oauth2/authorize",
		TokenEndpoint:         base + "/oauth2/token",
		Source:                SourceDefaultPaths,
	}
}

// wellKnown are the two places of a document: OpenID puts its name after the
// issuer's path, RFC 8414 §3.1 before it.
func wellKnown(issuer string) ([]string, error) {
	if err := checkURL("issuer", issuer); err != nil {
		return nil, err
	}
	u, err := url.Parse(issuer)
	if err != nil || u.RawQuery != "" || u.ForceQuery {
		return nil, &ConfigError{"issuer", fmt.Sprintf("%q has a query", printable(issuer))}
	}
	root := u.Scheme + "://" + u.Host
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	return []string{
		root + path + "/.well-known/openid-configuration",
		root + "/.well-known/oauth-authorization-server" + path,
	}, nil
}

// read is the document at place; nil when there is none. What is no document, a web page for
// instance, is a *CheckError.
func read(ctx context.Context, hc *http.Client, place string) (*Metadata, error) {
	a, err := get(ctx, hc, "discovery", place)
	if err != nil || a.status == http.StatusNotFound {
		return nil, err
	}
	if !a.isSuccess() {
		return nil, &CheckError{What: "discovery", Why: place + " " + a.statusLine()}
	}
	m, err := parse(a.body, place)
	if err != nil {
		return nil, &CheckError{What: "discovery", Why: place + " " + err.Error()}
	}
	return m, nil
}

// get is a GET whose answer is not "try later".
func get(ctx context.Context, hc *http.Client, op, place string) (*answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, place, nil)
	if err != nil {
		return nil, &ConfigError{op, "no URL"}
	}
	a, err := send(hc, op, r)
	if err != nil {
		return nil, err
	}
	if a.isTemporary() {
		return nil, a.unreachable(a.statusLine())
	}
	return a, nil
}

// sameIssuer: another issuer's document must not be used (RFC 8414 §3.3). A
// trailing slash is too easily typed or left out to make a difference here;
// wherever iss is compared later, the document's spelling counts.
func sameIssuer(typed, found string) error {
	if strings.TrimSuffix(typed, "/") == strings.TrimSuffix(found, "/") {
		return nil
	}
	why := fmt.Sprintf("the metadata of %s are those of %s", typed, printable(found))
	if strings.Contains(found, "{tenantid}") { // Microsoft's, for "common" and "organizations"
		why += ", which stands for any tenant: put the ID of yours into the issuer"
	}
	return &CheckError{What: "discovery", Why: why}
}
