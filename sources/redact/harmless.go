package redact

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
)

// hotWords are what the names of headers and the like have in them where the
// value may be a credential.
var hotWords = []string{"auth", "token", "key", "secret", "pass", "cookie", "session", "credential", "bearer", "jwt", "signature", "private"}

// labelWords are those for keys of labels, where "auth" and "key" are words
// like any other.
var labelWords = []string{"token", "secret", "passw", "credential", "apikey", "api-key", "api_key"}

// structures are the names of headers whose values are hosts and the like.
var structures = []string{":authority", ":method", ":path", ":scheme", ":status", "host"}

// judgeName judges the name that a value is matched under, or the key of a label.
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
		lower = strings.Replace(lower, "request.auth.", "", 1) // Istio's word for what a token says
	}
	for _, w := range words {
		if strings.Contains(lower, w) {
			return sensitive
		}
	}
	return harmless
}

// judgeOwner judges whose metadata, or state of a filter, a value is matched
// with: Istio puts identities there, and claims of tokens; others anything.
func judgeOwner(name []byte) judgment {
	switch s := string(name); {
	case strings.HasPrefix(s, "io.istio."):
		return structure
	case s == "istio_authn", s == "envoy.filters.http.jwt_authn":
		return harmless
	}
	return sensitive
}

// looksSecret tells whether a value is one that people make for a machine: long,
// and not of words.
func looksSecret(s []byte) bool {
	const short = 20
	return len(s) >= short && !isScalar(s) && !arePlainWords(s)
}

// isScalar tells whether a text is a number, a time, an address, or a word of
// an enumeration.
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
	return !digits && !others || letters <= 3 // "1.5Gi", "2026-11-22T12:55:15.3Z", "10.0.0.1/8", "250ms", "ROUND_ROBIN"
}

// arePlainWords tells whether a text is made of words as people write them,
// with short numbers between or behind them.
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

// isPlainWord takes letters and then a few digits, "http2", or a few digits. A
// capital begins a word, or all are capitals; no word is very long.
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

// letters are those of ASCII, and digits.
var letters = func() (is [256]bool) {
	for c := range is {
		is[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
	}
	return is
}()

// stateOf gives how much of a text is a word of letters, at its beginning.
func stateOf(s []byte) int {
	n := 0
	for n < len(s) && n < 24 && !isDigit(s[n]) && isLetter(s[n]) {
		n++
	}
	if n < len(s) && s[n] != ':' {
		return 0
	}
	return n
}

// isWord tells whether a text is one word, as types and enumerations are.
func isWord(s []byte) bool {
	for _, c := range s {
		if !isLetter(c) && c != '.' && c != '_' && c != '-' && c != '/' && c != '@' {
			return false
		}
	}
	return len(s) <= 256
}

// isCommand tells whether a text is one command of Envoy's formats and nothing
// else, "%REQ(USER-AGENT)%": it names what is put in its place.
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

// A part is a part of a text.
type part struct{ from, to int }

// secretParts gives the parts of a text that are secrets by their place: what
// is before the host of a URL and, of one that is nothing but a URL or a path,
// what is behind its path.
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

// marks are how keys, and the tokens of some issuers, begin.
var marks = [][]byte{
	[]byte("-----BEGIN"), []byte("LS0tLS1CRUdJTi"), []byte("ghp_"), []byte("gho_"), []byte("ghs_"), []byte("github_pat_"), []byte("glpat-"),
	[]byte("xoxb-"), []byte("xoxp-"), []byte("sk_live_"), []byte("sk-ant-"), []byte("AKIA"), []byte("AIza"), []byte("hvs."),
	[]byte("eyJ"),
}

// schemes are those of headers with credentials.
var schemes = []string{"bearer ", "basic ", "digest "}

// tellsItself tells whether a text is, or has in it, a secret wherever it
// stands: a key's PEM, a token of a known form, credentials of a scheme.
func tellsItself(s []byte) bool {
	const shortest = 12
	if len(s) < shortest {
		return false
	}
	within := false // a word
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

// isCertificates tells whether a text is certificates, in PEM or that in
// base64, and nothing else.
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
