package mesh

import (
	"time"
)

// These values replace secret texts in the document. They are the ones that
// Envoy uses (source/common/protobuf/utility.cc, redact): Redacted replaces
// text, and RedactedBytes, the same word in base64, replaces bytes.
const (
	Redacted      = "[redacted]"
	RedactedBytes = "W3JlZGFjdGVkXQ=="
)

// DigestMark is the prefix of a digest. In place of free text, a snapshot
// contains a digest: "redacted:" and 16 hexadecimal digits. Equal texts have
// equal digests, as long as the key is the same.
const DigestMark = "redacted:"

// IsRedacted reports whether a text is Redacted or RedactedBytes.
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

// OrNull returns a text, or null if it is empty.
func OrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// TimeOrNull returns a time in the document's form, which is RFC 3339 in UTC
// with whole seconds. It returns null for the zero time.
func TimeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}
