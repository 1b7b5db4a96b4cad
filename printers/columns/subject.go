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

// What a cell says where there is nothing to say, as kubectl has it.
const (
	None    = "<none>"    // nothing is there
	Unknown = "<unknown>" // it can't be had
)

// unhad stands in for what can't be had.
type unhad struct{}

// A Reading looks into one result. It remembers the first error that ends it:
// not a part that can't be had, that is the affair of a cell.
type Reading struct {
	Context    context.Context
	Owner      *mesh.Object // the proxy that the result belongs to, if it knows
	Neighbours *Neighbours  // what is known of the proxy's other objects; may be nil
	Now        time.Time
	Wide       bool
	Err        error

	Ageless bool // nothing is as old as it is
}

// A Subject is an object that a row of a table is about. Its methods look only
// at what they are asked for.
type Subject struct {
	*Reading
	fields *object.Object
	part   *mesh.Object   // of which some fields may be known before the rest is asked for; fields are nil until then
	known  *object.Object // some of the part's fields, which are all that is looked at as a rule
	lost   bool           // the object can't be had: no cell knows anything
	parent *Subject       // the object it is in, when that is what was printed
}

// NewSubject returns an object that is loaded.
func NewSubject(r *Reading, fields *object.Object) *Subject {
	return &Subject{Reading: r, fields: fields}
}

// NewPartialSubject returns an object of which some fields may be known. It is
// loaded only when another field is read.
func NewPartialSubject(r *Reading, o *mesh.Object, known *object.Object) *Subject {
	return &Subject{Reading: r, part: o, known: known}
}

// of gives the same for an object inside.
func (s *Subject) of(part any) *Subject {
	v := s.See(part)
	fields, _ := v.(*object.Object)
	return &Subject{Reading: s.Reading, fields: fields, lost: v == unhad{}, parent: s}
}

// absent tells whether there is no object, only what it would be in.
func (s *Subject) absent() bool { return s.fields == nil && s.part == nil && !s.lost }

// member gives a member, nil where there is none.
func (s *Subject) member(key string) any {
	if s.fields == nil && s.part != nil {
		if v, ok := s.known.Lookup(key); ok {
			return v
		}
		if v, ok := s.part.Member(key); ok {
			return v
		}
		v := s.See(s.part)
		s.lost = v == unhad{}
		s.fields, _ = v.(*object.Object)
	}
	if s.lost {
		return unhad{}
	}
	return s.fields.Get(key)
}

// See looks at a value one level deep: unhad where it can't be had.
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
		return unhad{}
	}
	return v
}

// at gives the member at a path: nil where there is none.
func (s *Subject) at(path ...string) any {
	if s.lost {
		return unhad{}
	}
	if len(path) == 0 {
		return s.fields
	}
	v := s.See(s.member(path[0]))
	for _, key := range path[1:] {
		switch fields := v.(type) {
		case *object.Object:
			v = s.See(fields.Get(key))
		case unhad:
			return v
		default:
			return nil
		}
	}
	return v
}

// array gives the elements of an array at a path, none where there is none.
func (s *Subject) array(path ...string) []any {
	a, _ := s.at(path...).([]any)
	return a
}

// objects gives the elements of an array at a path, each looked at.
func (s *Subject) objects(path ...string) []*Subject {
	var out []*Subject
	for _, v := range s.array(path...) {
		out = append(out, s.of(v))
	}
	return out
}

// Text gives the member at a path as the Text of a cell: "" for none and
// null, JSON for what has members.
func (s *Subject) Text(path ...string) string { return s.Show(s.at(path...)) }

// Show returns a value as the text of a cell: empty for null, JSON for an array
// or object.
func (s *Reading) Show(v any) string {
	switch v := s.See(v).(type) {
	case nil:
		return ""
	case unhad:
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

// texts gives the elements of an array at a path, each as text.
func (s *Subject) texts(path ...string) []string {
	var out []string
	for _, v := range s.array(path...) {
		out = append(out, s.Show(v))
	}
	return out
}

// seconds gives an age, a number of seconds, in kubectl's short form: "5m".
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

// since gives how long ago a time was, in kubectl's short form.
func (s *Subject) since(path ...string) string {
	if s.Ageless {
		return ""
	}
	text := s.Text(path...)
	if text == "" {
		return ""
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || s.Now.IsZero() {
		return Unknown
	}
	return duration.HumanDuration(s.Now.Sub(t))
}

// until gives how far ahead a time is, in kubectl's short form, and how long
// ago with a minus.
func (s *Subject) until(path ...string) string {
	if s.Ageless {
		return ""
	}
	text := s.Text(path...)
	if text == "" {
		return ""
	}
	t, err := time.Parse(time.RFC3339, text)
	switch {
	case err != nil || s.Now.IsZero():
		return Unknown
	case t.Before(s.Now):
		return "-" + duration.HumanDuration(s.Now.Sub(t))
	}
	return duration.HumanDuration(t.Sub(s.Now))
}

// Name is what the object is called by.
func (s *Subject) Name() string {
	for _, path := range [][]string{{"metadata", "name"}, {"id"}, {"name"}, {"address"}, {"uid"}} {
		if name := s.Text(path...); name != "" {
			return name
		}
	}
	return ""
}

// pairs gives the members of an object at a path as kubectl prints labels:
// key=value, by key.
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
