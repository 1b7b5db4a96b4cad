package redact

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
)

// hotWords are parts of names of headers, parameters and similar. If a name
// contains one, its value may be a credential.
var hotWords = []string{"auth", "token", "key", "secret", "pass", "cookie", "session", "credential", "bearer", "jwt", "signature", "private"}

// labelWords are parts of keys of labels whose values may be credentials. "auth"
// and "key" are not among them, because labels use these words for other things.
var labelWords = []string{"token", "secret", "passw", "credential", "apikey", "api-key", "api_key"}

// structures are the names of headers whose values are hosts, paths and similar,
// not credentials.
var structures = []string{":authority", ":method", ":path", ":scheme", ":status", "host"}

// judgeName decides whether the values that belong to a name may be shown. The name
// is the key of a label, or the name of what a matcher compares, such as a header.
func judgeName(name []byte, c Class) judgment {
	lower := strings.ToLower(string(name))
	words := hotWords
	if c == Label {
		words = labelWords
	} else {
		for _, s := range structures {
			if lower == s {
				return structure
			}
		}
		// Istio prefixes the names of a token's claims with "request.auth."
		lower = strings.Replace(lower, "request.auth.", "", 1)
	}
	for _, w := range words {
		if strings.Contains(lower, w) {
			return sensitive
		}
	}
	return harmless
}

// judgeOwner decides whether a matcher on metadata or filter state may be shown, by
// the owner of this data. Istio's own owners store identities and the claims of
// tokens there. Other owners may store anything.
func judgeOwner(name []byte) judgment {
	switch s := string(name); {
	case strings.HasPrefix(s, "io.istio."):
		return structure
	case s == "istio_authn", s == "envoy.filters.http.jwt_authn":
		return harmless
	}
	return sensitive
}

// looksSecret reports whether a value looks generated: it is long and doesn't
// consist of words.
func looksSecret(s []byte) bool {
	const short = 20
	return len(s) >= short && !isScalar(s) && !arePlainWords(s)
}

// isScalar reports whether a text is a number, a time, an address, or a word of an
// enumeration.
func isScalar(s []byte) bool {
	if len(s) > 64 {
		return false
	}
	digits, letters, others := false, 0, false
	for _, c := range s {
		switch {
		case '0' <= c && c <= '9':
			digits = true
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			letters++
		case c == '_':
		case c == '.' || c == ':' || c == '+' || c == '-' || c == '/' || c == '%':
			others = true
		default:
			return false
		}
	}
	// these are scalars, for example: "1.5Gi", "2026-11-22T12:55:15.3Z",
	// "10.0.0.1/8", "250ms", "ROUND_ROBIN"
	return !digits && !others || letters <= 3
}

// arePlainWords reports whether a text consists of words of natural language, with
// short numbers between or after them.
func arePlainWords(s []byte) bool {
	for len(s) > 0 {
		if !isAlnum(s[0]) {
			s = s[1:]
			continue
		}
		n := 1
		for n < len(s) && isAlnum(s[n]) {
			n++
		}
		if !isPlainWord(s[:n]) {
			return false
		}
		s = s[n:]
	}
	return true
}

// isPlainWord reports whether w is letters followed by a few digits, such as
// "http2", or only a few digits. A capital letter is allowed only at the beginning,
// unless all letters are capitals. A very long word is not plain.
func isPlainWord(w []byte) bool {
	const longest, digits, all = 16, 5, 48
	n := 0
	for n < len(w) && !isDigit(w[n]) {
		n++
	}
	word, number := w[:n], w[n:]
	for _, c := range number {
		if !isDigit(c) {
			return false
		}
	}
	if len(word) > all || len(number) > digits {
		return false
	}
	words, upper, run := 1, 0, 0
	for i, c := range word {
		if run++; 'A' <= c && c <= 'Z' {
			upper++
			if i > 0 && word[i-1] >= 'a' {
				words, run = words+1, 1
			}
		}
		if run > longest {
			return false
		}
	}
	return upper == len(word) || words*3 <= len(word)+3
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isAlnum(c byte) bool { return isLetter(c) || c >= 0x80 }

func isLetter(c byte) bool { return letters[c] }

// letters reports for each byte whether it is a letter or digit of ASCII.
var letters = func() (is [256]bool) {
	for c := range is {
		is[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
	}
	return is
}()

// stateLength returns the length of the state at the beginning of a text, such as
// "Unavailable" in "Unavailable: no such file". A state is a word of letters, and a
// colon or the end of the text follows it.
func stateLength(s []byte) int {
	n := 0
	for n < len(s) && n < 24 && !isDigit(s[n]) && isLetter(s[n]) {
		n++
	}
	if n < len(s) && s[n] != ':' {
		return 0
	}
	return n
}

// isWord reports whether a text is a single word, such as a type or a value of an
// enumeration.
func isWord(s []byte) bool {
	for _, c := range s {
		if !isLetter(c) && c != '.' && c != '_' && c != '-' && c != '/' && c != '@' {
			return false
		}
	}
	return len(s) <= 256
}

// isCommand reports whether a text is exactly one command operator of Envoy's format
// strings, such as "%REQ(USER-AGENT)%". Envoy replaces the operator with a value, so
// the text itself contains no secret.
func isCommand(s []byte) bool {
	if len(s) < 3 || s[0] != '%' || s[len(s)-1] != '%' || looksSecret(s) && !bytes.HasPrefix(s, []byte("%START_TIME(%")) {
		return false
	}
	inner := s[1 : len(s)-1]
	for len(inner) > 0 && ('A' <= inner[0] && inner[0] <= 'Z' || inner[0] == '_' || isDigit(inner[0])) {
		inner = inner[1:]
	}
	return len(inner) == 0 || inner[0] == '(' && bytes.IndexByte(inner, ')') > 0 && bytes.IndexByte(inner, ' ') < 0
}

// A part is a range of bytes in a text.
type part struct{ from, to int }

// secretParts returns the parts of a text that are secret because of their position.
// These are the user information before the host of a URL and, if the whole text is
// a URL or a path, everything after its path.
func secretParts(s []byte, url bool) (parts []part) {
	if colon := bytes.IndexByte(s, ':'); colon < 0 {
	} else if at := bytes.Index(s[colon:], []byte("://")); at >= 0 {
		from := colon + at + 3
		host := s[from:]
		if end := bytes.IndexAny(host, "/?# \""); end >= 0 {
			host = host[:end]
		}
		if user := bytes.LastIndexByte(host, '@'); user > 0 {
			parts = append(parts, part{from, from + user})
		}
	}
	if url {
		if at := bytes.IndexAny(s, "?#"); at >= 0 && at+1 < len(s) {
			parts = append(parts, part{at + 1, len(s)})
		}
	}
	return parts
}

// marks are the first characters of private keys and of the tokens of some
// issuers.
var marks = [][]byte{
	[]byte("-----BEGIN"), []byte("LS0tLS1CRUdJTi"), []byte("ghp_"), []byte("gho_"), []byte("ghs_"), []byte("github_pat_"), []byte("glpat-"),
	[]byte("xoxb-"), []byte("xoxp-"), []byte("sk_live_"), []byte("sk-ant-"), []byte("AKIA"), []byte("AIza"), []byte("hvs."),
	[]byte("eyJ"),
}

// schemes are the authentication schemes of headers with credentials.
var schemes = []string{"bearer ", "basic ", "digest "}

// containsSecret reports whether a text contains a secret that can be recognized by its
// form: a key in PEM, a token of a known form, or the credentials of an
// authentication scheme.
func containsSecret(s []byte) bool {
	const shortest = 12
	if len(s) < shortest {
		return false
	}
	within := false // true while the loop is inside a word
	for i, c := range s {
		switch {
		case within && isLetter(c):
			continue
		case c == ' ' && endsInScheme(s[:i+1]) && i+1 < len(s) && isLetter(s[i+1]):
			return true
		}
		if within = isLetter(c); c != '-' && !within || len(s)-i < shortest {
			continue
		}
		switch c {
		case '-', 'L', 'g', 'x', 's', 'A', 'h', 'e':
			for _, m := range marks {
				if bytes.HasPrefix(s[i:], m) && (c != 'e' || bytes.IndexByte(s[i:], '.') > 10) {
					return true
				}
			}
		}
	}
	return false
}

func endsInScheme(s []byte) bool {
	for _, scheme := range schemes {
		if n := len(s) - len(scheme); n >= 0 && bytes.EqualFold(s[n:], []byte(scheme)) {
			return true
		}
	}
	return false
}

// isCertificates reports whether a text consists of certificates and nothing else,
// in PEM or in base64-encoded PEM.
func isCertificates(s []byte) bool {
	rest := s
	if !bytes.HasPrefix(s, []byte("-----BEGIN")) {
		out := make([]byte, base64.StdEncoding.DecodedLen(len(s)))
		n, err := base64.StdEncoding.Decode(out, s)
		if err != nil {
			return false
		}
		rest = out[:n]
	}
	found := false
	for len(bytes.TrimSpace(rest)) > 0 {
		if !bytes.HasPrefix(bytes.TrimSpace(rest), []byte("-----BEGIN")) {
			return false
		}
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || len(block.Headers) > 0 {
			return false
		}
		switch block.Type {
		case "CERTIFICATE":
			if _, err := x509.ParseCertificate(block.Bytes); err != nil {
				return false
			}
		default:
			return false
		}
		found = true
	}
	return found
}
