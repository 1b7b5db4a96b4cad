package redact

import "bytes"

// A tag is what the key of a label or an annotation says of its value.
type tag uint8

const (
	untagged  tag = iota
	tagSecret     // it is one
	tagNamed      // it is one, unless it reads as the name of an object
)

// tagOf judges a key. A "secret" is Kubernetes' word for an object, which many
// annotations name.
func tagOf(key []byte) tag {
	k := bytes.ToLower(key)
	for _, end := range []string{"token", "password", "passwd", "apikey", "api-key", "api_key", "client-secret", "client_secret", "clientsecret"} {
		if bytes.HasSuffix(k, []byte(end)) {
			return tagSecret
		}
	}
	if bytes.HasSuffix(k, []byte("secret")) {
		return tagNamed
	}
	return untagged
}

// takes tells whether a value with that tag is a secret; text is nil when it
// is too large to be looked at.
func (t tag) takes(text []byte) bool {
	switch {
	case t == untagged:
		return false
	case text == nil:
		return true
	case t == tagNamed && isObjectName(text):
		return false
	}
	return isSecretValue(text)
}

// isObjectName tells whether a text reads as NAME or NAMESPACE/NAME. People
// and controllers give names of words and short codes: a long part with digits
// among letters is more likely a key.
func isObjectName(s []byte) bool {
	const longest, code = 253, 8
	if len(s) > longest || bytes.Count(s, []byte("/")) > 1 {
		return false
	}
	for part := range bytes.FieldsFuncSeq(s, func(r rune) bool { return r == '-' || r == '.' || r == '/' }) {
		digits, letters := 0, 0
		for _, c := range part {
			switch {
			case '0' <= c && c <= '9':
				digits++
			case 'a' <= c && c <= 'z':
				letters++
			default:
				return false
			}
		}
		if len(part) >= code && digits > 0 && letters > 0 {
			return false
		}
	}
	return true
}
