package e2e

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// door is where a login waits for its response, as anybody on this machine finds it.
type door struct {
	t     testing.TB
	at    *url.URL    // the redirect URI
	state string      // of the sign-in that waits
	page  string      // path of the page behind it, once it is known
	tls   *tls.Config // of a browser that trusts the certificate; nil without TLS
}

// door is the one that an honest response, back, leads to.
func (u *user) door(back string) *door {
	u.t.Helper()
	at, err := url.Parse(back)
	if err != nil {
		u.t.Fatal(err)
	}
	d := &door{t: u.t, at: at, state: at.Query().Get("state"), page: "/" + strings.Repeat("A", 26)}
	at.RawQuery = ""
	if at.Scheme == "https" {
		d.tls = &tls.Config{RootCAs: u.ownCertificate()}
	}
	return d
}

// ownCertificate is what a browser has to trust: the one that authctl keeps.
func (u *user) ownCertificate() *x509.CertPool {
	u.t.Helper()
	text, err := os.ReadFile(u.stateFile("tls", "localhost.pem"))
	if err != nil {
		u.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return roots
}

// dial opens a connection, without TLS. It ends with the test.
func (d *door) dial() (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", d.at.Host, patience)
	if err != nil {
		return nil, err
	}
	d.t.Cleanup(func() { conn.Close() })
	return conn, conn.SetDeadline(time.Now().Add(patience))
}

// answer is what comes back for a request.
type answer struct {
	*http.Response
	body string
	more int // bytes after it
}

// send writes a request as it is, but for STATE, PAGE, HOST (host:port) and PORT, and
// reads the answer.
func (d *door) send(request string) (answer, error) {
	conn, err := d.dial()
	if err != nil {
		return answer{}, err
	}
	if d.tls != nil {
		config := d.tls.Clone()
		config.ServerName = d.at.Hostname()
		conn = tls.Client(conn, config)
	}
	return exchange(conn, strings.NewReplacer("STATE", d.state, "PAGE", d.page, "HOST", d.at.Host, "PORT", d.at.Port(), "\n", "\r\n").Replace(request))
}

func exchange(conn net.Conn, request string) (answer, error) {
	defer conn.Close()
	go io.WriteString(conn, request) // the answer may come before all is read
	method, _, _ := strings.Cut(request, " ")
	r := bufio.NewReader(conn)
	response, err := http.ReadResponse(r, &http.Request{Method: method})
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	rest, _ := io.ReadAll(r)
	return answer{response, string(body), len(rest)}, err
}

// browse asks for an address at the door as a browser does, again if the connection
// breaks. When no answer comes, that one's status is 0.
func (d *door) browse(address string) answer {
	d.t.Helper()
	u, err := d.at.Parse(address)
	if err != nil {
		d.t.Fatal(err)
	}
	for range 10 {
		a, err := d.send("GET " + u.RequestURI() + " HTTP/1.1\nHost: HOST\n\n")
		if err == nil {
			return a
		}
		d.t.Logf("asking for the page: %v", err)
	}
	d.t.Error("no answer ever came")
	return answer{Response: &http.Response{}}
}

// closed fails the test unless nobody is behind the door any more.
func (d *door) closed() {
	d.t.Helper()
	if conn, err := net.Dial("tcp", d.at.Host); err == nil {
		conn.Close()
		d.t.Errorf("something still listens at %s", d.at.Host)
	}
}
