package main

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"html/template"
	"regexp"
	"strings"
)

//go:embed window.html
var windowHTML string

// window is what window.html shows: a terminal's lines or a browser's page.
type window struct {
	Lines   []line
	Host    string
	Picture template.URL
}

type line struct {
	Typed bool
	Text  string
}

func terminalWindow(text string) []byte {
	var w window
	for text := range strings.SplitSeq(shorten(text), "\n") {
		typed, is := strings.CutPrefix(text, prompt)
		w.Lines = append(w.Lines, line{is, typed})
	}
	return w.html()
}

func pageWindow(p *page) []byte {
	picture := "data:image/png;base64," + base64.StdEncoding.EncodeToString(p.picture)
	return window{Host: p.host, Picture: template.URL(picture)}.html()
}

func (w window) html() []byte {
	var out bytes.Buffer
	if err := template.Must(template.New("window").Parse(windowHTML)).Execute(&out, w); err != nil {
		panic(err) // only a mistake in window.html comes here
	}
	return out.Bytes()
}

// shorten cuts the certificate's fingerprint, which is longer than the rest.
func shorten(text string) string {
	return regexp.MustCompile(`((?:[0-9A-F]{2}:){4})[0-9A-F:]+`).ReplaceAllString(text, "$1…")
}
