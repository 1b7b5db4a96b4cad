package oracle

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/url"
	"time"
)

// Identity is a self-signed certificate with its key. Servers and clients use the same one.
type Identity struct {
	cert, key []byte // in PEM
	pair      tls.Certificate
}

// Principal is the SPIFFE ID in an Identity's certificate.
const Principal = "spiffe://cluster.local/ns/default/sa/client"

// NewIdentity creates an Identity that is valid for an hour.
func NewIdentity() (*Identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	id, err := url.Parse(Principal)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "oracle"}, NotBefore: now.Add(-time.Minute), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, URIs: []*url.URL{id},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	i := &Identity{
		cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	}
	i.pair, err = tls.X509KeyPair(i.cert, i.key)
	return i, err
}

// ServerTLS returns the TLS transport socket of a filter chain that uses this identity. If asks is true, Envoy requests
// a certificate from clients and verifies it against this identity's. If needs is true, it rejects clients without one.
func (i *Identity) ServerTLS(asks, needs bool) Message {
	common := Message{"tls_certificates": []any{Message{
		"certificate_chain": Message{"inline_string": string(i.cert)}, "private_key": Message{"inline_string": string(i.key)},
	}}}
	if asks {
		common["validation_context"] = Message{"trusted_ca": Message{"inline_string": string(i.cert)}}
	}
	return Message{"name": "tls", "typed_config": Message{
		"@type":              "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
		"common_tls_context": common, "require_client_certificate": needs,
	}}
}

// ClientTLS returns a client's TLS configuration, with this identity's certificate if shown is true.
func (i *Identity) ClientTLS(shown bool) *tls.Config {
	c := &tls.Config{InsecureSkipVerify: true, ServerName: "a.example.com"} // the server is the test's own Envoy
	if shown {
		c.Certificates = []tls.Certificate{i.pair}
	}
	return c
}
