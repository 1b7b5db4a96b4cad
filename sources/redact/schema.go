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

// A message describes the fields of one Protobuf message or Kubernetes object. A
// message without fields is open: nothing is known of its content.
type message struct {
	fields map[string]*field // the fields by name, in camelCase and in snake_case
	rest   *field            // describes all fields that aren't listed
	any    bool              // true if the message is an Any, whose @type is the name of the real message
	object bool              // true if the message is a Kubernetes object, whose kind decides its schema
	// the fields whose text decides how the other fields are redacted, by name
	// in camelCase and in snake_case
	tags      map[string]*field
	naming    bool // true if one field contains the name to which the values of the others belong
	container bool // true if the message is a container of a pod
	variable  bool // true if the message is an environment variable
	input     bool // true if the message selects the header that a tree of matchers compares
}

// A field describes the value of one field of a message, and how it is redacted.
type field struct {
	class  Class
	all    bool   // true if class applies to everything inside the field
	own    bool   // true if class applies even inside a field whose class covers everything in it
	number bool   // true if the value is a number, a time or a word of an enumeration, not free text
	figure bool   // true if the value is a number; a word that contains digits isn't one
	bytes  bool   // true if the text is in base64
	notes  bool   // true if the field contains annotations
	chosen bool   // true if the text may be a name
	dict   bool   // true if the field is a map; class and the other attributes then describe its values
	holds  string // the name of the message that the field contains; empty if it isn't known
	value  *field // describes each value, if the field is a map

	of atomic.Pointer[message] // the message whose name is in holds, once it has been looked up
}

// openField is a field whose content isn't known.
var openField = &field{all: true}

// droppedField is a field whose whole content is dropped.
var droppedField = &field{class: Dropped, all: true}

// keptField is a field whose text is kept.
var keptField = &field{class: Kept}

// held returns the message that a field contains, or nil if the schema doesn't have
// it.
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

// A schema finds messages by their full names. Each message is parsed when it is
// first needed.
type schema struct {
	// the lines of the tables, by message; without Envoy's messages, which have
	// a table of their own
	lines map[string]string
	rows  map[string]Class
	mu    sync.RWMutex
	read  map[string]*message
}

var theSchema = sync.OnceValue(func() *schema { return newSchema(nil) })

// newSchema returns a schema with the classes of the table. It also keeps the
// fields in keep.
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

// normal converts a field name in a row of the table to the name that
// protobuf's JSON uses.
func normal(word string) string {
	if of, name, ok := strings.Cut(word, ":"); ok {
		return of + ":" + camel(name)
	}
	return camel(word)
}

// message returns the message with this full name, or nil if no schema has it.
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

// parse builds a message from its lines in the tables.
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

// add adds a field to the message m, unless m already has a field with that
// name.
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

// field builds a field from the marks that follow its name in the table.
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
			f.class = Digested // the class of a text in a field that should contain a message
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

// class returns the class of a field in the table. qualified is true if the row
// names the message as well.
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

// absolute returns the full name of a message. A relative name is resolved in
// the message in.
func absolute(name, in string) string {
	rest, relative := strings.CutPrefix(name, "^")
	if !relative {
		return name
	}
	for i := 1; i < len(in); i++ { // the outer message's path ends after its first part with a capital initial
		if in[i-1] == '.' && 'A' <= in[i] && in[i] <= 'Z' {
			return in[:i] + rest
		}
	}
	return rest
}

// camel converts a field name to the name that protobuf's JSON uses.
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

// has reports whether a message has a field with this name. It checks the messages
// whose full name ends in of, or all messages if of is empty.
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
