package mesh

import (
	"time"
)

// The values that replace secret texts in the document. They are Envoy's own
// (source/common/protobuf/utility.cc, redact): Redacted for text, RedactedBytes,
// the same in base64, for bytes.
const (
	Redacted      = "[redacted]"
	RedactedBytes = "W3JlZGFjdGVkXQ=="
)

// DigestMark begins a digest: a snapshot has "redacted:" and 16 hexadecimal
// digits in place of free text. Equal texts have equal digests, as long as the
// key is the same.
const DigestMark = "redacted:"

// IsRedacted reports whether a text is one of Envoy's words for a redacted text.
func IsRedacted[T string | []byte](text T) bool {
	return string(text) == Redacted || string(text) == RedactedBytes
}

// IsDigest reports whether a text has the form of a digest.
func IsDigest[T string | []byte](text T) bool {
	const digits = 16
	if len(text) != len(DigestMark)+digits || string(text[:len(DigestMark)]) != DigestMark {
		return false
	}
	for _, c := range []byte(text[len(DigestMark):]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// OrNull returns a text, or null for the empty one.
func OrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// TimeOrNull returns a time as the document writes it, in UTC with whole seconds
// (RFC 3339), or null for the zero time.
func TimeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}
