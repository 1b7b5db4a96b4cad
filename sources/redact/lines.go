package redact

import (
	"bytes"
	"io"
)

// A LineReader gives a body of text, as old Envoys write lists and all write
// loggers and counters, without what is free text in it: a line is names
// joined by colons, or a name and a number or word.
type LineReader struct {
	policy *Policy
	lines  Reader // for its digests
	src    io.Reader
	in     []byte
	out    []byte
	err    error
}

// NewLineReader gives a LineReader of a body.
func (p *Policy) NewLineReader(src io.Reader) *LineReader {
	return &LineReader{policy: p, lines: Reader{policy: p}, src: src}
}

// Counts says what was found so far.
func (l *LineReader) Counts() Counts { return l.lines.found }

func (l *LineReader) Read(p []byte) (int, error) {
	const longest = 1 << 20 // a line; what is longer is digested in parts
	for len(l.out) == 0 {
		if end := bytes.IndexByte(l.in, '\n'); end >= 0 {
			l.line(l.in[:end])
			l.out = append(l.out, '\n')
			l.in = l.in[end+1:]
			continue
		}
		if l.err != nil || len(l.in) >= longest {
			if len(l.in) == 0 {
				return 0, l.err
			}
			l.line(l.in)
			l.in = nil
			continue
		}
		buf := make([]byte, 32<<10)
		n, err := l.src.Read(buf)
		l.in, l.err = append(l.in, buf[:n]...), err
	}
	n := copy(p, l.out)
	l.out = l.out[n:]
	return n, nil
}

// line writes a line, or what stands for what is behind its name.
func (l *LineReader) line(s []byte) {
	text := bytes.TrimRight(s, "\r")
	if l.policy.asGiven {
		l.out = append(l.out, s...)
		return
	}
	name, value, pair := bytes.Cut(text, []byte(": "))
	switch {
	case tellsItself(text) || len(secretParts(text, false)) > 0:
		l.out = append(l.out, l.lines.digest(text)...)
	case !pair && bytes.IndexByte(bytes.TrimSpace(text), ' ') < 0, string(text) == "active loggers:":
		l.out = append(l.out, s...)
	case pair && bytes.IndexByte(bytes.TrimSpace(name), ' ') < 0 && areFigures(value):
		l.out = append(l.out, s...)
	case pair && bytes.IndexByte(bytes.TrimSpace(name), ' ') < 0:
		l.out = append(append(append(l.out, name...), ": "...), l.lines.digest(value)...)
	default:
		l.out = append(l.out, l.lines.digest(text)...)
	}
}

// areFigures tells whether a value is a number, the quantiles of a histogram,
// or one short word.
func areFigures(s []byte) bool {
	words := bytes.Fields(s)
	if len(words) == 1 && !looksSecret(s) && isWord(s) {
		return true
	}
	for _, w := range words {
		if w[0] == 'P' && bytes.IndexByte(w, '(') > 0 {
			continue
		}
		if !isScalar(w) || !isDigit(w[len(w)-1]) {
			return false
		}
	}
	return true
}
