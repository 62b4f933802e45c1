// Package robot is a browser for machines without one: it fetches a page,
// presses the button of its form as it is filled in, follows redirects, keeps
// cookies, and reads the page where that ends. No scripts, no pictures.
package robot

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// Options says what the robot does with the pages that it meets.
type Options struct {
	Press       string            // the name or value of the button to press; the first one by default
	Fill        map[string]string // field values by name, in place of what the page filled in
	Fingerprint string            // SHA-256 of the only certificate to accept on loopback, AA:BB:…
	Insecure    bool              // accept any certificate on loopback
	Steps       int               // forms to send before giving up; 10 by default
	Timeout     time.Duration     // for everything together; 60s by default
}

// Page is where a visit ended.
type Page struct {
	URL    string // without query and fragment, which may hold secrets
	Status int
	Title  string
	Text   string // what a person would read, lines trimmed
	Raw    string // headers and HTML, as they came
}

const pageLimit = 1 << 20 // bytes

// Visit opens an address and sends form after form until a page has none, or
// refuses. An error says that no page was reached; an error page is none.
func Visit(ctx context.Context, address string, o Options) (*Page, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(o.Timeout, time.Minute))
	defer cancel()
	client := newClient(o)
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("the address can't be read")
	}
	for range cmp.Or(o.Steps, 10) {
		at, body, err := open(client, request)
		if err != nil {
			return nil, err
		}
		doc, err := html.Parse(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		f := findForm(doc)
		if f == nil || at.StatusCode >= http.StatusBadRequest {
			return read(at, body, doc), nil
		}
		if request, err = f.submit(ctx, at.Request.URL, o); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("there is a form behind every form")
}

func newClient(o Options) *http.Client {
	jar, _ := cookiejar.New(nil) // its error is always nil
	return &http.Client{Jar: jar, Transport: &http.Transport{DialTLSContext: o.dialTLS}}
}

// open fetches one page, redirects followed.
func open(client *http.Client, request *http.Request) (*http.Response, []byte, error) {
	response, err := client.Do(request)
	if err != nil {
		return nil, nil, bare(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, pageLimit))
	if err != nil {
		return nil, nil, fmt.Errorf("reading the page at %s: %w", clean(response.Request.URL), err)
	}
	return response, body, nil
}

// bare takes the query, where codes are, out of an error's address.
func bare(err error) error {
	var failed *url.Error
	if !errors.As(err, &failed) {
		return err
	}
	u, bad := url.Parse(failed.URL)
	if bad != nil {
		return failed.Err
	}
	return fmt.Errorf("opening %s: %w", clean(u), failed.Err)
}

func clean(u *url.URL) string {
	c := *u
	c.RawQuery, c.Fragment, c.User = "", "", nil
	return c.String()
}

func read(response *http.Response, body []byte, doc *html.Node) *Page {
	var raw strings.Builder
	response.Header.Write(&raw) // into memory
	raw.WriteString("\r\n" + string(body))
	p := &Page{URL: clean(response.Request.URL), Status: response.StatusCode, Raw: raw.String()}
	if title := find(doc, "title"); title != nil {
		p.Title = strings.TrimSpace(text(title))
	}
	if body := find(doc, "body"); body != nil {
		p.Text = tidy(text(body))
	}
	return p
}

func tidy(s string) string {
	var lines []string
	for line := range strings.Lines(s) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}
