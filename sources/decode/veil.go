package decode

import (
	"bytes"
	"encoding/base64"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// Veiled is the shape of a value whose texts nobody should see: it has its
// members and their names, as Shape says, and of every text no more than that
// it is there. Where a secret is (the name of a file or of a variable) is none.
type Veiled struct {
	Shape Shape
	bytes bool
}

// Member is that of the shape, veiled.
func (v Veiled) Member(key []byte) (name string, value Shape) {
	if v.Shape != nil {
		name, value = v.Shape.Member(key)
	}
	switch string(key) {
	case "filename", "environment_variable", "environmentVariable":
		return name, value
	case "inline_bytes", "inlineBytes":
		return name, Veiled{value, true}
	}
	return name, Veiled{Shape: value}
}

// Typed is that of the shape, veiled.
func (v Veiled) Typed(url []byte) (value Shape, ok bool) {
	if v.Shape != nil {
		value, ok = v.Shape.Typed(url)
	}
	return Veiled{Shape: value}, ok
}

// veiled goes over a text and gives what stands for it; nothing for one that
// is empty.
func (d *decoder) veiled(v Veiled) (any, error) {
	b, err := d.text()
	if err != nil {
		return nil, err
	}
	word := mesh.Redacted
	switch {
	case len(b) == 0:
		word = ""
	case v.bytes:
		word = mesh.RedactedBytes
	}
	said, sum, cost := d.texts.value([]byte(word))
	d.cost += cost
	d.sum = sum
	return said, nil
}

// holdsPrivateKey tells whether a text is, or has in it, a private key in PEM,
// or is that in base64: no document shows one, wherever somebody put it.
func holdsPrivateKey(text []byte) bool {
	const (
		shortest = 48
		head     = "LS0tLS1CRUdJTi" // "-----BEGIN" in base64
		words    = 40               // of base64, up to behind the kind of a key
	)
	if len(text) < shortest {
		return false
	}
	if bytes.HasPrefix(text, []byte(head)) {
		var plain [words]byte
		n, _ := base64.StdEncoding.Decode(plain[:], text[:words])
		return bytes.Contains(plain[:n], []byte("PRIVATE"))
	}
	return bytes.Contains(text, []byte("PRIVATE KEY-----"))
}
