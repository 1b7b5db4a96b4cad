package envoy

import (
	"bytes"
	_ "embed"
	"iter"
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

//go:generate go run ./fieldgen envoy fields.txt

//go:embed fields.txt
var fieldText string

// envoyFields returns the table of the fields of Envoy's messages. It is built
// once, for all proxies.
var envoyFields = sync.OnceValue(func() *fieldTable { return newFieldTable(fieldText) })

// A fieldTable contains the fields of messages. It is a text with one line per message,
// sorted by name; its first lines describe the format. A line is parsed when it is first
// needed.
type fieldTable struct {
	text string
	read sync.Map // maps the full name of a message to its *message
}

func newFieldTable(text string) *fieldTable { return &fieldTable{text: text} }

// message returns the shape of a message by its full name, or nil if there is no such
// message.
func (t *fieldTable) message(name string) *message {
	if m, ok := t.read.Load(name); ok {
		return m.(*message)
	}
	line, ok := t.line(name)
	if !ok || line[0] == '#' || strings.HasPrefix(line[len(name):], " #") {
		return nil
	}
	m, _ := t.read.LoadOrStore(line[:len(name)], &message{table: t, name: line[:len(name)], fields: line[len(name):]})
	return m.(*message)
}

// line finds the line of a message by binary search.
func (t *fieldTable) line(name string) (line string, ok bool) {
	lo, hi := 0, len(t.text) // lo and hi are always offsets at which a line starts
	for lo < hi {
		start := strings.LastIndexByte(t.text[lo:(lo+hi)/2], '\n') + 1 + lo
		end := start + strings.IndexByte(t.text[start:], '\n')
		line = t.text[start:end]
		found, _, _ := strings.Cut(line, " ")
		switch {
		case found == name:
			return line, true
		case found < name:
			lo = end + 1
		default:
			hi = start
		}
	}
	return "", false
}

// A message is the shape of one message: the names and the shapes of its members in the
// document.
type message struct {
	table  *fieldTable
	name   string
	fields string

	once    sync.Once
	members map[string]member // the members; each is in the map under Envoy's name and under the document's name
	names   []string          // the names of the fields in the document, in the order of the descriptor
}

type member struct {
	name  string
	shape decode.Shape
}

// Member returns the document's name and the shape of a field. key may be Envoy's name
// or the document's. If the table doesn't have the field, its name is converted to
// lowerCamelCase as for other fields, and its value stays unchanged.
func (m *message) Member(key []byte) (string, decode.Shape) {
	m.once.Do(m.parse)
	if f, ok := m.members[string(key)]; ok {
		return f.name, f.shape
	}
	return renamed(key), nil
}

// Typed implements decode.Shape. It returns false because a message isn't an
// Any.
func (*message) Typed([]byte) (decode.Shape, bool) { return nil, false }

func (m *message) parse() {
	m.members = map[string]member{}
	home, last := packageOf(m.name), m.name[strings.LastIndexByte(m.name, '.')+1:]
	old := strings.HasPrefix(m.name, "envoy.admin.v2alpha.")
	for word := range strings.FieldsSeq(m.fields + retired[m.name]) {
		name, holds, sensitive := word, "", false
		if i := strings.IndexAny(word, "![#=@*?%"); i >= 0 {
			name, sensitive = word[:i], word[i] == '!'
			holds = strings.TrimPrefix(strings.TrimPrefix(word[i:], "!"), "[]")
		}
		if held := untyped[name]; held != "" && old {
			holds = "=" + held
		}
		name, retired := strings.CutPrefix(name, "-")
		name, own, named := strings.Cut(name, "|")
		if !named {
			own = camel(name)
		}
		f := member{own, m.table.shape(holds, home)}
		if sensitive || isSecret(name) && (holds == "" || strings.HasSuffix(holds, "DataSource")) || isSecretMember(last, name) {
			f.shape = decode.Veiled{Shape: f.shape}
		}
		m.members[name], m.members[own] = f, f
		if !retired {
			m.names = append(m.names, own)
		}
	}
}

// retired lists, in the format of the table, fields that early versions of messages had
// and the descriptors no longer have. They are the lists of listeners by state that
// Envoy had before 1.13.
var retired = map[string]string{
	"envoy.admin.v2alpha.ListenersConfigDump": " dynamic_active_listeners[]=^ListenersConfigDump.DynamicListenerState" +
		" dynamic_warming_listeners[]=^ListenersConfigDump.DynamicListenerState dynamic_draining_listeners[]=^ListenersConfigDump.DynamicListenerState",
}

// untyped maps the names of fields to the types of the resources in them. An Envoy of
// version 2 wrote these resources into its dump without the type.
var untyped = map[string]string{
	"cluster": "envoy.api.v2.Cluster", "listener": "envoy.api.v2.Listener",
	"route_config": "envoy.api.v2.RouteConfiguration", "secret": "envoy.api.v2.auth.Secret",
}

// fieldNames returns the names of the message's fields in the document, without the
// fields that only an older version of the message has.
func (m *message) fieldNames() []string {
	m.once.Do(m.parse)
	return m.names
}

// shape returns the shape of a field's value, or nil if the value stays unchanged. holds
// is the field's type in the format of the table. home is the package of the message
// that has the field.
func (t *fieldTable) shape(holds, home string) decode.Shape {
	switch {
	case holds == "" || holds[0] == '#':
		return nil
	case holds == "*":
		return structShape{}
	case holds == "@":
		return anyShape{t}
	case holds == "?":
		return openShape{}
	case holds[0] == '%':
		if inner := t.shape(holds[1:], home); inner != nil {
			return mapShape{inner}
		}
		return nil
	}
	name := holds[1:]
	if name[0] == '^' {
		name = home + "." + name[1:]
	}
	if m := t.message(name); m != nil {
		return m
	}
	return openShape{}
}

// An anyShape is the shape of a google.protobuf.Any, whose @type determines its other
// members.
type anyShape struct{ table *fieldTable }

// Member implements decode.Shape for an Any without a type.
func (anyShape) Member([]byte) (string, decode.Shape) { return "", nil }

// Typed returns the shape of the message that a type URL names. If a type has a special
// JSON form, its value is under "value". The only such type with field names inside is
// another Any.
func (s anyShape) Typed(url []byte) (decode.Shape, bool) {
	if len(url) == 0 { // the decoder calls Typed for every Any, even for one without a type
		return nil, true
	}
	name := typeName(string(url))
	if name == "google.protobuf.Any" {
		return valueShape{s}, true
	}
	if m := s.table.message(name); m != nil {
		return m, true
	}
	return structShape{}, true
}

// valueShape is the shape of an Any whose message has a special JSON form. That form
// is the value of the member "value".
type valueShape struct{ value decode.Shape }

func (s valueShape) Member(key []byte) (string, decode.Shape) {
	if string(key) == "value" {
		return "", s.value
	}
	return "", nil
}

func (valueShape) Typed([]byte) (decode.Shape, bool) { return nil, false }

// mapShape is the shape of a map. Its keys are data and stay unchanged.
type mapShape struct{ value decode.Shape }

func (s mapShape) Member([]byte) (string, decode.Shape) { return "", s.value }

func (mapShape) Typed([]byte) (decode.Shape, bool) { return nil, false }

// Unordered implements [decode.Unordered].
func (mapShape) Unordered() {}

// openShape is the shape of a message whose descriptor is unknown. Every name in it is
// treated as a field name, so it must contain neither maps nor Structs.
type openShape struct{}

func (s openShape) Member(key []byte) (string, decode.Shape) {
	if namesSecret(key) {
		return renamed(key), decode.Veiled{Shape: s}
	}
	return renamed(key), s
}

func (openShape) Typed([]byte) (decode.Shape, bool) { return nil, false }

// typeName returns the full name of the message that a type URL refers to.
func typeName(url string) string { return url[strings.LastIndexByte(url, '/')+1:] }

// packageOf returns the package of a message, which is the part of its full name before
// the first capitalised word.
func packageOf(name string) string {
	for i := 0; i < len(name); i++ {
		if 'A' <= name[i] && name[i] <= 'Z' && (i == 0 || name[i-1] == '.') {
			return strings.TrimSuffix(name[:i], ".")
		}
	}
	return name
}

// renamed returns the document's name for a key that isn't in the table. It returns ""
// if the key is the document's name already.
func renamed(key []byte) string {
	if bytes.IndexByte(key, '_') < 0 {
		return ""
	}
	return camel(string(key))
}

// camel returns Protobuf's JSON name for a field: it removes underscores and capitalises
// the letter after each.
func camel(s string) string {
	i := strings.IndexByte(s, '_')
	if i < 0 {
		return s
	}
	b := append(make([]byte, 0, len(s)), s[:i]...)
	for ; i < len(s); i++ {
		c := s[i]
		if c == '_' {
			continue
		}
		if s[i-1] == '_' && 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		b = append(b, c)
	}
	return string(b)
}

// FieldLine returns the table's entry for one of Envoy's messages, including its retired
// fields. The first lines of the table describe the format.
func FieldLine(name string) (fields string, ok bool) {
	m := envoyFields().message(name)
	if m == nil {
		return "", false
	}
	fields = m.fields + retired[name]
	if strings.HasPrefix(name, "envoy.admin.v2alpha.") {
		for field, of := range untyped {
			fields = strings.Replace(fields, " "+field+"@", " "+field+"="+of, 1)
		}
	}
	return fields, true
}

// FieldLines returns all lines of the table.
func FieldLines() iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(fieldText) {
			if !strings.HasPrefix(line, "#") && !yield(line) {
				return
			}
		}
	}
}
