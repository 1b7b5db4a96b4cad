package mesh

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// An authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	pem  []byte
}

// A keyPair is a certificate and its key in PEM.
type keyPair struct{ cert, key []byte }

// A subject is the identity in a certificate, which is valid for servers and clients.
type subject struct {
	name   string
	groups []string
	dns    []string
	uri    string // a SPIFFE ID
}

const certLife = 24 * time.Hour

func newAuthority(name string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t := template(pkix.Name{CommonName: name})
	t.IsCA, t.BasicConstraintsValid = true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{cert: cert, key: key, pem: encode("CERTIFICATE", der)}, nil
}

func template(name pkix.Name) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial, Subject: name,
		NotBefore: now.Add(-time.Minute), NotAfter: now.Add(certLife),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
}

func (a *authority) sign(s subject) (keyPair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return keyPair{}, err
	}
	t := template(pkix.Name{CommonName: s.name, Organization: s.groups})
	if s.uri != "" {
		u, err := url.Parse(s.uri)
		if err != nil {
			return keyPair{}, err
		}
		t.URIs = []*url.URL{u}
	} else {
		t.DNSNames, t.IPAddresses = append(s.dns, "localhost"), []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, key.Public(), a.key)
	if err != nil {
		return keyPair{}, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return keyPair{}, err
	}
	return keyPair{cert: encode("CERTIFICATE", der), key: encode("PRIVATE KEY", pkcs8)}, nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// credentials are the certificates and keys that the control plane is started with. The strings are paths of files.
type credentials struct {
	authority           *authority
	ca                  string // the authority's certificate, and the API server's certificate and key
	server, serverKey   string
	kubelet, kubeletKey string // the API server's client certificate and key for kubelets
	account, accountKey string // the key pair that signs the tokens of service accounts
	administrator       keyPair
}

func newCredentials(dir string) (*credentials, error) {
	ca, err := newAuthority("kubernetes")
	if err != nil {
		return nil, err
	}
	c := &credentials{authority: ca, ca: filepath.Join(dir, "ca.crt")}
	if err := os.WriteFile(c.ca, ca.pem, 0o600); err != nil {
		return nil, err
	}
	for _, w := range []struct {
		name      string
		subject   subject
		cert, key *string
	}{
		{"server", subject{name: "kube-apiserver", dns: []string{"kubernetes", "kubernetes.default", "kubernetes.default.svc"}}, &c.server, &c.serverKey},
		{"kubelet-client", subject{name: "kube-apiserver-kubelet-client", groups: []string{"system:masters"}}, &c.kubelet, &c.kubeletKey},
		{"service-account", subject{name: "service-accounts"}, &c.account, &c.accountKey},
	} {
		if *w.cert, *w.key, err = c.write(dir, w.name, w.subject); err != nil {
			return nil, err
		}
	}
	c.administrator, err = ca.sign(subject{name: "admin", groups: []string{"system:masters"}})
	return c, err
}

func (c *credentials) write(dir, name string, s subject) (cert, key string, err error) {
	pair, err := c.authority.sign(s)
	if err != nil {
		return "", "", err
	}
	cert, key = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	if err := os.WriteFile(cert, pair.cert, 0o600); err != nil {
		return "", "", err
	}
	return cert, key, os.WriteFile(key, pair.key, 0o600)
}
