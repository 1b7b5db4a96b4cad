package predict

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/sources/apiserver"
)

// standIns adds a throwaway certificate in place of each Secret to which a Gateway
// API listener refers, if the listener's status reports that its references are
// resolved. Secrets of the cluster are never read, but istiod leaves out a
// listener without its Secret. The throwaway certificate doesn't appear in the
// configuration that is read; only its name does.
func standIns(objects *apiserver.Objects) {
	var cert, private string
	for _, g := range objects.All(kubeGateways) {
		resolved := map[string]bool{}
		for _, l := range apiserver.List(g, "status", "listeners") {
			for _, c := range apiserver.List(l, "conditions") {
				if apiserver.At(c, "type") == "ResolvedRefs" && apiserver.At(c, "status") == "True" {
					resolved[apiserver.Text(apiserver.At(l, "name"))] = true
				}
			}
		}
		for _, key := range references(g, func(listener string) bool { return resolved[listener] }) {
			if cert == "" {
				if cert, private = throwaway(); cert == "" {
					return
				}
			}
			objects.Add("secrets", standIn(key, cert, private))
		}
	}
}

// certificates adds a throwaway certificate for each Secret to which a Gateway in
// the change refers, if it isn't known whether the Secret exists. It also adds a
// note that the Secret is assumed to exist.
func (o *Overlay) certificates(objects *apiserver.Objects) {
	for _, e := range o.Edits {
		if e.Resource != kubeGateways || e.Remove {
			continue
		}
		for _, key := range references(e.Object, func(string) bool { return true }) {
			if objects.Get("secrets", key) != nil {
				continue
			}
			cert, private := throwaway()
			o.Derived = append(o.Derived, apiserver.Change{Resource: "secrets", Object: standIn(key, cert, private)})
			o.Notes = append(o.Notes, fmt.Sprintf("%s: secrets are not read, so it is assumed that Secret %s exists", e.Name(), key))
		}
	}
}

const kubeGateways = "gateways.gateway.networking.k8s.io"

// references returns the keys of the Secrets to which the listeners of a Gateway
// refer.
func references(gateway apiserver.Object, accept func(listener string) bool) (keys []string) {
	for _, l := range apiserver.List(gateway, "spec", "listeners") {
		if !accept(apiserver.Text(apiserver.At(l, "name"))) {
			continue
		}
		for _, r := range apiserver.List(l, "tls", "certificateRefs") {
			namespace := apiserver.Text(apiserver.At(r, "namespace"))
			if namespace == "" {
				namespace = apiserver.Text(apiserver.Metadata(gateway)["namespace"])
			}
			if key := namespace + "/" + apiserver.Text(apiserver.At(r, "name")); !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// standIn returns a Secret with a certificate and its key.
func standIn(key, cert, private string) apiserver.Object {
	namespace, name, _ := strings.Cut(key, "/")
	return apiserver.Object{
		"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
		"metadata": apiserver.Object{"name": name, "namespace": namespace, "uid": "whatif-" + namespace + "-" + name, "resourceVersion": "1"},
		"data":     apiserver.Object{"tls.crt": cert, "tls.key": private},
	}
}

// throwaway returns a new self-signed certificate and its key in PEM, as a
// Secret contains them. istiod doesn't check its dates, so they are fixed.
func throwaway() (cert, key string) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", ""
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"stand-in.invalid"},
		NotBefore: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &k.PublicKey, k)
	if err != nil {
		return "", ""
	}
	raw, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		return "", ""
	}
	encoded := func(kind string, b []byte) string {
		return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	return encoded("CERTIFICATE", der), encoded("EC PRIVATE KEY", raw)
}
