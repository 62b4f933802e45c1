package idp

import (
	"crypto/rand"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"sync"
)

//go:embed page.html
var pageHTML string

var page = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Parse(pageHTML))
})

// view is what page.html shows: one of its faces.
type view struct {
	Style   string // the nonce of its style sheet and script
	Title   string
	Note    string
	Problem string

	Code   *codeView
	SignIn *signInView
	Post   *postView
}

type codeView struct{ Action, Code string }

type signInView struct {
	Action, Request, Client, Login, Password string
	Device                                   string // the code that it shows; empty: this computer
	Scopes                                   []string
}

type postView struct {
	Action string
	Params url.Values
}

func (x *exchange) signInPage(id string, req *request, status int, problem string) {
	v := &signInView{Action: "signin", Request: id, Client: req.clientID, Scopes: x.reasons(req)}
	if req.device != nil {
		v.Device = req.device.userCode
	}
	if len(x.Users) > 0 {
		v.Login, v.Password = x.Users[0].Login, x.Users[0].Password
	}
	for _, u := range x.Users {
		if req.hint == u.Login || req.hint == u.Email {
			v.Login, v.Password = u.Login, u.Password
		}
	}
	x.show(status, view{Title: "Sign in", Problem: problem, SignIn: v})
}

func (x *exchange) codePage(status int, code, problem string) {
	note := "Type the code that your other device shows."
	if code != "" {
		note = "Is this the code that your other device shows?"
	}
	x.show(status, view{Title: "Sign in a device", Note: note, Problem: problem, Code: &codeView{"device", code}})
}

// reasons says in plain words what the scopes give away.
func (x *exchange) reasons(req *request) []string {
	words := map[string]string{
		"openid":         "Know who you are",
		"profile":        "See your name",
		"email":          "See your e-mail address",
		"offline_access": "Stay signed in",
	}
	var reasons []string
	for _, scope := range req.scopes {
		reasons = append(reasons, words[scope])
	}
	return reasons
}

func (x *exchange) errorPage(problem string) {
	x.show(http.StatusBadRequest, view{Title: "That didn’t work", Problem: problem})
}

// formPostPage sends the response as a form, OAuth 2.0 Form Post Response Mode §2.
func (x *exchange) formPostPage(redirectURI string, params url.Values) {
	x.show(http.StatusOK, view{Title: "One moment", Post: &postView{redirectURI, params}})
}

// show writes a page. The policy has no form-action: browsers hold it against
// the redirect after the form too, which goes to the client's own address.
func (x *exchange) show(status int, v view) {
	v.Style = rand.Text()
	h := x.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+v.Style+"'; script-src 'nonce-"+v.Style+"'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	x.w.WriteHeader(status)
	page().Execute(x.w, v) // the browser has gone if this fails
}
