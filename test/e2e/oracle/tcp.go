package oracle

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// ProxyHeader returns a PROXY protocol header, which tells Envoy's proxy_protocol filter the source and destination of
// a connection.
func ProxyHeader(source, destination string, sourcePort, port int) []byte {
	family := "TCP4"
	if strings.Contains(source, ":") {
		family = "TCP6"
	}
	return fmt.Appendf(nil, "PROXY %s %s %s %d %d\r\n", family, source, destination, sourcePort, port)
}

// ClientHello returns the ClientHello message of a TLS client.
func ClientHello(sni string, alpn []string) ([]byte, error) {
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()
	c := tls.Client(client, &tls.Config{ServerName: sni, NextProtos: alpn, InsecureSkipVerify: true}) // the handshake never finishes
	go c.Handshake()
	if err := server.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	head := make([]byte, 5)
	if _, err := io.ReadFull(server, head); err != nil {
		return nil, err
	}
	rest := make([]byte, int(head[3])<<8|int(head[4]))
	_, err := io.ReadFull(server, rest)
	return append(head, rest...), err
}

// SendRaw sends bytes over a new connection and returns everything that comes back until the connection is closed. That
// is "" if Envoy closes it at once.
func SendRaw(ctx context.Context, address string, b []byte) (string, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	if _, err := conn.Write(b); err != nil {
		return "", nil // Envoy has closed the connection, which is a valid result
	}
	said, err := io.ReadAll(conn)
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		return "", fmt.Errorf("%s: neither answers nor closes", address)
	}
	return string(said), nil // a reset counts as a close
}
