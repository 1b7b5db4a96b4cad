package transport

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// A kubeObject is the position of a Kubernetes object in a YAML file in the format
// of `kubectl get -o yaml`. The object is an item of a list, or a document.
type kubeObject struct {
	off, end  int64 // offsets of the object's first line and of the line after it
	item      bool  // true if the object's first line begins with "- "
	version   string
	kind      string
	namespace string
	name      string
}

// resource returns the name of the object's resource, such as
// "virtualservices.networking.istio.io".
func (o kubeObject) resource() string {
	group, _, ok := strings.Cut(o.version, "/")
	if !ok {
		return plural(o.kind)
	}
	return plural(o.kind) + "." + group
}

// plural returns the resource name of a kind. It forms the English plural as
// Kubernetes does, which is correct for all kinds of the mesh and of Kubernetes.
func plural(kind string) string {
	s := strings.ToLower(kind)
	switch {
	case s == "" || s == "endpoints":
		return s
	case strings.HasSuffix(s, "s"), strings.HasSuffix(s, "x"), strings.HasSuffix(s, "ch"):
		return s + "es"
	case strings.HasSuffix(s, "y") && !strings.HasSuffix(s, "ay"):
		return strings.TrimSuffix(s, "y") + "ies"
	}
	return s + "s"
}

// scanObjects finds the objects in a file by the indentation of its lines. It
// doesn't parse their content. In a file that isn't YAML with objects, it finds
// none. lists is true if the file contains a list, even an empty one.
func scanObjects(ctx context.Context, b decode.Bytes) (found []kubeObject, lists bool, err error) {
	s := &objectScan{r: bufio.NewReaderSize(io.NewSectionReader(b, 0, b.Size()), 64<<10)}
	s.begin()
	for {
		if err := context.Cause(ctx); err != nil {
			return nil, false, err
		}
		line, err := s.line()
		if err == io.EOF && s.at == s.next {
			break
		} else if err != nil && err != io.EOF {
			return nil, false, err
		}
		s.take(line)
		s.at = s.next
	}
	s.finish(s.at)
	return s.found, s.lists, nil
}

// maxLine is the maximum number of bytes that are read of a line.
const maxLine = 1 << 10

type objectScan struct {
	r        *bufio.Reader
	at, next int64 // offsets of the current line and of the next one

	found   []kubeObject
	lists   bool // true if the file contains at least one list
	current kubeObject
	within  bool // true if at least one line of the current object was read
	dashes  int  // the indentation of the "- " before each item of a list; -1 outside of a list
	base    int  // the indentation of the current object's own fields
	list    bool // true if "items:" was read, but no item yet
	aside   bool // true if the current line belongs to the list itself, not to an object
	meta    int  // the indentation of the fields in metadata; -1 outside of metadata, 0 while it isn't known
}

// begin resets the scan for a new YAML document.
func (s *objectScan) begin() {
	s.current = kubeObject{off: s.next}
	s.within, s.dashes, s.base, s.list, s.aside, s.meta = false, -1, 0, false, false, -1
}

// finish records the current object, which ends at the given offset.
func (s *objectScan) finish(end int64) {
	o := s.current
	o.end = end
	if s.within && o.kind != "" && o.version != "" {
		s.found = append(s.found, o)
	}
	s.within = false
}

// line reads the next line without its newline. It returns only the first bytes of
// a long line.
func (s *objectScan) line() ([]byte, error) {
	var first []byte
	for {
		part, err := s.r.ReadSlice('\n')
		s.next += int64(len(part))
		if err == nil && first == nil {
			return bytes.TrimRight(part[:min(len(part), maxLine)], "\r\n"), nil
		}
		if first == nil {
			first = bytes.Clone(part[:min(len(part), maxLine)])
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimRight(first, "\r\n"), err
		}
	}
}

// take processes one line of the file.
func (s *objectScan) take(line []byte) {
	text := bytes.TrimLeft(line, " ")
	indent := len(line) - len(text)
	switch {
	case len(text) == 0 || text[0] == '#':
		return
	case indent == 0 && (bytes.HasPrefix(line, []byte("---")) || bytes.HasPrefix(line, []byte("..."))):
		s.finish(s.at)
		s.begin()
		return
	case s.list:
		s.list = false
		if !bytes.HasPrefix(text, []byte("- ")) {
			return // the list has no items
		}
		s.dashes = indent
	case s.dashes >= 0 && (indent < s.dashes || indent == s.dashes && text[0] != '-'):
		s.finish(s.at) // this line is after the end of the list
		s.dashes, s.aside = -1, true
		return
	case s.dashes < 0 && indent == 0 && bytes.HasPrefix(text, []byte("items:")):
		s.list, s.lists, s.aside = true, true, true
		s.within = false // the document is a list, not an object
		return
	}
	if indent == s.dashes && bytes.HasPrefix(text, []byte("- ")) {
		s.finish(s.at)
		s.current = kubeObject{off: s.at, item: true}
		s.within, s.aside, s.meta = true, false, -1
		text = bytes.TrimLeft(text[1:], " ")
		indent = len(line) - len(text)
		s.base = indent
	}
	if s.aside {
		return
	}
	if indent == s.base || s.meta == 0 || s.meta == indent {
		s.field(indent, string(text))
	}
}

// field processes a line with a field of the current object.
func (s *objectScan) field(indent int, text string) {
	key, value, ok := strings.Cut(text, ":")
	if !ok {
		return
	}
	value = strings.Trim(strings.TrimSpace(value), `"'`)
	if indent == s.base {
		s.within = s.within || s.dashes < 0
		s.meta = -1
		switch key {
		case "apiVersion":
			s.current.version = value
		case "kind":
			s.current.kind = value
		case "metadata":
			s.meta = 0
		}
		return
	}
	if s.meta == 0 {
		s.meta = indent
	}
	if s.meta != indent {
		return
	}
	switch key {
	case "name":
		s.current.name = value
	case "namespace":
		s.current.namespace = value
	}
}
