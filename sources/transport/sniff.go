package transport

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

const tarBlock = 512

// isTar reports whether head begins with a tar header with a valid checksum.
func isTar(head []byte) bool {
	if len(head) < tarBlock {
		return false
	}
	want, err := strconv.ParseInt(strings.Trim(string(head[148:156]), " \x00"), 8, 32)
	if err != nil {
		return false
	}
	sum := int64(8 * ' ') // the checksum is computed as if its own bytes were spaces
	for i, c := range head[:tarBlock] {
		if i < 148 || i >= 156 {
			sum += int64(c)
		}
	}
	return sum == want
}

// isEmptyTar reports whether head consists of the end mark of a tar archive.
func isEmptyTar(head []byte) bool {
	return len(head) >= 2*tarBlock && len(bytes.Trim(head[:2*tarBlock], "\x00")) == 0
}

// looksLikeJSON reports whether head may be the beginning of a JSON value.
func looksLikeJSON(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")
	if len(head) == 0 {
		return false
	}
	switch head[0] {
	case '{', '[', '"':
		return true
	}
	word := head[:min(len(head), 5)]
	return bytes.HasPrefix(word, []byte("null")) || bytes.HasPrefix(word, []byte("true")) || bytes.HasPrefix(word, []byte("false"))
}

// looks returns a description of bytes that can't be opened as a source, for an
// error message.
func looks(head []byte) string {
	for _, known := range foreign {
		if bytes.HasPrefix(head, []byte(known.magic)) {
			return known.name
		}
	}
	if len(head) == 0 {
		return "empty"
	}
	for i := 1; i < utf8.UTFMax && len(head) > 16 && !utf8.Valid(head); i++ {
		head = head[:len(head)-1] // the last character in head may be incomplete
	}
	if utf8.Valid(head) && !bytes.ContainsRune(head, 0) {
		return "text"
	}
	return "binary data"
}

var foreign = []struct{ magic, name string }{
	{"PK\x03\x04", "a zip archive"},
	{"BZh", "packed with bzip2"},
	{"\xfd7zXZ\x00", "packed with xz"},
	{"7z\xbc\xaf\x27\x1c", "a 7z archive"},
	{"\x04\x22\x4d\x18", "packed with lz4"},
	{"\x1f\x8b", "packed with gzip twice"},
	{"\x28\xb5\x2f\xfd", "packed with zstd twice"},
	{"\x7fELF", "a program"},
	{"SQLite format 3\x00", "an SQLite database"},
}

// A sketch is a summary of the beginning of a JSON value. If the value is an
// object, the sketch has the names of the members that were read so far, and the
// text of the member "kind".
type sketch struct {
	first byte // the first byte of the value
	names []string
	kind  string
}

// String describes the value, as in "a JSON array" or "a JSON object (kind List)".
func (s sketch) String() string {
	switch s.first {
	case '[':
		return "a JSON array"
	case '"':
		return "a JSON string"
	case '{':
	default:
		return "a JSON " + map[byte]string{'n': "null", 't': "boolean", 'f': "boolean"}[s.first]
	}
	switch {
	case s.kind != "":
		return fmt.Sprintf("a JSON object (kind %s)", s.kind)
	case len(s.names) == 0:
		return "an empty JSON object"
	}
	names := s.names[:min(len(s.names), 3)]
	more := ""
	if len(s.names) > len(names) {
		more = ", …"
	}
	return fmt.Sprintf("a JSON object (members %s%s)", strings.Join(names, ", "), more)
}

// maxNames is the maximum number of members of an object that are read.
const maxNames = 1000

// sketchJSON reads a JSON value as far as necessary to recognize it: up to the
// first member for which stop returns true. It doesn't validate the JSON.
func sketchJSON(r io.Reader, stop func(name string) bool) sketch {
	l := &skimmer{r: bufio.NewReaderSize(r, 64<<10)}
	s := sketch{first: l.token()}
	if s.first == 0xEF { // skip the byte order mark, whose first byte is 0xEF
		l.next()
		l.next()
		s.first = l.token()
	}
	if s.first != '{' {
		return s
	}
	for c := l.token(); c == '"' && len(s.names) < maxNames; c = l.token() {
		name := l.text()
		s.names = append(s.names, name)
		if stop(name) || l.token() != ':' {
			break
		}
		if text := l.value(); name == "kind" {
			s.kind = text
		}
		if l.token() != ',' {
			break
		}
	}
	return s
}

// A skimmer finds strings and brackets in JSON without validating it. At the end
// of the input, and after an error, each read returns 0.
type skimmer struct{ r *bufio.Reader }

func (l *skimmer) next() byte {
	c, err := l.r.ReadByte()
	if err != nil {
		return 0
	}
	return c
}

// token returns the next byte after white space.
func (l *skimmer) token() byte {
	for {
		switch c := l.next(); c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
}

// text returns the string after an opening quote, without decoding its escapes. It
// returns at most 64 bytes and omits control characters, so that the string is
// safe to print.
func (l *skimmer) text() string {
	var b []byte
	escaped := false
	for c := l.next(); c != 0 && (c != '"' || escaped); c = l.next() {
		escaped = c == '\\' && !escaped
		if len(b) < 64 && c >= ' ' && c != 0x7f {
			b = append(b, c)
		}
	}
	return strings.ToValidUTF8(string(b), "\ufffd")
}

// value skips a value. If the value is a string, it returns the string's text.
func (l *skimmer) value() string {
	depth := 0
	for c := l.token(); c != 0; c = l.token() {
		switch c {
		case '"':
			if text := l.text(); depth == 0 {
				return text
			}
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ',', ':':
			continue
		default: // the value is a number or a word, such as true
			l.word()
		}
		if depth <= 0 {
			return ""
		}
	}
	return ""
}

// word skips the remaining bytes of a number or a word.
func (l *skimmer) word() {
	for {
		switch c := l.next(); c {
		case 0:
			return
		case ',', ':', '}', ']', '{', '[', '"', ' ', '\t', '\r', '\n':
			_ = l.r.UnreadByte()
			return
		}
	}
}
