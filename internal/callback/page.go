package callback

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"io"
	"net/http"
	"strconv"
)

// Page says how the sign-in ended. Its texts may come from anywhere: they are
// escaped, and stand in a page without script or remote parts.
type Page struct {
	OK                     bool
	Title, Message, Detail string // one line, what to do now, small print; Detail may be empty
}

const (
	check = `<path d="M15 24.5l6.5 6.5L34 18"/>`
	cross = `<path d="M17 17l14 14M31 17L17 31"/>`
)

// write answers with the page and its length, so that a browser knows it has it all.
func (p Page) write(w http.ResponseWriter) {
	text := p.html()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy(style))
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	io.WriteString(w, text)
}

func (p Page) html() string {
	class, mark := "ok", check
	if !p.OK {
		class, mark = "no", cross
	}
	detail := ""
	if p.Detail != "" {
		detail = `<p class="detail" dir="auto">` + html.EscapeString(p.Detail) + "</p>\n"
	}
	return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>` + html.EscapeString(p.Title) + `</title>
<style>` + style + `</style>
<body class="` + class + `">
<main>
<svg viewBox="0 0 48 48" width="72" height="72" aria-hidden="true"><circle cx="24" cy="24" r="22"/>` + mark + `</svg>
<h1 dir="auto">` + html.EscapeString(p.Title) + `</h1>
<p dir="auto">` + html.EscapeString(p.Message) + "</p>\n" + detail + `</main>
</body>
</html>
`
}

// policy is a Content-Security-Policy that allows nothing but one inline style.
func policy(style string) string {
	allowed := "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	if style == "" {
		return allowed
	}
	sum := sha256.Sum256([]byte(style))
	return allowed + "; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
