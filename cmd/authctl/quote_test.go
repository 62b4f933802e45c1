package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestShellQuote(t *testing.T) {
	for in, want := range map[string]string{
		"abc": `'abc'`, "": `''`, `it's`: `'it'\''s'`, "$(x)`y`\"\\": "'$(x)`y`\"\\'", "'": `''\'''`,
	} {
		if got := shellQuote(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestCurlQuote(t *testing.T) {
	for in, want := range map[string]string{
		"abc": `"abc"`, `a"b`: `"a\"b"`, `a\b`: `"a\\b"`, `\"`: `"\\\""`, "#=": `"#="`,
	} {
		if got := curlQuote(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestWithConfig(t *testing.T) {
	for name, c := range map[string]struct{ args, want []string }{
		"none":             {nil, []string{"--config", configPath}},
		"a URL":            {[]string{"https://a"}, []string{"--config", configPath, "https://a"}},
		"-q stays first":   {[]string{"-q", "https://a"}, []string{"-q", "--config", configPath, "https://a"}},
		"--disable too":    {[]string{"--disable", "-v"}, []string{"--disable", "--config", configPath, "-v"}},
		"-q later is none": {[]string{"-v", "-q"}, []string{"--config", configPath, "-v", "-q"}},
		"two requests":     {[]string{"a", "--next", "b"}, []string{"--config", configPath, "a", "--next", "--config", configPath, "b"}},
		"three of them":    {[]string{"-q", "a", "-:", "b", "--next"}, []string{"-q", "--config", configPath, "a", "-:", "--config", configPath, "b", "--next", "--config", configPath}},
		"letters, and -:":  {[]string{"a", "-sS:", "b", "--nex", "c"}, []string{"--config", configPath, "a", "-sS:", "--config", configPath, "b", "--nex", "--config", configPath, "c"}},
		"after -- URLs":    {[]string{"-s", "--", "a", "--next"}, []string{"--config", configPath, "-s", "--", "a", "--next"}},
		"no such letters":  {[]string{"a:", "--x:", "--ne", "-d", "b:"}, []string{"--config", configPath, "a:", "--x:", "--ne", "-d", "b:"}},
		"one of their own": {[]string{"--config", "mine"}, []string{"--config", configPath, "--config", "mine"}},
	} {
		t.Run(name, func(t *testing.T) {
			typed := slices.Clone(c.args)
			if got := withConfig(c.args); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if !slices.Equal(c.args, typed) {
				t.Errorf("what was typed has become %q", c.args)
			}
		})
	}
}

func TestBrowserArgs(t *testing.T) {
	spaced := filepath.Join(t.TempDir(), "My Browser.exe")
	if err := os.WriteFile(spaced, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	const url = "https://a.example/?x=%s&y=1"
	for name, c := range map[string]struct {
		command string
		want    []string
	}{
		"a name":              {"firefox", []string{"firefox", url}},
		"with flags":          {"firefox --private-window", []string{"firefox", "--private-window", url}},
		"in place of %s":      {"chromium --app=%s --new", []string{"chromium", "--app=" + url, "--new"}},
		"%s twice":            {"open %s %s", []string{"open", url, url}},
		"quotes":              {`open -a "Google Chrome" 'x y'`, []string{"open", "-a", "Google Chrome", "x y", url}},
		"empty quotes":        {`open "" %s`, []string{"open", "", url}},
		"a quote in the word": {`open --a="b c"`, []string{"open", "--a=b c", url}},
		"spaces and tabs":     {"  open \t -a ", []string{"open", "-a", url}},
		"%s is no program":    {"%s", []string{"%s", url}},
		"nothing":             {"", []string{"", url}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := browserArgs(c.command, url); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	t.Run("a path with a space", func(t *testing.T) {
		if got := browserArgs(spaced, url); len(got) != 2 || got[0] != spaced {
			t.Errorf("got %q, want the path and the URL", got)
		}
	})
}

func TestWithVariable(t *testing.T) {
	got := withVariable([]string{"A=1", "ACCESS_TOKEN=old", "ACCESS_TOKEN_X=2", "ACCESS_TOKEN="}, "ACCESS_TOKEN", "new")
	if want := []string{"A=1", "ACCESS_TOKEN_X=2", "ACCESS_TOKEN=new"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
