package redact

import (
	"bytes"
	"io"
)

// A LineReader redacts a body of plain text: the lists of old Envoys, and the
// loggers and counters of all Envoys. Each line is a sequence of names joined by
// colons, or a name with a number or a word. Free text in a line is replaced by a
// digest.
type LineReader struct {
	policy *Policy
	lines  Reader // computes the digests
	src    io.Reader
	in     []byte
	out    []byte
	err    error
}

// NewLineReader returns a LineReader of a body.
func (p *Policy) NewLineReader(src io.Reader) *LineReader {
	return &LineReader{policy: p, lines: Reader{policy: p}, src: src}
}

// Counts returns how many texts were replaced so far.
func (l *LineReader) Counts() Counts { return l.lines.found }

func (l *LineReader) Read(p []byte) (int, error) {
	const longest = 1 << 20 // length of a line in bytes; a longer line is digested in parts
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

// line appends a line to the output. If the line may contain a secret, a digest
// replaces the value after the name, or else the whole line.
func (l *LineReader) line(s []byte) {
	text := bytes.TrimRight(s, "\r")
	if l.policy.asGiven {
		l.out = append(l.out, s...)
		return
	}
	name, value, pair := bytes.Cut(text, []byte(": "))
	plain := bytes.TrimSpace(name)
	switch {
	case containsSecret(text) || len(secretParts(text, false)) > 0:
		l.out = append(l.out, l.lines.digest(text)...)
	case string(text) == "active loggers:":
		l.out = append(l.out, s...)
	case bytes.IndexByte(plain, ' ') >= 0:
		l.out = append(l.out, l.lines.digest(text)...)
	case !pair:
		l.names(text)
	case areFigures(value), isLevel(value), isShortWord(value) && judgeName(plain, Matched) != sensitive:
		l.out = append(l.out, s...)
	default:
		l.out = append(append(append(l.out, name...), ": "...), l.lines.digest(value)...)
	}
}

// names appends a line that is one word, such as "LIVE", or that consists of names
// joined by colons, the last of which is a value:
// "outbound|80||h::10.0.0.1:80::hostname::h".
func (l *LineReader) names(text []byte) {
	parts := bytes.Split(text, []byte("::"))
	for i, part := range parts {
		if i > 0 {
			l.out = append(l.out, "::"...)
		}
		// this part is the name of a cluster or a host
		named := len(parts) > 1 && (i == 0 || string(parts[i-1]) == "hostname")
		if named || isScalar(part) || isSafeWord(part) && (i == 0 || judgeName(parts[i-1], Matched) != sensitive) {
			l.out = append(l.out, part...)
		} else {
			l.out = append(l.out, l.lines.digest(part)...)
		}
	}
}

// isSafeWord reports whether a word may be shown because it doesn't look secret and
// contains no assignment. The hash of a commit is safe: versions contain it.
func isSafeWord(s []byte) bool {
	const commit = 40 // number of hexadecimal digits in the hash of a commit
	if bytes.IndexByte(s, '=') >= 0 {
		return false
	}
	for _, word := range bytes.FieldsFunc(s, func(r rune) bool { return r == '-' || r == '.' || r == '/' }) {
		hex := len(word) == commit && len(bytes.Trim(word, "0123456789abcdef")) == 0
		if looksSecret(word) && !hex {
			return false
		}
	}
	return true
}

// isLevel reports whether a word is a log level.
func isLevel(s []byte) bool {
	switch string(s) {
	case "trace", "debug", "info", "warning", "warn", "error", "critical", "off":
		return true
	}
	return false
}

func isShortWord(s []byte) bool { return !looksSecret(s) && isWord(s) }

// areFigures reports whether a value is a number or the quantiles of a histogram.
func areFigures(s []byte) bool {
	for _, w := range bytes.Fields(s) {
		if w[0] == 'P' && bytes.IndexByte(w, '(') > 0 {
			continue
		}
		if !isScalar(w) || !isDigit(w[len(w)-1]) {
			return false
		}
	}
	return true
}
