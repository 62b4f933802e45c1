package robot

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"net"
	"strings"
)

// dialTLS verifies as usual, but for a loopback address with the exceptions that
// the options name: nobody else can stand between there and here.
func (o Options) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if isLoopback(host) && (o.Insecure || o.Fingerprint != "") {
		config.InsecureSkipVerify = true
		config.VerifyConnection = o.verify
	}
	return (&tls.Dialer{Config: config}).DialContext(ctx, network, addr)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// verify holds the certificate against the fingerprint, where there is one.
func (o Options) verify(state tls.ConnectionState) error {
	if o.Fingerprint == "" {
		return nil
	}
	sum := sha256.Sum256(state.PeerCertificates[0].Raw)
	if !strings.EqualFold(hex.EncodeToString(sum[:]), strings.ReplaceAll(o.Fingerprint, ":", "")) {
		return errors.New("the certificate has another fingerprint")
	}
	return nil
}
