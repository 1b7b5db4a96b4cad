package redact

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// FreeText is the phrase by which a snapshot's manifest states that texts were
// digested.
const FreeText = "free text"

// Options configure what is redacted.
type Options struct {
	// Key is the key of the digests, at least 16 bytes. If it is empty, a random
	// key is used and not stored: digests then show only which texts are equal.
	Key []byte
	// Keep lists further fields whose text is kept, in the form of the table's
	// rows: "description" or "HeaderValue:value".
	Keep []string
	// AsGiven turns redaction off.
	AsGiven bool
}

// Check returns the error that [New] would return: a field to keep is in no
// schema, the schema marks it as a secret, or the key is short enough to be
// guessed.
func (o Options) Check() error {
	_, err := New(o)
	return err
}

// A Policy determines what is redacted in the bodies of one snapshot.
type Policy struct {
	schema  *schema
	key     []byte
	keep    []string
	asGiven bool
}

// New returns a Policy. It returns an error if a field in Keep is in no schema, if
// the schema marks it as a secret, or if the key is short enough to be guessed.
func New(o Options) (*Policy, error) {
	p := &Policy{schema: theSchema(), key: o.Key, keep: o.Keep, asGiven: o.AsGiven}
	const shortest = 16
	if p.key != nil && len(p.key) < shortest {
		return nil, fmt.Errorf("a key of %d bytes: it must have %d", len(p.key), shortest)
	}
	if len(o.Keep) > 0 {
		for _, word := range o.Keep {
			if err := p.schema.keepable(word); err != nil {
				return nil, err
			}
		}
		p.schema = newSchema(o.Keep)
	}
	if p.key == nil {
		p.key = make([]byte, sha256.Size)
		rand.Read(p.key)
	}
	return p, nil
}

// keepable returns an error if the user must not choose to keep a field.
func (s *schema) keepable(word string) error {
	of, name, qualified := strings.Cut(word, ":")
	if !qualified {
		of, name = "", word
	}
	switch c, _ := s.class(of, camel(name)); {
	case c == Dropped || c == Variable:
		return fmt.Errorf("%s: a key, a token, a password or the environment", word)
	case c == Kept:
		return nil
	}
	if name == "" || !s.has(of, name) {
		return errors.New(word + ": no field of Envoy's, Istio's or Kubernetes' messages")
	}
	return nil
}

// hash returns a new keyed hash for a text.
func (p *Policy) hash() hash.Hash { return hmac.New(sha256.New, p.key) }

// KeyCheck returns a value that identifies the key without revealing it. A
// snapshot's manifest contains it. It is the digest of a fixed text, so it helps an
// attacker no more than the digest of any other text that can be guessed: it allows
// trying keys, and a random key has 256 bits. KeyCheck returns "" if nothing is
// digested.
func (p *Policy) KeyCheck() string {
	if p.asGiven {
		return ""
	}
	return KeyCheck(p.key)
}

// KeyCheck returns a value that identifies the key without revealing it.
func KeyCheck(key []byte) string {
	return strings.TrimPrefix(Digest(key, "the key of a snapshot's digests"), mesh.DigestMark)
}

// Digest returns the digest that replaces a text, computed with a key.
func Digest(key []byte, text string) string {
	h := hmac.New(sha256.New, key)
	io.WriteString(h, text)
	return asDigest(h.Sum(nil))
}

func asDigest(sum []byte) string { return mesh.DigestMark + hex.EncodeToString(sum[:8]) }

// isReplacement reports whether a text is itself a digest or a fixed word, so
// that it must have been redacted before.
func isReplacement(s []byte) bool { return mesh.IsDigest(s) || mesh.IsRedacted(s) }

// Words describes, for users, what is redacted. before describes what had already
// been redacted in the source.
func (p *Policy) Words(before []string) []string {
	words := []string{"private keys", "tokens", "passwords", "values of environment variables", FreeText}
	if p.asGiven {
		words = nil
	}
	for _, w := range before {
		if !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	return words
}

// Hidden returns the form of a free text in a snapshot: its digest, or the text
// itself if redaction is off.
func (p *Policy) Hidden(text string) string {
	if p.asGiven {
		return text
	}
	return Digest(p.key, text)
}

// Scrub redacts a message that was written for users. If the message contains a
// recognizable secret, Scrub returns its digest, otherwise the message itself.
func (p *Policy) Scrub(text string) string {
	if !p.asGiven && (containsSecret([]byte(text)) || len(secretParts([]byte(text), false)) > 0) {
		return Digest(p.key, text)
	}
	return text
}
