package envoy

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// issue creates a self-signed certificate and returns it as PEM.
func issue(t *testing.T, serial int64, template x509.Certificate) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(serial)
	template.BasicConstraintsValid = true
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func inline(pems ...string) *object.Object {
	return object.Of("inline_bytes", base64.StdEncoding.EncodeToString([]byte(strings.Join(pems, ""))))
}

// dumpOf returns a Fetch that serves a config dump with the given parts.
func dumpOf(t testing.TB, parts ...*object.Object) Fetch {
	t.Helper()
	b, err := json.Marshal(object.Of("configs", parts))
	if err != nil {
		t.Fatal(err)
	}
	doc := body("config_dump.json", b)
	return func(context.Context, Request) (*decode.Document, error) { return doc, nil }
}

func secretOf(name string, fields *object.Object) *object.Object {
	secret := object.Of("@type", "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret", "name", name)
	for k, v := range fields.All() {
		secret.Set(k, v)
	}
	return object.Of("name", name, "version_info", "7", "last_updated", "2026-11-22T15:04:05.999+02:00", "secret", secret)
}

func TestSecrets(t *testing.T) {
	uri, _ := url.Parse("spiffe://mesh.example/ns/a/sa/b")
	leaf := issue(t, 0xabc, x509.Certificate{NotBefore: when.Add(-time.Hour), NotAfter: when.Add(time.Hour), Subject: pkix.Name{CommonName: "leaf"},
		URIs: []*url.URL{uri}, DNSNames: []string{"a.example"}, IPAddresses: []net.IP{net.IPv4(10, 0, 0, 1)}, EmailAddresses: []string{"a@b.example"}})
	ca := issue(t, 2, x509.Certificate{NotBefore: when.Add(-time.Hour), NotAfter: when, IsCA: true, Subject: pkix.Name{CommonName: "ca", Organization: []string{"Org"}}})
	early := issue(t, 3, x509.Certificate{NotBefore: when.Add(time.Minute), NotAfter: when.Add(time.Hour)})
	fetch := dumpOf(t, object.Of(
		"@type", "type.googleapis.com/envoy.admin.v3.SecretsConfigDump",
		"static_secrets", []any{secretOf("early", object.Of("tls_certificate", object.Of("certificate_chain", object.Of("inline_string", early))))},
		"dynamic_warming_secrets", []any{
			secretOf("chain", nil),
			secretOf("text", object.Of("validation_context", object.Of("trusted_ca", object.Of("inline_string", "no certificate")))),
		},
		"dynamic_active_secrets", []any{
			secretOf("chain", object.Of("tls_certificate", object.Of(
				"certificate_chain", inline(leaf, "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n", ca),
				"private_key", object.Of("inline_bytes", "c2VjcmV0"),
			))),
			secretOf("file", object.Of("validation_context", object.Of("trusted_ca", object.Of("filename", "/etc/ca.pem")))),
			secretOf("spiffe", object.Of("validation_context", object.Of("trusted_ca", object.New(0), "custom_validator_config", object.Of(
				"name", "envoy.tls.cert_validator.spiffe",
				"typed_config", object.Of(
					"@type", "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig",
					"trust_domains", []any{
						object.Of("name", "east", "trust_bundle", inline(ca)),
						object.Of("name", "west", "trust_bundle", object.Of("filename", "/x")),
					},
				),
			)))),
		},
	))
	rows := section(t, NewProxy(nil, fetch, when), mesh.Secrets)
	equal(t, table(rows, "name", "state", "type", "valid", "serialNumber", "notBefore", "notAfter", "trustDomain", "subjectAltNames", "issuer"), []string{
		"chain ACTIVE Cert Chain true 00000000000000000000000000000abc 2026-11-22T12:03:00Z 2026-11-22T14:03:00Z mesh.example [spiffe://mesh.example/ns/a/sa/b a.example 10.0.0.1 a@b.example] CN=leaf",
		"chain ACTIVE CA false 00000000000000000000000000000002 2026-11-22T12:03:00Z 2026-11-22T13:03:00Z - [] CN=ca,O=Org",
		"chain WARMING - false - - - - [] -",
		"early STATIC Cert Chain false 00000000000000000000000000000003 2026-11-22T13:04:00Z 2026-11-22T14:03:00Z - [] ",
		"file ACTIVE - false - - - - [] -",
		"spiffe ACTIVE CA false 00000000000000000000000000000002 2026-11-22T12:03:00Z 2026-11-22T13:03:00Z east [] CN=ca,O=Org",
		"spiffe ACTIVE - false - - - west [] -",
		"text WARMING - false - - - - [] -",
	})
	for _, r := range rows {
		if one(r, "versionInfo") != "7" || one(r, "lastUpdated") != "2026-11-22T13:04:05Z" || r.(*object.Object).Len() != 13 {
			t.Errorf("%v", r)
		}
	}
	if all := fmt.Sprint(rows); strings.Contains(all, "c2VjcmV0") || strings.Contains(all, "PRIVATE") {
		t.Error("a key is shown")
	}
}

// TestSecretsOfIstio compares the certificates in Istio's test data with those
// that the test itself extracts from the dump and parses with x509.
func TestSecretsOfIstio(t *testing.T) {
	for file, want := range map[string][]string{
		"secret-istio.config_dump.json": nil,
		"secret-spire.config_dump.json": {"east.local", "west.local"},
	} {
		path := shared + "istio-testdata/" + file
		if _, err := os.Stat(path); err != nil {
			t.Skip("no test data here")
		}
		var lines []string
		count := 0
		for _, s := range dig(raw(t, path), "configs.*.dynamic_active_secrets.*.secret") {
			sources := append(dig(s, "tls_certificate.certificate_chain.inline_bytes"), dig(s, "validation_context.trusted_ca.inline_bytes")...)
			for _, d := range append(sources, dig(s, "validation_context.custom_validator_config.typed_config.trust_domains.*.trust_bundle.inline_bytes")...) {
				rest, _ := base64.StdEncoding.DecodeString(d.(string))
				for {
					var b *pem.Block
					if b, rest = pem.Decode(rest); b == nil {
						break
					}
					c, err := x509.ParseCertificate(b.Bytes)
					if err != nil {
						t.Fatal(err)
					}
					count++
					lines = append(lines, one(s, "name")+" "+fmt.Sprintf("%032x", c.SerialNumber))
				}
			}
		}
		p := NewProxy(nil, folder(t, shared+"istio-testdata", map[string]string{configDump: file}), when)
		rows := section(t, p, mesh.Secrets)
		var got, domains []string
		for _, r := range rows {
			if one(r, "serialNumber") != "-" {
				got = append(got, one(r, "name")+" "+one(r, "serialNumber"))
			}
			if one(r, "name") == "ROOTCA" && one(r, "trustDomain") != "-" {
				domains = append(domains, one(r, "trustDomain"))
			}
		}
		slices.Sort(lines)
		slices.Sort(got)
		equal(t, got, lines)
		if count == 0 || fmt.Sprint(domains) != fmt.Sprint(want) {
			t.Errorf("%s: %d certificates, trust domains %v", file, count, domains)
		}
	}
}
