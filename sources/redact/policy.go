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

// FreeText is the word of a manifest for texts that are digested.
const FreeText = "free text"

// Options say what is taken out.
type Options struct {
	// Key is that of the digests. Without one, they are of a key that nobody
	// knows: what was equal is equal, and no more can be said.
	Key []byte
	// Keep are more fields whose text is kept, as the table has them:
	// "description", "HeaderValue:value".
	Keep []string
	// AsGiven leaves everything as whoever is asked gives it.
	AsGiven bool
}

// A Policy says what is taken out of the bodies of one snapshot.
type Policy struct {
	schema  *schema
	key     []byte
	keep    []string
	asGiven bool
}

// New makes a policy. Its error is of a field to keep that no schema has, or
// that is a secret by its type, or of a key that can be guessed.
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

// keepable is the error of a field that can't be kept.
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

// hash makes what digests a text.
func (p *Policy) hash() hash.Hash { return hmac.New(sha256.New, p.key) }

// KeyCheck tells one key from another without telling it: a snapshot has it in
// its manifest. It is a digest of a fixed text, so it lets nobody do what a
// digest of any text that can be guessed doesn't: try keys, of which a random
// one has 256 bits. "" where nothing is digested.
func (p *Policy) KeyCheck() string {
	if p.asGiven {
		return ""
	}
	return KeyCheck(p.key)
}

// KeyCheck gives that of a key.
func KeyCheck(key []byte) string {
	return strings.TrimPrefix(Digest(key, "the key of a snapshot's digests"), mesh.DigestMark)
}

// Digest gives what stands for a text under a key.
func Digest(key []byte, text string) string {
	h := hmac.New(sha256.New, key)
	io.WriteString(h, text)
	return asDigest(h.Sum(nil))
}

func asDigest(sum []byte) string { return mesh.DigestMark + hex.EncodeToString(sum[:8]) }

// isStandIn reports whether a text was redacted already.
func isStandIn(s []byte) bool { return mesh.IsDigest(s) || mesh.IsRedacted(s) }

// Words says what is taken out, for people; before is what somebody else had
// taken out already.
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

// Hidden gives what a snapshot has of a free text.
func (p *Policy) Hidden(text string) string {
	if p.asGiven {
		return text
	}
	return Digest(p.key, text)
}

// Scrub gives a text that somebody wrote to be read, without what tells itself
// to be a secret.
func (p *Policy) Scrub(text string) string {
	if !p.asGiven && (tellsItself([]byte(text)) || len(secretParts([]byte(text), false)) > 0) {
		return Digest(p.key, text)
	}
	return text
}
