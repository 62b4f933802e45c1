package main

import (
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/authctl/authctl/internal/idp"
)

// The names in the README.
const (
	issuerHost = "auth.example.com"
	apiHost    = "api.example.com"
	clientID   = "3f1c9a"
)

// machine is a home directory, and an environment in which the README's names lead to
// this machine.
type machine struct {
	home   string
	env    []string
	site   *httptest.Server // the provider and the API, with TLS
	proxy  *httptest.Server // leads there
	opened net.Listener     // where the browser's URL arrives
}

func newMachine(authctl string) (m *machine, err error) {
	m = &machine{}
	if m.opened, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if m.home, err = os.MkdirTemp("", "authctl-pictures-"); err != nil {
		m.opened.Close()
		return nil, err
	}
	m.site = httptest.NewUnstartedServer(site())
	m.site.Config.ErrorLog = log.New(io.Discard, "", 0)
	m.site.StartTLS()
	m.proxy = httptest.NewServer(http.HandlerFunc(m.tunnel))
	if err := m.furnish(authctl); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

func (m *machine) close() {
	m.opened.Close()
	m.proxy.Close()
	m.site.CloseClientConnections() // tunnels that nobody uses any more
	m.site.Close()
	os.RemoveAll(m.home)
}

// site is the provider, whose protected page is the API.
func site() http.Handler {
	provider := idp.New(idp.Options{Issuer: "https://" + issuerHost, ClientID: clientID})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host == apiHost {
			r.URL.Path = "/api" + r.URL.Path
		}
		provider.ServeHTTP(w, r)
	})
}

// tunnel is the proxy: it answers CONNECT for the README's names, and nothing else.
func (m *machine) tunnel(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect || (r.Host != issuerHost+":443" && r.Host != apiHost+":443") {
		http.Error(w, "not here", http.StatusForbidden)
		return
	}
	far, err := net.Dial("tcp", m.site.Listener.Addr().String())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer far.Close()
	w.WriteHeader(http.StatusOK)
	near, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer near.Close()
	go func() {
		io.Copy(far, buffered)
		far.Close()
	}()
	io.Copy(near, far)
}

// furnish puts into the home what the session needs. The store is a sealed file: what
// is on the screen is the same with the keychain, and no daemon has to be started.
func (m *machine) furnish(authctl string) error {
	authctl, err := filepath.Abs(authctl)
	if err != nil {
		return err
	}
	if _, err := os.Stat(authctl); err != nil {
		return fmt.Errorf("there is no authctl: build it first: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	at := func(name string) string { return filepath.Join(m.home, name) }
	m.env = []string{
		"PATH=" + at("bin") + string(os.PathListSeparator) + os.Getenv("PATH"),
		"HOME=" + m.home, "TMPDIR=" + m.home, "TERM=xterm-256color", "LANG=C.UTF-8", "PS1=" + prompt,
		"HTTPS_PROXY=" + m.proxy.URL, "AUTHCTL_CA_FILE=" + at("ca.pem"), "CURL_CA_BUNDLE=" + at("ca.pem"),
		"AUTHCTL_STORE=file", "AUTHCTL_STORE_KEY_FILE=" + at("key"),
		"BROWSER=" + self, handoffVar + "=" + m.opened.Addr().String(),
	}
	if err := os.Mkdir(at("bin"), 0o700); err != nil {
		return err
	}
	if err := os.Symlink(authctl, at("bin/authctl")); err != nil {
		return err
	}
	key := make([]byte, 32)
	rand.Read(key)
	if err := os.WriteFile(at("key"), key, 0o600); err != nil {
		return err
	}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: m.site.Certificate().Raw})
	return os.WriteFile(at("ca.pem"), ca, 0o600)
}

// handoffVar holds the address at which the URL is waited for, in the environment of
// this program when authctl starts it as the browser.
const handoffVar = "AUTHCTL_PICTURES_HANDOFF"

// handOver gives the URL to the browser that already runs.
func handOver(address string, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("got %d arguments, want one URL", len(args))
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = io.WriteString(conn, args[0])
	return err
}

// openedURL waits for the one that authctl opens.
func (m *machine) openedURL() (string, error) {
	conn, err := m.opened.Accept()
	if err != nil {
		return "", err
	}
	defer conn.Close()
	url, err := io.ReadAll(conn)
	return string(url), err
}
