package fleet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// token is the bearer token that the API server accepts. It protects nothing.
const token = "fleet"

// serveAPI starts the API server and writes a kubeconfig for it.
func (f *Fleet) serveAPI(folder string) error {
	s, err := newAPIServer(f)
	if err != nil {
		return err
	}
	cert, authority, err := selfSigned()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	f.Kubeconfig = filepath.Join(folder, "kubeconfig")
	if err := clientcmd.WriteToFile(*kubeconfig("https://"+l.Addr().String(), authority), f.Kubeconfig); err != nil {
		l.Close()
		return err
	}
	f.serveHTTP(l, s, func(server *http.Server) error {
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
		return server.ServeTLS(l, "", "")
	})
	return nil
}

func kubeconfig(server string, authority []byte) *clientcmdapi.Config {
	c := clientcmdapi.NewConfig()
	c.Clusters["fleet"] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: authority}
	c.AuthInfos["fleet"] = &clientcmdapi.AuthInfo{Token: token}
	c.Contexts["fleet"] = &clientcmdapi.Context{Cluster: "fleet", AuthInfo: "fleet"}
	c.CurrentContext = "fleet"
	return c
}

// selfSigned makes a certificate for loopback.
func selfSigned() (cert tls.Certificate, authority []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return cert, nil, err
	}
	now := time.Now()
	of := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "fleet"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, of, of, &key.PublicKey, key)
	if err != nil {
		return cert, nil, err
	}
	authority = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, authority, nil
}
