package config

import (
	"maps"
	"slices"
)

// setting ties a key to its place in one profile.
type setting struct {
	Key
	at any // *string, **bool, *[]string or *map[string]string
}

// table is the one list of what a profile holds.
func (p *Profile) table() []setting {
	return []setting{
		{Key{"issuer", String}, &p.Issuer},
		{Key{"authorization_url", String}, &p.AuthorizationURL},
		{Key{"token_url", String}, &p.TokenURL},
		{Key{"jwks_url", String}, &p.JWKSURL},
		{Key{"userinfo_url", String}, &p.UserinfoURL},
		{Key{"revocation_url", String}, &p.RevocationURL},
		{Key{"device_authorization_url", String}, &p.DeviceAuthorizationURL},
		{Key{"client_id", String}, &p.ClientID},
		{Key{"scopes", List}, &p.Scopes},
		{Key{"offline", Bool}, &p.Offline},
		{Key{"redirect_uri", String}, &p.RedirectURI},
		{Key{"tls_cert", Path}, &p.TLSCert},
		{Key{"tls_key", Path}, &p.TLSKey},
		{Key{"audience", String}, &p.Audience},
		{Key{"resources", List}, &p.Resources},
		{Key{"params", Map}, &p.Params},
		{Key{"ca_file", Path}, &p.CAFile},
		{Key{"store", String}, &p.Store},
		{Key{"store_key_file", Path}, &p.StoreKeyFile},
		{Key{"store_timeout", String}, &p.StoreTimeout},
		{Key{"kernel_cache", Bool}, &p.KernelCache},
	}
}

// setting finds a key's place, or one without a place.
func (p *Profile) setting(key string) setting {
	for _, s := range p.table() {
		if s.Name == key {
			return s
		}
	}
	return setting{}
}

// value returns what is set, or nil.
func (s setting) value() any {
	switch at := s.at.(type) {
	case *string:
		if *at != "" {
			return *at
		}
	case **bool:
		if *at != nil {
			return **at
		}
	case *[]string:
		if *at != nil {
			return slices.Clone(*at)
		}
	case *map[string]string:
		if *at != nil {
			return maps.Clone(*at)
		}
	}
	return nil
}

// assign puts v there, nil unsets; false: v is of another kind.
func (s setting) assign(v any) bool {
	switch at := s.at.(type) {
	case *string:
		return put(at, v)
	case **bool:
		b, ok := v.(bool)
		if *at = &b; v == nil {
			*at = nil
		}
		return ok || v == nil
	case *[]string:
		ok := put(at, v)
		*at = slices.Clone(*at)
		return ok
	case *map[string]string:
		ok := put(at, v)
		*at = maps.Clone(*at)
		return ok
	}
	return false
}

// put assigns v, or nil as the zero value.
func put[T any](at *T, v any) bool {
	t, ok := v.(T)
	if ok || v == nil {
		*at = t
	}
	return ok || v == nil
}
