package robot

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// form is a page's first form, as it is filled in.
type form struct {
	method, action string
	values         url.Values
	buttons        []button
}

type button struct{ name, value, label string }

func findForm(doc *html.Node) *form {
	n := find(doc, "form")
	if n == nil {
		return nil
	}
	f := &form{method: strings.ToUpper(attr(n, "method")), action: attr(n, "action"), values: url.Values{}}
	for field := range n.Descendants() {
		f.add(field)
	}
	return f
}

// add takes up a control, as HTML's "constructing the entry list" does for those
// that sign-in pages have.
func (f *form) add(n *html.Node) {
	if n.Type != html.ElementNode || has(n, "disabled") {
		return
	}
	name, value := attr(n, "name"), attr(n, "value")
	kind := strings.ToLower(attr(n, "type"))
	switch {
	case n.Data == "button" && (kind == "" || kind == "submit"), n.Data == "input" && kind == "submit":
		f.buttons = append(f.buttons, button{name, value, strings.TrimSpace(text(n))})
	case n.Data != "input" || name == "" || kind == "button" || kind == "reset" || kind == "image":
	case (kind == "checkbox" || kind == "radio") && !has(n, "checked"):
	default:
		f.values.Add(name, value)
	}
}

func (f *form) submit(ctx context.Context, page *url.URL, o Options) (*http.Request, error) {
	target, err := page.Parse(f.action)
	if err != nil {
		return nil, fmt.Errorf("the form on %s has no readable address", clean(page))
	}
	for name, value := range o.Fill {
		if f.values.Has(name) {
			f.values.Set(name, value)
		}
	}
	if err := f.press(o.Press); err != nil {
		return nil, fmt.Errorf("%w on %s", err, clean(page))
	}
	if f.method != http.MethodPost {
		target.RawQuery = f.values.Encode()
		return http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader(f.values.Encode()))
	if err == nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return request, err
}

// press adds the wanted button's value. A form with one button has no choice.
func (f *form) press(wanted string) error {
	for _, b := range f.buttons {
		if wanted == "" || len(f.buttons) == 1 || wanted == b.name || wanted == b.value || wanted == b.label {
			if b.name != "" {
				f.values.Set(b.name, b.value)
			}
			return nil
		}
	}
	if wanted == "" {
		return nil
	}
	return fmt.Errorf("no button %q", wanted)
}

func find(n *html.Node, tag string) *html.Node {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.Data == tag {
			return d
		}
	}
	return nil
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

// text is what a person would read below n; blocks end their lines.
func text(n *html.Node) string {
	switch {
	case n.Type == html.TextNode:
		return strings.Join(strings.FieldsFunc(n.Data, func(r rune) bool { return r == '\n' }), " ")
	case n.Type == html.ElementNode && (n.Data == "style" || n.Data == "script"):
		return ""
	}
	var b strings.Builder
	for c := range n.ChildNodes() {
		b.WriteString(text(c))
	}
	if n.Type == html.ElementNode && isBlock(n.Data) {
		b.WriteString("\n")
	}
	return b.String()
}

func isBlock(tag string) bool {
	switch tag {
	case "p", "div", "h1", "h2", "h3", "li", "tr", "dt", "dd", "br", "section", "header", "footer", "main", "form", "label", "button":
		return true
	}
	return false
}
