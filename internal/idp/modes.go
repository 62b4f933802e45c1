package idp

import (
	"maps"
	"net/url"
	"slices"
	"time"
)

// mode is one wrong behaviour, or an odd one that a client has to bear: each hook
// changes what the honest code made just before it goes out. A mode sets the hooks
// that it needs.
type mode struct {
	metadata edit
	keys     edit // the JWK set
	response func(x *exchange, q url.Values)
	fragment bool                                     // the response comes behind a #
	again    bool                                     // the browser sends the sign-in form on with the response
	decide   string                                   // the error that the authorization endpoint gives without a page
	claims   edit                                     // the ID token's, before it is signed
	renewed  edit                                     // the same, at a renewal only
	payload  func(json string) string                 // the ID token's as text, before it is signed
	sign     func(x *exchange, payload []byte) string // instead of an honest signature on the ID token
	answer   edit                                     // the token endpoint's good answer
	userinfo edit
	device   edit                                            // the device authorization endpoint's good answer
	poll     string                                          // the error that a device's poll gets
	text     func(x *exchange, endpoint, json string) string // a good answer as text
	instead  map[string]func(x *exchange)                    // of an honest answer, by endpoint
}

// edit changes one of the JSON objects that the provider gives away.
type edit func(x *exchange, m map[string]any)

// The endpoints that a mode can answer for.
const (
	atDiscovery = "discovery"
	atKeys      = "keys"
	atToken     = "token"
	atDevice    = "device_authorization"
	atUserinfo  = "userinfo"
	atRevoke    = "revoke"
)

// modes are all of them. Names say what a client must notice.
var modes = together(badModes(), discoveryModes, responseModes, deviceModes, idTokenModes, keyModes, tokenModes, textModes())

func together(tables ...map[string]mode) map[string]mode {
	all := map[string]mode{}
	for _, table := range tables {
		for name, m := range table {
			if _, twice := all[name]; twice {
				panic("idp: two modes are called " + name)
			}
			all[name] = m
		}
	}
	return all
}

// Modes lists the names of the wrong behaviours.
func Modes() []string { return slices.Sorted(maps.Keys(modes)) }

// at answers for an endpoint.
func at(endpoint string, answer func(*exchange)) mode {
	return mode{instead: map[string]func(*exchange){endpoint: answer}}
}

func set(name string, value any) edit {
	return func(_ *exchange, m map[string]any) { m[name] = value }
}

func without(name string) edit {
	return func(_ *exchange, m map[string]any) { delete(m, name) }
}

func shift(name string, d time.Duration) edit {
	return func(_ *exchange, m map[string]any) { m[name] = m[name].(int64) + int64(d/time.Second) }
}

// suffix puts more behind a text.
func suffix(name, more string) edit {
	return func(_ *exchange, m map[string]any) { m[name] = m[name].(string) + more }
}

// wrong yields the modes that are on, in the order of their names.
func (o *Options) wrong() []mode {
	var on []mode
	for _, name := range slices.Sorted(maps.Keys(o.Modes)) {
		if o.Modes[name] {
			on = append(on, modes[name])
		}
	}
	return on
}

// edited applies a hook of every mode that is on.
func (x *exchange) edited(m map[string]any, hook func(mode) edit) map[string]any {
	for _, wrong := range x.wrong() {
		if change := hook(wrong); change != nil {
			change(x, m)
		}
	}
	return m
}

// instead answers for an endpoint if a mode does.
func (x *exchange) instead(endpoint string) bool {
	for _, wrong := range x.wrong() {
		if answer := wrong.instead[endpoint]; answer != nil {
			answer(x)
			return true
		}
	}
	return false
}
