package ztunnel

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// secrets reads the certificates, one object per certificate: for each identity its
// chain, leaf first, and then its roots. An identity without a certificate is one
// object whose fields are null.
func (p *Proxy) secrets(ctx context.Context, doc *decode.Document) (any, error) {
	v, err := member(ctx, doc, "certificates", &decode.Node{All: true})
	if err == nil && v == nil {
		err = lacking("certificates")
	}
	if err != nil {
		return nil, err
	}
	out := []any{}
	identities := objects(v)
	slices.SortStableFunc(identities, func(a, b *object.Object) int {
		return cmp.Or(cmp.Compare(a.Text("identity"), b.Text("identity")), cmp.Compare(a.Text("state"), b.Text("state")))
	})
	for _, c := range identities {
		for _, row := range p.identity(c) {
			out = append(out, mesh.NewObject("Secret", p.Owner, row))
		}
	}
	return out, nil
}

// identity returns the objects for the certificates of one identity.
func (p *Proxy) identity(c *object.Object) []*object.Object {
	chain, roots := objects(c.Get("certChain")), objects(c.Get("rootCerts"))
	if leaf := objects(c.Get("ca_cert")); len(leaf) > 0 { // the dumps of 2023's ztunnels have the leaf outside of the chain
		chain = append(leaf, objects(c.Get("cert_chain"))...)
	}
	var rows []*object.Object
	for i, cert := range chain {
		kind := "Intermediate"
		switch {
		case i == 0:
			kind = "Leaf"
		case i == len(chain)-1 && len(roots) == 0: // old dumps end the chain with the root
			kind = "Root"
		}
		rows = append(rows, p.certificate(c, kind, cert))
	}
	for _, cert := range roots {
		rows = append(rows, p.certificate(c, "Root", cert))
	}
	if rows == nil {
		rows = append(rows, p.certificate(c, "", nil))
	}
	return rows
}

func (p *Proxy) certificate(c *object.Object, kind string, cert *object.Object) *object.Object {
	state, why, _ := strings.Cut(c.Text("state"), ":")
	row := object.Of(
		"name", c.Get("identity"), "type", mesh.OrNull(kind), "state", mesh.OrNull(state), "trustDomain", mesh.OrNull(trustDomain(c.Text("identity"))),
		"valid", false, "serialNumber", nil, "notBefore", nil, "notAfter", nil, "subjectAltNames", nil, "issuer", nil,
	)
	if why = strings.TrimSpace(why); why != "" {
		row.Set("error", why)
	}
	if cert == nil {
		return row
	}
	from, begins := instant(either(cert, "validFrom", "valid_from"))
	until, ends := instant(either(cert, "expirationTime", "expiration_time"))
	row.Set("valid", begins && ends && p.Now.After(from) && p.Now.Before(until))
	if begins {
		row.Set("notBefore", from.Format(time.RFC3339))
	}
	if ends {
		row.Set("notAfter", until.Format(time.RFC3339))
	}
	if n, ok := new(big.Int).SetString(text(either(cert, "serialNumber", "serial_number")), 10); ok {
		row.Set("serialNumber", n.Text(16))
	}
	if x := parse(cert.Text("pem")); x != nil {
		row.Set("subjectAltNames", names(x))
		row.Set("issuer", mesh.OrNull(x.Issuer.String()))
	}
	return row
}

// either returns the member with the first name, or else the one with the old name.
func either(m *object.Object, name, old string) any {
	if v, ok := m.Lookup(name); ok {
		return v
	}
	return m.Get(old)
}

// parse decodes a certificate in PEM or in base64 of PEM. It returns nil if s is
// neither.
func parse(s string) *x509.Certificate {
	block, _ := pem.Decode([]byte(s))
	if block == nil {
		raw, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return nil
		}
		if block, _ = pem.Decode(raw); block == nil {
			return nil
		}
	}
	x, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	return x
}

func names(x *x509.Certificate) []any {
	all := []any{}
	for _, u := range x.URIs {
		all = append(all, u.String())
	}
	for _, d := range x.DNSNames {
		all = append(all, d)
	}
	for _, ip := range x.IPAddresses {
		all = append(all, ip.String())
	}
	for _, e := range x.EmailAddresses {
		all = append(all, e)
	}
	return all
}

// trustDomain returns the trust domain of an identity such as
// "spiffe://cluster.local/ns/a/sa/b".
func trustDomain(identity string) string {
	rest, ok := strings.CutPrefix(identity, "spiffe://")
	if !ok {
		return ""
	}
	domain, _, _ := strings.Cut(rest, "/")
	return domain
}

func instant(v any) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, text(v))
	return t.UTC().Truncate(time.Second), err == nil
}
