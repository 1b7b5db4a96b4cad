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

// A kubeObject is a Kubernetes object in a file of YAML, as `kubectl get -o yaml`
// prints it: an item of a list, or a document.
type kubeObject struct {
	off, end  int64 // its lines
	item      bool  // they begin with "- "
	version   string
	kind      string
	namespace string
	name      string
}

// resource gives the name of its resource: "virtualservices.networking.istio.io".
func (o kubeObject) resource() string {
	group, _, ok := strings.Cut(o.version, "/")
	if !ok {
		return plural(o.kind)
	}
	return plural(o.kind) + "." + group
}

// plural gives the resource of a kind by the rules of English, as Kubernetes
// guesses it; kinds of the mesh and of Kubernetes itself all follow them.
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

// scanObjects finds the objects of a file by the indentation of its lines,
// without reading what they say. A file that is no YAML of objects has none;
// lists tells whether there was a list at all, be it an empty one.
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

// maxLine is how much of a line is looked at.
const maxLine = 1 << 10

type objectScan struct {
	r        *bufio.Reader
	at, next int64 // the line that is looked at, the one after it

	found   []kubeObject
	lists   bool // there was one
	current kubeObject
	within  bool // current has lines
	dashes  int  // the indentation of the items' "- "; -1: not in a list
	base    int  // the indentation of the object's own fields
	list    bool // "items:" was read, its first item not yet
	aside   bool // what is read belongs to the list itself, not to an object
	meta    int  // the indentation of what is in metadata; -1: not in it, 0: not yet known
}

// begin begins a document.
func (s *objectScan) begin() {
	s.current = kubeObject{off: s.next}
	s.within, s.dashes, s.base, s.list, s.aside, s.meta = false, -1, 0, false, false, -1
}

// finish ends the object under way.
func (s *objectScan) finish(end int64) {
	o := s.current
	o.end = end
	if s.within && o.kind != "" && o.version != "" {
		s.found = append(s.found, o)
	}
	s.within = false
}

// line reads the next line, its first bytes if it is long, without its end.
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

// take looks at a line.
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
			return // an empty list
		}
		s.dashes = indent
	case s.dashes >= 0 && (indent < s.dashes || indent == s.dashes && text[0] != '-'):
		s.finish(s.at) // after the list
		s.dashes, s.aside = -1, true
		return
	case s.dashes < 0 && indent == 0 && bytes.HasPrefix(text, []byte("items:")):
		s.list, s.lists, s.aside = true, true, true
		s.within = false // the document is the list, not an object
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

// field looks at a line of the object under way.
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
