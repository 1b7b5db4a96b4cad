package redact

import (
	_ "embed"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/meshq/kubectl-meshq/sources/envoy"
)

//go:generate go run ../envoy/fieldgen istio istio.txt
//go:generate go run ../envoy/fieldgen kubernetes kubernetes.txt

//go:embed istio.txt
var istioText string

//go:embed kubernetes.txt
var kubernetesText string

//go:embed answers.txt
var answersText string

// A message is what is known of the fields of one message. One without fields
// is open: nothing is known of it.
type message struct {
	fields    map[string]*field // by both spellings
	rest      *field            // any other
	any       bool              // its @type says what it is
	object    bool              // of Kubernetes: its kind says what it is
	tags      map[string]*field // by both spellings: those whose text decides about the others
	naming    bool              // one of them is the name that others are matched under
	container bool              // of a pod
	variable  bool              // of an environment
	input     bool              // of a tree of matchers: a header
}

// A field says what is at it.
type field struct {
	class  Class
	all    bool   // class is that of all below
	own    bool   // class holds also where something else is said of all around
	number bool   // no text, but a number, a time or a word of an enumeration
	figure bool   // of a number: no word with digits in it
	bytes  bool   // text is base64
	notes  bool   // annotations
	chosen bool   // a text that may be a name
	dict   bool   // a map: its values are what the field says
	holds  string // the message there; "" where it is open
	value  *field // of a map: what its values are

	of atomic.Pointer[message] // holds, once it was asked for
}

// openField is one of which nothing is known.
var openField = &field{all: true}

// droppedField is one all of which is dropped.
var droppedField = &field{class: Dropped, all: true}

// keptField is one of which all is known.
var keptField = &field{class: Kept}

// held returns the message that a field has as its value; nil where the schema
// does not know it.
func (s *schema) held(f *field) *message {
	if f.holds == "" {
		return nil
	}
	m := f.of.Load()
	if m == nil {
		if m = s.message(f.holds); m != nil {
			f.of.Store(m)
		}
	}
	return m
}

// A schema knows messages by their full names. Each is read when it is first
// asked for.
type schema struct {
	lines map[string]string // what is known but Envoy's own
	rows  map[string]Class
	mu    sync.RWMutex
	read  map[string]*message
}

var theSchema = sync.OnceValue(func() *schema { return newSchema(nil) })

// newSchema makes the schema of the table, with more fields that are kept.
func newSchema(keep []string) *schema {
	s := &schema{lines: map[string]string{}, rows: map[string]Class{}, read: map[string]*message{}}
	for _, text := range []string{answersText, istioText, kubernetesText} {
		for line := range strings.Lines(text) {
			name, fields, _ := strings.Cut(strings.TrimSpace(line), " ")
			if name != "#" && !strings.HasPrefix(fields, "#") {
				s.lines[name] += " " + fields
			}
		}
	}
	for _, row := range Rows() {
		for word := range strings.FieldsSeq(row.Of) {
			s.rows[normal(word)] = row.Class
		}
	}
	for _, word := range keep {
		s.rows[normal(word)] = Kept
	}
	return s
}

// normal gives a word of the table with its field in protobuf's JSON form.
func normal(word string) string {
	if of, name, ok := strings.Cut(word, ":"); ok {
		return of + ":" + camel(name)
	}
	return camel(word)
}

// message gives a message by its full name; nil where nothing is known of it.
func (s *schema) message(name string) *message {
	if name == "" {
		return nil
	}
	s.mu.RLock()
	m, ok := s.read[name]
	s.mu.RUnlock()
	if ok {
		return m
	}
	if m = s.builtin(name); m == nil {
		m = s.parse(name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if was, ok := s.read[name]; ok {
		return was
	}
	s.read[name] = m
	return m
}

// parse reads the lines of a message.
func (s *schema) parse(name string) *message {
	lines, known := s.lines[name]
	if line, ok := envoy.FieldLine(name); ok {
		lines, known = lines+" "+line, true
	}
	if !known {
		return nil
	}
	m := &message{fields: map[string]*field{}, rest: openField, container: strings.HasPrefix(name, "k8s.core.") && strings.HasSuffix(name, "Container"), input: strings.HasSuffix(name, ".HttpRequestHeaderMatchInput")}
	for word := range strings.FieldsSeq(lines) {
		s.add(m, name, word)
	}
	return m
}

// add puts a field into a message, if it has none of that name.
func (s *schema) add(m *message, of, word string) {
	name, mark := word, ""
	if i := strings.IndexAny(word, "![#=@*?%"); i >= 0 {
		name, mark = word[:i], word[i:]
	}
	name = strings.TrimPrefix(name, "-")
	name, own, named := strings.Cut(name, "|")
	if !named {
		own = camel(name)
	}
	f := s.field(of, own, mark)
	if f.dict {
		f.value = &field{class: f.class, all: f.all, own: f.own, number: f.number, bytes: f.bytes, notes: f.notes, holds: f.holds}
	}
	m.variable = m.variable || f.class == Variable
	naming := f.class == Naming || f.class == Owning
	m.naming = m.naming || naming
	if name == "~" {
		m.rest = f
		return
	}
	for _, spelling := range []string{name, own} {
		if _, ok := m.fields[spelling]; !ok {
			m.fields[spelling] = f
			if naming || m.container && spelling == "name" {
				if m.tags == nil {
					m.tags = map[string]*field{}
				}
				m.tags[spelling] = f
			}
		}
	}
}

// field makes a field of what stands behind its name.
func (s *schema) field(of, name, mark string) *field {
	class, qualified := s.class(of, name)
	f := &field{class: class}
	mark, sensitive := strings.CutPrefix(mark, "!")
	mark = strings.TrimPrefix(mark, "[]")
	if rest, ok := strings.CutPrefix(mark, "%"); ok {
		f.dict, mark = true, strings.TrimPrefix(rest, "[]")
	}
	switch {
	case mark == "":
	case mark[0] == '#':
		f.number, f.class = true, Kept
	case mark[0] == '=':
		f.holds = absolute(mark[1:], of)
		f.all = qualified && class.spreads() || class == Dropped && strings.HasSuffix(f.holds, ".DataSource")
		if !f.all && class != Word {
			f.class = Digested // of a text where a message should be
		}
	case mark[0] == '@':
		f.holds, f.class = anything, Digested
	default:
		f.all = true
		if class != Dropped && !(qualified && class.spreads()) {
			f.class = Digested
		}
	}
	if sensitive {
		f.class, f.all = Dropped, true
	}
	f.figure = of == "answers.Stat"
	f.notes = f.dict && name == "annotations"
	f.own = f.class == Kept && strings.HasSuffix(of, ".DataSource")
	f.bytes = strings.HasSuffix(name, "Bytes") || of == "k8s.core.Secret" && name == "data"
	return f
}

// class gives what the table says of a field, and whether it names the message.
func (s *schema) class(of, name string) (c Class, qualified bool) {
	dots := 0
	for i := len(of) - 1; i >= -1; i-- {
		if i >= 0 && of[i] != '.' {
			continue
		}
		if c, ok := s.rows[of[i+1:]+":"+name]; ok {
			return c, true
		}
		if dots++; dots == 2 {
			break
		}
	}
	return s.rows[name], false
}

// absolute gives the full name of a message that is named in another.
func absolute(name, in string) string {
	rest, relative := strings.CutPrefix(name, "^")
	if !relative {
		return name
	}
	for i := 1; i < len(in); i++ { // to the first capitalised word, or the definition's path
		if in[i-1] == '.' && 'A' <= in[i] && in[i] <= 'Z' {
			return in[:i] + rest
		}
	}
	return rest
}

// camel is protobuf's JSON name of a field.
func camel(s string) string {
	if strings.IndexByte(s, '_') <= 0 || strings.ToUpper(s) == s {
		return s
	}
	var b strings.Builder
	up := false
	for i := range len(s) {
		switch c := s[i]; {
		case c == '_':
			up = true
		case up && 'a' <= c && c <= 'z':
			b.WriteByte(c - 'a' + 'A')
			up = false
		default:
			b.WriteByte(c)
			up = false
		}
	}
	return b.String()
}

// has tells whether any message, or those whose names end in one, have a field
// of a name.
func (s *schema) has(of, name string) bool {
	found := func(message, fields string) bool {
		if of != "" && message != of && !strings.HasSuffix(message, "."+of) {
			return false
		}
		for word := range strings.FieldsSeq(fields) {
			if i := strings.IndexAny(word, "![#=@*?%|"); i >= 0 {
				word = word[:i]
			}
			if word == name || camel(word) == name {
				return true
			}
		}
		return false
	}
	for message, fields := range s.lines {
		if found(message, fields) {
			return true
		}
	}
	for line := range envoy.FieldLines() {
		if message, fields, _ := strings.Cut(line, " "); found(message, fields) {
			return true
		}
	}
	return false
}
