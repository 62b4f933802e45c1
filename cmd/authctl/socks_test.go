package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strconv"
)

// serveSOCKS is SOCKS 5 as far as clients of a company's proxy speak it: CONNECT to a name,
// RFC 1928, with a user's name and password where one is wanted, RFC 1929.
func (p *proxy) serveSOCKS(l net.Listener) {
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p.counted()
			go func() {
				defer conn.Close()
				host, err := p.greet(conn)
				if at, known := p.network.at(host); err == nil && known {
					conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0}) // succeeded
					p.pass(conn, host, at)
				}
			}()
		}
	}()
}

// greet reads what a client says first, and returns the HOST:PORT that it wants.
func (p *proxy) greet(conn net.Conn) (string, error) {
	r := bufio.NewReader(conn) // a client says nothing more until it is answered
	if _, err := sized(r, 1); err != nil {
		return "", err
	}
	if p.user == "" {
		conn.Write([]byte{5, 0}) // no authentication
	} else if err := p.authenticate(r, conn); err != nil {
		return "", err
	}
	r.Discard(3)
	host, err := sized(r, 1) // address type 3: a name
	if err != nil {
		return "", err
	}
	port := make([]byte, 2)
	_, err = io.ReadFull(r, port)
	return net.JoinHostPort(host, strconv.Itoa(int(port[0])<<8|int(port[1]))), err
}

func (p *proxy) authenticate(r *bufio.Reader, w io.Writer) error {
	w.Write([]byte{5, 2}) // user and password
	user, err := sized(r, 1)
	if err != nil {
		return err
	}
	password, err := sized(r, 0)
	if err != nil {
		return err
	}
	if user+":"+password != p.user {
		w.Write([]byte{1, 1})
		return errors.New("refused")
	}
	w.Write([]byte{1, 0})
	return nil
}

// sized reads a text behind its length, which comes after skip bytes.
func sized(r *bufio.Reader, skip int) (string, error) {
	if _, err := r.Discard(skip); err != nil {
		return "", err
	}
	n, err := r.ReadByte()
	if err != nil {
		return "", err
	}
	text := make([]byte, n)
	_, err = io.ReadFull(r, text)
	return string(text), err
}
