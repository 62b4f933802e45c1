package main

import "testing"

// net/http takes more for a proxy's address than it can use: what it doesn't understand it
// leaves out, and asks the host itself.
func TestIsProxy(t *testing.T) {
	for setting, want := range map[string]bool{
		"http://proxy.example.com:3128":       true,
		"http://proxy.example.com:3128/":      true,
		"https://proxy.example.com":           true,
		"socks5://127.0.0.1:1080":             true,
		"socks5h://[::1]:1080":                true,
		"proxy.example.com:3128":              true,
		"proxy.example.com":                   true,
		"[::1]:3128":                          true,
		"ada:word@proxy.example.com:3128":     true,
		"http://ada:p%40ss%23@proxy:3128":     true,
		"http://ada:p@ss@proxy:3128":          true,
		"http://ada:pa#ss@proxy:3128":         false,
		"http://ada:1#2@proxy:3128":           false,
		"http://ada:1/2@proxy:3128":           false,
		"http://ada:1?2@proxy:3128":           false,
		"ada:1#2@proxy:3128":                  false,
		"http://ada:%zz@proxy:3128":           false,
		"http://ada:p ss@proxy:3128":          false,
		"http://":                             false,
		"http:///proxy":                       false,
		"http://:3128":                        false,
		"http:proxy:3128":                     false,
		"ftp://proxy:3128":                    false,
		"socks4://proxy:1080":                 false,
		"http://proxy:3128/wpad.dat":          false,
		"http://proxy:port":                   false,
		"http://first:3128,http://other:3128": false,
		" ":                                   false,
	} {
		if got := isProxy(setting); got != want {
			t.Errorf("%q: got %t, want %t", setting, got, want)
		}
	}
}
