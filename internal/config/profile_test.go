package config

import (
	"errors"
	"reflect"
	"testing"
)

func TestWithLaysOver(t *testing.T) {
	p := wholeProfile()
	got, err := p.With(Settings{"issuer": "b.example", "scopes": []string{"a"}, "offline": true, "audience": "", "resources": nil, "params": map[string]string{"k": "v"}, "tls_key": nil})
	want := wholeProfile()
	yes := true
	want.Issuer, want.Scopes, want.Offline, want.Audience, want.Resources, want.TLSKey = "b.example", []string{"a"}, &yes, "", nil, ""
	want.Params = map[string]string{"k": "v"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if !reflect.DeepEqual(p, wholeProfile()) {
		t.Errorf("the original changed: %+v", p)
	}
}

func TestSettingsRoundTrip(t *testing.T) {
	got, err := Profile{Name: "work"}.With(wholeProfile().Settings())
	if err != nil || !reflect.DeepEqual(got, wholeProfile()) {
		t.Errorf("got %+v, %v, want %+v", got, err, wholeProfile())
	}
	if set := (Profile{Name: "x"}).Settings(); len(set) != 0 {
		t.Errorf("got %v, want nothing", set)
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		key    string
		values []string
		want   any
	}{
		{"issuer", []string{"a", "b c"}, "b c"},
		{"issuer", nil, ""},
		{"ca_file", []string{"x y"}, "x y"},
		{"scopes", []string{"a b", "c", ""}, []string{"a", "b", "c"}},
		{"scopes", []string{""}, []string{}},
		{"offline", []string{"false"}, false},
		{"offline", []string{"1"}, true},
		{"offline", []string{""}, nil},
		{"params", []string{"a=b=c", "d="}, map[string]string{"a": "b=c", "d": ""}},
		{"params", []string{""}, map[string]string{}},
	} {
		got, err := Parse(c.key, c.values)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %q: got %#v, %v, want %#v", c.key, c.values, got, err, c.want)
		}
		if _, err := (Profile{}).With(Settings{c.key: got}); err != nil {
			t.Errorf("%s %q: %v", c.key, c.values, err)
		}
	}
	for key, value := range map[string]string{"offline": "perhaps", "params": "a", "colour": "red"} {
		_, err := Parse(key, []string{value})
		var invalid *InvalidError
		if !errors.As(err, &invalid) || invalid.Key != key {
			t.Errorf("%s %q: got %v, want an *InvalidError", key, value, err)
		}
	}
	if _, err := Parse("params", []string{"=x"}); err == nil {
		t.Error("a parameter without a name: got no error")
	}
}

func TestHeaderAndLineAreTOML(t *testing.T) {
	text := Header("a.b") + "\n"
	for key, v := range wholeProfile().Settings() {
		text += Line(key, v) + "\n"
	}
	f, err := parse("/config.toml", text)
	want := wholeProfile()
	want.Name = "a.b"
	if err != nil || !reflect.DeepEqual(f.profiles["a.b"], want) {
		t.Errorf("%s: got %v, want %+v", text, err, want)
	}
}
