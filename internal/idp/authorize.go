package idp

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// request is an authorization request that waits for the user's word.
type request struct {
	clientID, redirectURI, state, nonce, challenge string

	formPost  bool     // OAuth 2.0 Form Post Response Mode
	hint      string   // login_hint
	scopes    []string // asked for and known
	audience  string
	resources []string // RFC 8707
	cookie    string   // the browser that the page was shown to
	device    *device  // that waits for the answer; nil: the browser takes it back
	expires   time.Time
}

// authorize is the authorization endpoint. What makes the redirect URI itself
// doubtful is shown here and never sent there, RFC 6749 §4.1.2.1.
func (x *exchange) authorize() {
	if err := x.r.ParseForm(); err != nil || x.r.Method != http.MethodGet && x.r.Method != http.MethodPost {
		x.errorPage("The request can't be read.")
		return
	}
	q := x.r.Form
	switch {
	case q.Get("client_id") != x.ClientID:
		x.errorPage("No client with this ID is registered here.")
		return
	case len(q["redirect_uri"]) != 1 || !x.allows(q.Get("redirect_uri")):
		x.errorPage("This redirect URI is not registered for the client.")
		return
	}
	req := x.parse(q)
	x.remember("state", req.state)
	x.remember("nonce", req.nonce)
	if code, text := x.check(q); code != "" {
		x.respond(req, url.Values{"error": {code}, "error_description": {text}})
		return
	}
	x.ask(req)
}

func (x *exchange) parse(q url.Values) *request {
	return &request{
		clientID:    q.Get("client_id"),
		redirectURI: q.Get("redirect_uri"),
		state:       q.Get("state"),
		nonce:       q.Get("nonce"),
		challenge:   q.Get("code_challenge"),
		formPost:    q.Get("response_mode") == "form_post",
		hint:        q.Get("login_hint"),
		scopes:      intersect(strings.Fields(q.Get("scope")), x.scopes()),
		audience:    q.Get("audience"),
		resources:   q["resource"],
		expires:     x.now().Add(10 * time.Minute),
	}
}

// check returns the error code of a request that can't be granted.
func (x *exchange) check(q url.Values) (code, text string) {
	for name, values := range q {
		if len(values) > 1 && name != "resource" { // RFC 6749 §3.1
			return "invalid_request", name + " is there more than once"
		}
	}
	for _, wrong := range x.wrong() {
		if wrong.decide != "" {
			return wrong.decide, "the user said no"
		}
	}
	switch {
	case q.Get("response_type") != "code":
		return "unsupported_response_type", "response_type must be code"
	case !slices.Contains([]string{"", "query", "form_post"}, q.Get("response_mode")):
		return "invalid_request", "response_mode must be query or form_post"
	case q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43: // RFC 7636 §4.2
		return "invalid_request", "PKCE with S256 is required"
	case q.Get("prompt") == "none": // nobody is ever signed in beforehand
		return "login_required", "there is no session"
	}
	return "", ""
}

// ask shows the sign-in page. The form holds a secret that is also in a cookie,
// so that no other site can send it for the user.
func (x *exchange) ask(req *request) {
	req.cookie = x.browser()
	id := rand.Text()
	x.mu.Lock()
	x.pending[id] = req
	x.mu.Unlock()
	x.signInPage(id, req, http.StatusOK, "")
}

const browserCookie = "idp_browser"

// browser tells one browser from another: the value of a cookie that only it has.
func (x *exchange) browser() string {
	if c, err := x.r.Cookie(browserCookie); err == nil && len(c.Value) >= 26 {
		return c.Value
	}
	value := rand.Text()
	http.SetCookie(x.w, &http.Cookie{
		Name: browserCookie, Value: value, Path: "/",
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(x.issuer, "https:"),
	})
	return value
}

// signIn takes the sign-in page's form.
func (x *exchange) signIn() {
	if x.r.Method != http.MethodPost || x.r.ParseForm() != nil {
		x.errorPage("The form can't be read.")
		return
	}
	id := x.r.PostForm.Get("request")
	req := x.asked(id)
	if req == nil {
		x.errorPage("This sign-in has ended, or began in another browser. Please start again.")
		return
	}
	if x.r.PostForm.Get("action") == "cancel" {
		x.forget(id)
		x.decline(req)
		return
	}
	user := x.user(x.r.PostForm.Get("login"), x.r.PostForm.Get("password"))
	if user == nil {
		x.signInPage(id, req, http.StatusUnauthorized, "That name and password don't belong together.")
		return
	}
	x.forget(id)
	x.accept(req, user)
}

func (x *exchange) accept(req *request, user *User) {
	if req.device != nil {
		x.decide(req.device, user)
		return
	}
	x.respond(req, url.Values{"code": {x.issueCode(req, user)}})
}

func (x *exchange) decline(req *request) {
	if req.device != nil {
		x.decide(req.device, nil)
		return
	}
	x.respond(req, url.Values{"error": {"access_denied"}, "error_description": {"the user said no"}})
}

// asked finds the request that this browser was asked about.
func (x *exchange) asked(id string) *request {
	cookie, err := x.r.Cookie(browserCookie)
	x.mu.Lock()
	defer x.mu.Unlock()
	req := x.pending[id]
	if err != nil || req == nil || cookie.Value != req.cookie || !x.now().Before(req.expires) {
		return nil
	}
	return req
}

func (x *exchange) forget(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.pending, id)
}

func (x *exchange) user(login, password string) *User {
	for i, u := range x.Users {
		if u.Login == login && u.Password == password {
			return &x.Users[i]
		}
	}
	return nil
}

// respond sends the browser back to the client, RFC 6749 §4.1.2 and RFC 9207 §2.
func (x *exchange) respond(req *request, params url.Values) {
	if req.state != "" {
		params.Set("state", req.state)
	}
	params.Set("iss", x.issuer)
	join, status := "?", http.StatusSeeOther
	if strings.Contains(req.redirectURI, "?") {
		join = "&"
	}
	for _, wrong := range x.wrong() {
		if wrong.response != nil {
			wrong.response(x, params)
		}
		if wrong.fragment {
			join = "#"
		}
		if wrong.again {
			status = http.StatusTemporaryRedirect
		}
	}
	if req.formPost {
		x.formPostPage(req.redirectURI, params)
		return
	}
	http.Redirect(x.w, x.r, req.redirectURI+join+params.Encode(), status)
}

func intersect(asked, known []string) []string {
	return slices.DeleteFunc(slices.Clone(asked), func(s string) bool { return !slices.Contains(known, s) })
}

// random is unguessable text of at least n characters, 256 bits of it real.
func random(n int) string {
	b := make([]byte, max(32, n*3/4+1))
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}
