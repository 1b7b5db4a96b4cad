package envoy

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

var secretCatalog = catalog{
	section: mesh.Secrets, part: "SecretsConfigDump",
	lists: []list{
		{"staticSecrets", stateStatic}, {"dynamicActiveSecrets", stateActive}, {"dynamicWarmingSecrets", stateWarming},
	},
	field: "secret", name: "name", eager: true,
	inside: &decode.Node{Fields: []decode.Field{ // the decoder skips private keys
		{Name: "name", Node: &decode.Node{}},
		{Name: "tlsCertificate", Node: &decode.Node{Fields: []decode.Field{{Name: "certificateChain", Node: &decode.Node{All: true}}}}},
		{Name: "validationContext", Node: &decode.Node{Fields: []decode.Field{
			{Name: "trustedCa", Node: &decode.Node{All: true}},
			{Name: "customValidatorConfig", Node: &decode.Node{All: true}},
		}}},
	}},
}

// A certificate is one certificate in a secret.
type certificate struct {
	der         []byte // the encoded certificate; nil if the dump doesn't contain it
	trustDomain string // the SPIFFE trust domain for which the bundle with the certificate is valid
}

// secrets reads the section of secrets. It returns one object for each
// certificate, in the order of its chain. A secret whose certificates are not
// in the dump is returned as one object: it names a file, or Envoy still waits
// for it.
func (p *Proxy) secrets(ctx context.Context) (any, error) {
	all, err := p.resources(ctx, secretCatalog)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, r := range all { // r is a copy, so that an element in memory doesn't keep the others alive
		for _, c := range certificates(r.fields) {
			out = append(out, p.later("Secret", func(context.Context) (*object.Object, error) {
				return certificateFields(&r, c, p.now), nil
			}))
		}
	}
	p.grow(costElement * int64(len(out)))
	return out, nil
}

// certificates returns the certificates of a secret. These are its chain if it
// has one, else the certificate authorities that it trusts, else the SPIFFE
// bundles, one per trust domain.
func certificates(secret *object.Object) []certificate {
	context := secret.Object("validationContext")
	sources := []*object.Object{secret.Object("tlsCertificate").Object("certificateChain"), context.Object("trustedCa")}
	for _, source := range sources {
		if found := blocks(source, ""); len(found) > 0 {
			return found
		}
	}
	var found []certificate
	bundles, _ := context.Object("customValidatorConfig").Object("typedConfig").Get("trustDomains").([]any)
	for _, b := range bundles {
		bundle, _ := b.(*object.Object)
		name := bundle.Text("name")
		inside := blocks(bundle.Object("trustBundle"), name)
		if len(inside) == 0 {
			inside = []certificate{{trustDomain: name}}
		}
		found = append(found, inside...)
	}
	if len(found) == 0 {
		return []certificate{{}}
	}
	return found
}

// blocks returns the certificates in a DataSource, which contains PEM as inline
// bytes or text. Other content counts as one certificate that can't be parsed.
func blocks(source *object.Object, trustDomain string) (found []certificate) {
	data := []byte(source.Text("inlineString"))
	if s := source.Text("inlineBytes"); s != "" {
		if data, _ = base64.StdEncoding.DecodeString(s); data == nil {
			data = []byte(s)
		}
	}
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == "CERTIFICATE" {
			found = append(found, certificate{block.Bytes, trustDomain})
		}
	}
	if found == nil && len(data) > 0 {
		found = []certificate{{trustDomain: trustDomain}}
	}
	return found
}

// certificateFields returns the fields of a certificate's object. All
// certificates have the same fields.
func certificateFields(r *resource, c certificate, now time.Time) *object.Object {
	m := object.Of(
		"name", r.name, "state", r.state, "valid", false, "type", nil, "serialNumber", nil, "notBefore", nil, "notAfter", nil,
		"trustDomain", mesh.OrNull(c.trustDomain), "subjectAltNames", []any{}, "issuer", nil,
		"versionInfo", mesh.OrNull(r.version), "lastUpdated", nil,
	)
	if r.updated != "" {
		m.Set("lastUpdated", seconds(r.updated))
	}
	if r.failure != "" {
		m.Set("error", r.failure)
	}
	cert, err := x509.ParseCertificate(c.der)
	if err != nil {
		return m
	}
	m.Set("type", "Cert Chain")
	if cert.IsCA {
		m.Set("type", "CA")
	}
	m.Set("valid", now.After(cert.NotBefore) && now.Before(cert.NotAfter))
	m.Set("serialNumber", fmt.Sprintf("%032x", cert.SerialNumber))
	m.Set("notBefore", cert.NotBefore.UTC().Format(time.RFC3339))
	m.Set("notAfter", cert.NotAfter.UTC().Format(time.RFC3339))
	m.Set("issuer", cert.Issuer.String())
	m.Set("subjectAltNames", altNames(cert))
	m.Set("trustDomain", mesh.OrNull(cmp.Or(c.trustDomain, trustDomain(cert))))
	return m
}

// altNames returns the names in a certificate: URIs, then DNS names, IP
// addresses and e-mail addresses.
func altNames(cert *x509.Certificate) []any {
	names := []any{}
	for _, u := range cert.URIs {
		names = append(names, u.String())
	}
	for _, n := range slices.Concat(cert.DNSNames, addresses(cert), cert.EmailAddresses) {
		names = append(names, n)
	}
	return names
}

func addresses(cert *x509.Certificate) (out []string) {
	for _, ip := range cert.IPAddresses {
		out = append(out, ip.String())
	}
	return out
}

// trustDomain returns the trust domain in a certificate's SPIFFE identity.
func trustDomain(cert *x509.Certificate) string {
	for _, u := range cert.URIs {
		if strings.EqualFold(u.Scheme, "spiffe") {
			return u.Host
		}
	}
	return ""
}
