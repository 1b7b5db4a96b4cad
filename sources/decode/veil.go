package decode

import (
	"bytes"
	"encoding/base64"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// Veiled is the shape of a value whose texts must not be shown. It keeps the members
// and their names, as the field Shape describes them, and replaces each text with a
// marker. The name of a file or of a variable that contains a secret is kept.
type Veiled struct {
	Shape Shape
	bytes bool
}

// Member returns the member's name, and its shape as a Veiled shape.
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

// Typed returns the shape for the content of an Any, as a Veiled shape.
func (v Veiled) Typed(url []byte) (value Shape, ok bool) {
	if v.Shape != nil {
		value, ok = v.Shape.Typed(url)
	}
	return Veiled{Shape: value}, ok
}

// veiled skips a text and returns the marker that replaces it. An empty text stays
// empty.
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

// holdsPrivateKey reports whether a text contains a private key in PEM, plain or in
// base64. The document never contains such a key, whichever member the text is in.
func holdsPrivateKey(text []byte) bool {
	const (
		shortest = 48
		head     = "LS0tLS1CRUdJTi" // "-----BEGIN" in base64
		words    = 40               // number of base64 characters to decode; they include the type of the key
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
