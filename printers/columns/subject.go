package columns

import (
	"context"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/meshq/kubectl-meshq/printers/encode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// These are the texts of empty cells, as in kubectl's tables.
const (
	None    = "<none>"    // there is no value
	Unknown = "<unknown>" // the value is unavailable
)

// unavailable is the value of an unavailable part.
type unavailable struct{}

// A Reading reads the parts of one result. After the first error, which it
// keeps, it reads nothing more. An unavailable part is not an error: its cell
// contains [Unknown].
type Reading struct {
	Context    context.Context
	Owner      *mesh.Object // the proxy to which the result belongs; nil if it isn't known
	Neighbours *Neighbours  // a cache of the proxy's other objects; may be nil
	Now        time.Time
	Wide       bool
	Err        error

	Ageless bool // true to leave ages empty, so that a row changes only if something has happened
}

// A Subject is the object of a row. Its methods load only the parts that they
// return.
type Subject struct {
	*Reading
	fields *object.Object
	// the object, if it is lazy; it is loaded into fields only if a field is
	// read that isn't in known
	part          *mesh.Object
	known         *object.Object // the fields of part that were already loaded, usually all that the row reads
	isUnavailable bool           // true if the object is unavailable, so that all its cells are unknown
	parent        *Subject       // the enclosing object; nil if the object is a result itself
}

// NewSubject returns a subject for a loaded object.
func NewSubject(r *Reading, fields *object.Object) *Subject {
	return &Subject{Reading: r, fields: fields}
}

// NewPartialSubject returns a subject for a lazy object. known has fields of
// the object that are already loaded. The object is loaded only when another
// field is read.
func NewPartialSubject(r *Reading, o *mesh.Object, known *object.Object) *Subject {
	return &Subject{Reading: r, part: o, known: known}
}

// of returns a subject for part, which is an object inside the object of s.
func (s *Subject) of(part any) *Subject {
	v := s.See(part)
	fields, _ := v.(*object.Object)
	return &Subject{Reading: s.Reading, fields: fields, isUnavailable: v == unavailable{}, parent: s}
}

// isAbsent reports whether the subject's object doesn't exist. Its parent may
// exist.
func (s *Subject) isAbsent() bool { return s.fields == nil && s.part == nil && !s.isUnavailable }

// member returns the member with a key, or nil if there is none.
func (s *Subject) member(key string) any {
	if s.fields == nil && s.part != nil {
		if v, ok := s.known.Lookup(key); ok {
			return v
		}
		if v, ok := s.part.Member(key); ok {
			return v
		}
		v := s.See(s.part)
		s.isUnavailable = v == unavailable{}
		s.fields, _ = v.(*object.Object)
	}
	if s.isUnavailable {
		return unavailable{}
	}
	return s.fields.Get(key)
}

// See loads one level of a value. If the value is unavailable, it returns the
// value unavailable{}.
func (s *Reading) See(v any) any {
	if s.Err != nil {
		return nil
	}
	v, had, err := encode.LoadPart(s.Context, v)
	switch {
	case err != nil:
		s.Err = err
		return nil
	case !had:
		return unavailable{}
	}
	return v
}

// at returns the value at a path, or nil if there is none.
func (s *Subject) at(path ...string) any {
	if s.isUnavailable {
		return unavailable{}
	}
	if len(path) == 0 {
		return s.fields
	}
	v := s.See(s.member(path[0]))
	for _, key := range path[1:] {
		switch fields := v.(type) {
		case *object.Object:
			v = s.See(fields.Get(key))
		case unavailable:
			return v
		default:
			return nil
		}
	}
	return v
}

// array returns the elements of the array at a path, or none if there is no
// array.
func (s *Subject) array(path ...string) []any {
	a, _ := s.at(path...).([]any)
	return a
}

// objects returns a subject for each element of the array at a path.
func (s *Subject) objects(path ...string) []*Subject {
	var out []*Subject
	for _, v := range s.array(path...) {
		out = append(out, s.of(v))
	}
	return out
}

// Text returns the value at a path as the text of a cell. The text is empty for
// null or a missing value, and JSON for an array or object.
func (s *Subject) Text(path ...string) string { return s.Show(s.at(path...)) }

// Show returns a value as the text of a cell. The text is empty for null, and
// JSON for an array or object.
func (s *Reading) Show(v any) string {
	switch v := s.See(v).(type) {
	case nil:
		return ""
	case unavailable:
		return Unknown
	case string:
		return v
	case bool:
		if v {
			return "true"
		}
		return "false"
	case []any, *object.Object:
		text, err := encode.Style{Escape: encode.JQEscapes}.Text(s.Context, v)
		if err != nil {
			s.Err = err
		}
		return string(text)
	default:
		return string(encode.AppendNumber(nil, v))
	}
}

// texts returns the elements of the array at a path, each as text.
func (s *Subject) texts(path ...string) []string {
	var out []string
	for _, v := range s.array(path...) {
		out = append(out, s.Show(v))
	}
	return out
}

// seconds returns the age at a path in kubectl's short form, such as "5m". The
// age in the document is a number of seconds.
func (s *Subject) seconds(path ...string) string {
	if s.Ageless {
		return ""
	}
	text := s.Text(path...)
	if text == "" {
		return ""
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return Unknown
	}
	return duration.HumanDuration(time.Duration(f * float64(time.Second)))
}

// instant returns the time at a path. If there is no time, ok is false and text
// is the text of the cell.
func (s *Subject) instant(path []string) (at time.Time, text string, ok bool) {
	given := s.Text(path...)
	if s.Ageless || given == "" {
		return at, "", false
	}
	at, err := time.Parse(time.RFC3339, given)
	if err != nil || s.Now.IsZero() {
		return at, Unknown, false
	}
	return at, "", true
}

// since returns how long ago the time at a path was, in kubectl's short form.
func (s *Subject) since(path ...string) string {
	t, text, ok := s.instant(path)
	if !ok {
		return text
	}
	return duration.HumanDuration(s.Now.Sub(t))
}

// until returns how long it is until the time at a path, in kubectl's short
// form. It is negative for a time in the past.
func (s *Subject) until(path ...string) string {
	t, text, ok := s.instant(path)
	switch {
	case !ok:
		return text
	case t.Before(s.Now):
		return "-" + duration.HumanDuration(s.Now.Sub(t))
	}
	return duration.HumanDuration(t.Sub(s.Now))
}

// Name returns the object's name, or another field that identifies the object.
func (s *Subject) Name() string {
	for _, path := range [][]string{{"metadata", "name"}, {"id"}, {"name"}, {"address"}, {"uid"}} {
		if name := s.Text(path...); name != "" {
			return name
		}
	}
	return ""
}

// pairs returns the members of the object at a path as kubectl prints labels,
// as key=value in the order of the keys.
func (s *Subject) pairs(path ...string) string {
	fields, ok := s.at(path...).(*object.Object)
	if !ok {
		return s.Text(path...)
	}
	var all []string
	for _, key := range fields.Sorted() {
		all = append(all, key+"="+s.Show(fields.Get(key)))
	}
	return strings.Join(all, ",")
}
