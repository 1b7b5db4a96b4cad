package redact

import (
	"bytes"
	"encoding/base64"
)

// lookahead is how many bytes behind the start of a pattern tell what it is.
const lookahead = 64

const (
	pemBegin = "-----BEGIN"
	pemEnd   = "-----END"
	pemKey   = "PRIVATE KEY-----"
	bearer   = "bearer"
)

// A part is what of a string is a secret.
type part struct {
	from, to int
	kinds    Kinds
	open     bool // it may go on behind what was looked at
}

// find gives the first secret in s that tells itself and begins before limit.
// Both forms have a space at the end of their first word.
func find(s []byte, limit int) (p part, ok bool) {
	for at := 0; ; at++ {
		space := bytes.IndexByte(s[at:], ' ')
		if space < 0 {
			return p, false
		}
		at += space
		if from := at - len(bearer); from >= 0 && from < limit && bytes.EqualFold(s[from:at], []byte(bearer)) {
			if p, ok := token(s, at); ok {
				return p, true
			}
		}
		if from := at - len(pemBegin); from >= 0 && from < limit && string(s[from:at]) == pemBegin {
			head := s[at:min(len(s), from+lookahead)]
			if bytes.Contains(head, []byte(pemKey)) {
				return pem(s, from), true
			}
		}
	}
}

// token gives what follows the space behind "Bearer"; a pattern or a template
// is none.
func token(s []byte, space int) (part, bool) {
	from := space
	for from < len(s) && s[from] == ' ' {
		from++
	}
	to, letters := from, false
	for ; to < len(s) && inToken(s[to]); to++ {
		letters = letters || isLetter(s[to])
	}
	return part{from: from, to: to, kinds: Tokens, open: to == len(s)}, letters
}

func isLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func inToken(c byte) bool { return isLetter(c) || bytes.IndexByte([]byte("-._~+/="), c) >= 0 }

// pem gives a block to its end, or to that of s.
func pem(s []byte, from int) part {
	end := bytes.Index(s[from:], []byte(pemEnd))
	if end < 0 {
		return part{from: from, to: len(s), kinds: PrivateKeys, open: true}
	}
	to := from + end + len(pemEnd)
	if dashes := bytes.Index(s[to:], []byte("-----")); dashes >= 0 {
		return part{from: from, to: to + dashes + len("-----"), kinds: PrivateKeys}
	}
	return part{from: from, to: len(s), kinds: PrivateKeys}
}

// isPackedKey tells whether s is the beginning of a private key's PEM block in
// base64.
func isPackedKey(s []byte) bool {
	const begin = "LS0tLS1CRUdJTi" // "-----BEGIN" and a bit
	if !bytes.HasPrefix(s, []byte(begin)) {
		return false
	}
	head := s[:min(len(s), lookahead)&^3]
	out := make([]byte, base64.StdEncoding.DecodedLen(len(head)))
	n, _ := base64.StdEncoding.Decode(out, head)
	return bytes.Contains(out[:n], []byte(pemKey[:len("PRIVATE KEY")]))
}
