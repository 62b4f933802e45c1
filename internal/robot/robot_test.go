package robot

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// site serves a form at /, what was sent to it at /sent, and some odd pages.
func site() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "browser", Value: "crumb"})
		io.WriteString(w, `<title>Sign in</title><form method="post" action="sent">
			<input type="hidden" name="id" value="7"><input name="login" value="ada">
			<input type="checkbox" name="stay" value="yes" checked><input type="checkbox" name="mail" value="yes">
			<input name="off" value="x" disabled><button type="button" name="no" value="1">Show</button>
			<button name="action" value="go">Go on</button><input type="submit" name="cancel" value="Cancel"></form>`)
	})
	mux.HandleFunc("POST /sent", func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		if c, err := r.Cookie("browser"); err == nil {
			r.PostForm.Set("cookie", c.Value)
		}
		http.Redirect(w, r, "/end?"+r.PostForm.Encode(), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /end", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "<title> The\nend </title><style>p{}</style><h1>Sent</h1><p>%s\n  and <b>done</b></p><script>1</script>", r.URL.RawQuery)
	})
	mux.HandleFunc("GET /loop", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `<form><button>Again</button></form>`) })
	mux.HandleFunc("GET /refused", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `<form><button>Again</button></form>`)
	})
	mux.HandleFunc("GET /lost", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.1:1/callback?code=secret", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	return mux
}

func TestVisit(t *testing.T) {
	server := httptest.NewServer(site())
	defer server.Close()
	for _, test := range []struct {
		name    string
		options Options
		want    string // what the site was sent
	}{
		{"as filled in", Options{}, "action=go&cookie=crumb&id=7&login=ada&stay=yes"},
		{"a button by name", Options{Press: "cancel"}, "cancel=Cancel&cookie=crumb&id=7&login=ada&stay=yes"},
		{"a button by label", Options{Press: "Go on"}, "action=go&cookie=crumb&id=7&login=ada&stay=yes"},
		{"a button by value", Options{Press: "go"}, "action=go&cookie=crumb&id=7&login=ada&stay=yes"},
		{"filled anew", Options{Fill: map[string]string{"login": "grace", "absent": "x"}}, "action=go&cookie=crumb&id=7&login=grace&stay=yes"},
	} {
		got, err := Visit(t.Context(), server.URL, test.options)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		want := Page{URL: server.URL + "/end", Status: 200, Title: "The end", Text: "Sent\n" + test.want + " and done", Raw: got.Raw}
		if *got != want || !strings.Contains(got.Raw, "\r\n\r\n<") || !strings.Contains(got.Raw, "Content-Type: text/html") {
			t.Errorf("%s: got %+v, want %+v", test.name, *got, want)
		}
	}
}

func TestVisitEnds(t *testing.T) {
	server := httptest.NewServer(site())
	defer server.Close()
	for _, test := range []struct {
		name, path string
		options    Options
		want       string // in the error
	}{
		{"a form behind every form", "/loop", Options{Steps: 3}, "a form behind every form"},
		{"no such button", "/", Options{Press: "sing in"}, `no button "sing in"`},
		{"nobody there", "/lost", Options{}, "127.0.0.1:1/callback"},
		{"an answer that never comes", "/hang", Options{Timeout: 50 * time.Millisecond}, "deadline"},
	} {
		_, err := Visit(t.Context(), server.URL+test.path, test.options)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want %q in it", test.name, err, test.want)
		}
	}
	page, err := Visit(t.Context(), server.URL+"/refused", Options{})
	if err != nil || page.Status != http.StatusForbidden {
		t.Errorf("a refusal with a form: got %+v, %v; want its page", page, err)
	}
}

func TestCertificates(t *testing.T) {
	server := httptest.NewUnstartedServer(site())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	sum := sha256.Sum256(server.Certificate().Raw)
	fingerprint := strings.ToUpper(hex.EncodeToString(sum[:]))
	for i := len(fingerprint) - 2; i > 0; i -= 2 {
		fingerprint = fingerprint[:i] + ":" + fingerprint[i:]
	}
	for _, test := range []struct {
		name    string
		options Options
		want    bool
	}{
		{"verified as usual", Options{}, false},
		{"any on loopback", Options{Insecure: true}, true},
		{"its fingerprint", Options{Fingerprint: fingerprint}, true},
		{"another fingerprint", Options{Fingerprint: strings.Repeat("00:", 31) + "00"}, false},
		{"another fingerprint, and any", Options{Fingerprint: strings.Repeat("00:", 31) + "00", Insecure: true}, false},
	} {
		if _, err := Visit(t.Context(), server.URL+"/end", test.options); (err == nil) != test.want {
			t.Errorf("%s: got %v", test.name, err)
		}
	}
}

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{"127.0.0.1": true, "127.1.2.3": true, "::1": true, "localhost": true,
		"10.0.0.1": false, "localhost.example": false, "example.com": false} {
		if got := isLoopback(host); got != want {
			t.Errorf("%s: got %t, want %t", host, got, want)
		}
	}
}
