package redact

import (
	"bytes"
	"cmp"
	"slices"
)

// An argument of a command may be a flag with a secret, be the secret of the
// flag before it, or be a script that has such flags, and variables, within.

// arguments tells whether the frame is the words of a command.
func (f *frame) arguments() bool { return f.array && f.rule.role == command }

// judgeArgument looks at a word of a command. One that is too large to be
// looked at is taken out whole.
func (f *frame) judgeArgument(text []byte) judgement {
	asked := f.flag
	f.flag = isSecretFlag(text)
	if text == nil || asked && !isFlag(text) && isSecretValue(text) {
		f.flag = false
		return judgement{verdict: take, rule: rule{kinds: Tokens}}
	}
	return judgement{verdict: comb}
}

// isFlag tells whether a word is a flag, not the value of one. A token may
// begin with a hyphen, and is longer than a short flag.
func isFlag(s []byte) bool {
	return bytes.HasPrefix(s, []byte("--")) || len(s) == 2 && s[0] == '-'
}

// isSecretFlag tells whether a word is a flag whose value is a secret, and is
// the next word.
func isSecretFlag(s []byte) bool {
	return len(s) > 2 && s[0] == '-' && wordEnd(s, 0) == len(s) && isSensitive(s)
}

// isSecretValue tells whether what is given to something with a sensitive name
// may be a secret: neither a yes nor a no, nor a reference to a variable.
func isSecretValue(s []byte) bool {
	switch string(s) {
	case "", "true", "false":
		return false
	}
	if len(s) < 2 || s[0] != '$' {
		return true
	}
	name := s[1:]
	for _, brackets := range []string{"()", "{}"} {
		if name[0] == brackets[0] && name[len(name)-1] == brackets[1] {
			name = name[1 : len(name)-1]
			break
		}
	}
	return len(name) == 0 || wordEnd(name, 0) < len(name)
}

// comb takes out of win[from:to], a word of a command, what is a secret by the
// name before it, and what tells itself.
func (r *Reader) comb(from, to int) {
	text := r.win[from:to]
	if isPackedKey(text) {
		r.scrub(from, to)
		return
	}
	parts := named(text)
	for at := 0; ; {
		p, ok := find(text[at:], len(text)-at)
		if !ok {
			break
		}
		p.from, p.to = p.from+at, p.to+at
		parts, at = append(parts, p), p.to
	}
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(a.from, b.from) })
	for i := 0; i < len(parts); {
		p := parts[i]
		for i++; i < len(parts) && parts[i].from <= p.to; i++ { // one in another, or right behind it
			p.to, p.kinds = max(p.to, parts[i].to), p.kinds|parts[i].kinds
		}
		r.replace(from+p.from, from+p.to, rule{kinds: p.kinds})
	}
}

// named gives the values in s whose names say that they are secrets:
// NAME=value anywhere, and "--name value".
func named(s []byte) (parts []part) {
	for at := 0; at < len(s); {
		end := wordEnd(s, at)
		if end == at {
			at += glyphSize(s[at:])
			continue
		}
		word := s[at:end]
		if !isSensitive(word) {
			at = end
			continue
		}
		from, to := valueOf(s, at, end)
		if from < to && isSecretValue(s[from:to]) {
			parts = append(parts, part{from: from, to: to, kinds: Tokens})
		} else {
			to = end // what follows may have a name itself
		}
		at = to
	}
	return parts
}

// valueOf gives what the name s[at:end] has for a value; nothing if it has
// none.
func valueOf(s []byte, at, end int) (from, to int) {
	flag := s[at] == '-'
	switch {
	case end < len(s) && s[end] == '=' && flag && at == 0: // the word is nothing else
		return end + 1, len(s)
	case end < len(s) && s[end] == '=':
		return unquoted(s, end+1)
	case !flag:
		return 0, 0
	}
	from = end
	for from < len(s) && isSpace(s[from:]) {
		from += glyphSize(s[from:])
	}
	if from == end || isFlag(s[from:wordEnd(s, from)]) {
		return 0, 0
	}
	return unquoted(s, from)
}

// unquoted gives the value that begins at a place: to the quote that closes
// it, or to a space or a quote.
func unquoted(s []byte, at int) (from, to int) {
	quote := quoteOf(s[at:])
	from = at + len(quote)
	for to = from; to < len(s); to += glyphSize(s[to:]) {
		if q := quoteOf(s[to:]); len(quote) > 0 && bytes.Equal(q, quote) || len(quote) == 0 && (len(q) > 0 || isSpace(s[to:])) {
			break
		}
	}
	return from, min(to, len(s))
}

// wordEnd gives the end of a name of a flag or a variable that begins at a place.
func wordEnd(s []byte, at int) int {
	for at < len(s) && (isLetter(s[at]) || s[at] == '-' || s[at] == '_' || s[at] == '.') {
		at++
	}
	return at
}

// quoteOf gives the quote that s begins with, as JSON has it; none: nothing.
func quoteOf(s []byte) []byte {
	switch {
	case bytes.HasPrefix(s, []byte(`\"`)):
		return s[:2]
	case len(s) > 0 && (s[0] == '\'' || s[0] == '`'):
		return s[:1]
	}
	return nil
}

func isSpace(s []byte) bool {
	return s[0] == ' ' || len(s) > 1 && s[0] == '\\' && (s[1] == 'n' || s[1] == 't' || s[1] == 'r')
}

// glyphSize is how many bytes the first character takes, as JSON has it; a
// letter of many bytes is as good as many letters.
func glyphSize(s []byte) int {
	switch {
	case s[0] != '\\' || len(s) == 1:
		return 1
	case s[1] == 'u':
		return min(6, len(s))
	}
	return 2
}
