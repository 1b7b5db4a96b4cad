package sources

import (
	"strings"

	"github.com/meshq/kubectl-meshq/sources/redact"
)

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

// FreeText is the word of a manifest for texts that are digested.
const FreeText = redact.FreeText

// Digest gives what stands for a text in a snapshot of a key.
func Digest(key []byte, text string) string { return redact.Digest(key, text) }

// KeyCheck gives what a manifest has to tell a key from another.
func KeyCheck(key []byte) string { return redact.KeyCheck(key) }

// A RedactionRow is one of the table of what a snapshot has of whose text.
type RedactionRow struct {
	Class     string // "kept", "digested", "dropped"
	Condition string // on what it depends, where it does
	Fields    []string
	Reason    string
}

// RedactionRows gives the table: what it doesn't name is digested.
func RedactionRows() (rows []RedactionRow) {
	for _, r := range redact.Rows() {
		rows = append(rows, RedactionRow{r.Class.Word(), r.Class.Condition(), strings.Fields(r.Of), r.Reason})
	}
	return rows
}
