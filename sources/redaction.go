package sources

import "github.com/meshq/kubectl-meshq/sources/redact"

// A Redaction says what is taken out of the answers that a snapshot has.
type Redaction struct {
	// Key is that of the digests that stand for free text; without one they
	// are of a key that is kept nowhere. Snapshots of one key can be compared.
	Key []byte
	// Keep are fields whose text is kept although it is not known to be
	// harmless: "description", "HeaderValue:value".
	Keep []string
	// AsGiven takes everything as whoever is asked gives it.
	AsGiven bool
}

// Check is the error of a redaction that can't be done: a field to keep that
// nobody has, or that is a secret by its type; a key that can be guessed.
func (r Redaction) Check() error {
	_, err := redact.New(redact.Options(r))
	return err
}

// Digest gives what stands for a text in a snapshot of a key.
func Digest(key []byte, text string) string { return redact.Digest(key, text) }

// KeyCheck gives what a manifest has to tell a key from another.
func KeyCheck(key []byte) string { return redact.KeyCheck(key) }
