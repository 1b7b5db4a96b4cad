package printers

import (
	"context"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// What a cell says where there is nothing to say, as kubectl has it.
const (
	noneCell    = "<none>"    // nothing is there
	unknownCell = "<unknown>" // it can't be had
)

// unhad stands in for what can't be had.
type unhad struct{}

// A reading looks into one result. It remembers the first error that ends it:
// not a part that can't be had, that is the affair of a cell.
type reading struct {
	ctx   context.Context
	owner *mesh.Object // the proxy that the result belongs to, if it knows
	near  *neighbours  // what is known of the proxy's other objects; may be nil
	now   time.Time
	wide  bool
	err   error

	ageless bool // nothing is as old as it is
}

// A subject is an object that a row of a table is about. Its methods look only
// at what they are asked for.
type subject struct {
	*reading
	fields *object.Object
	part   *mesh.Object   // of which some fields may be known before the rest is asked for; fields are nil until then
	known  *object.Object // some of the part's fields, which are all that is looked at as a rule
	lost   bool           // the object can't be had: no cell knows anything
	parent *subject       // the object it is in, when that is what was printed
}

// of gives the same for an object inside.
func (s *subject) of(part any) *subject {
	v := s.see(part)
	fields, _ := v.(*object.Object)
	return &subject{reading: s.reading, fields: fields, lost: v == unhad{}, parent: s}
}

// absent tells whether there is no object, only what it would be in.
func (s *subject) absent() bool { return s.fields == nil && s.part == nil && !s.lost }

// member gives a member, nil where there is none.
func (s *subject) member(key string) any {
	if s.fields == nil && s.part != nil {
		if v, ok := s.known.Lookup(key); ok {
			return v
		}
		if v, ok := s.part.Member(key); ok {
			return v
		}
		v := s.see(s.part)
		s.lost = v == unhad{}
		s.fields, _ = v.(*object.Object)
	}
	if s.lost {
		return unhad{}
	}
	return s.fields.Get(key)
}

// see looks at a value one level deep: unhad where it can't be had.
func (s *reading) see(v any) any {
	if s.err != nil {
		return nil
	}
	v, had, err := look(s.ctx, v)
	switch {
	case err != nil:
		s.err = err
		return nil
	case !had:
		return unhad{}
	}
	return v
}

// at gives the member at a path: nil where there is none.
func (s *subject) at(path ...string) any {
	if s.lost {
		return unhad{}
	}
	if len(path) == 0 {
		return s.fields
	}
	v := s.see(s.member(path[0]))
	for _, key := range path[1:] {
		switch fields := v.(type) {
		case *object.Object:
			v = s.see(fields.Get(key))
		case unhad:
			return v
		default:
			return nil
		}
	}
	return v
}

// array gives the elements of an array at a path, none where there is none.
func (s *subject) array(path ...string) []any {
	a, _ := s.at(path...).([]any)
	return a
}

// objects gives the elements of an array at a path, each looked at.
func (s *subject) objects(path ...string) []*subject {
	var out []*subject
	for _, v := range s.array(path...) {
		out = append(out, s.of(v))
	}
	return out
}

// text gives the member at a path as the text of a cell: "" for none and
// null, JSON for what has members.
func (s *subject) text(path ...string) string { return s.show(s.at(path...)) }

func (s *reading) show(v any) string {
	switch v := s.see(v).(type) {
	case nil:
		return ""
	case unhad:
		return unknownCell
	case string:
		return v
	case bool:
		if v {
			return "true"
		}
		return "false"
	case []any, *object.Object:
		text, err := style{escape: jqEscapes}.text(s.ctx, v)
		if err != nil {
			s.err = err
		}
		return string(text)
	default:
		return string(appendNumber(nil, v))
	}
}

// texts gives the elements of an array at a path, each as text.
func (s *subject) texts(path ...string) []string {
	var out []string
	for _, v := range s.array(path...) {
		out = append(out, s.show(v))
	}
	return out
}

// seconds gives an age, a number of seconds, in kubectl's short form: "5m".
func (s *subject) seconds(path ...string) string {
	if s.ageless {
		return ""
	}
	text := s.text(path...)
	if text == "" {
		return ""
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return unknownCell
	}
	return duration.HumanDuration(time.Duration(f * float64(time.Second)))
}

// since gives how long ago a time was, in kubectl's short form.
func (s *subject) since(path ...string) string {
	if s.ageless {
		return ""
	}
	text := s.text(path...)
	if text == "" {
		return ""
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || s.now.IsZero() {
		return unknownCell
	}
	return duration.HumanDuration(s.now.Sub(t))
}

// until gives how far ahead a time is, in kubectl's short form, and how long
// ago with a minus.
func (s *subject) until(path ...string) string {
	if s.ageless {
		return ""
	}
	text := s.text(path...)
	if text == "" {
		return ""
	}
	t, err := time.Parse(time.RFC3339, text)
	switch {
	case err != nil || s.now.IsZero():
		return unknownCell
	case t.Before(s.now):
		return "-" + duration.HumanDuration(s.now.Sub(t))
	}
	return duration.HumanDuration(t.Sub(s.now))
}

// name is what the object is called by.
func (s *subject) name() string {
	for _, path := range [][]string{{"metadata", "name"}, {"id"}, {"name"}, {"address"}, {"uid"}} {
		if name := s.text(path...); name != "" {
			return name
		}
	}
	return ""
}

// pairs gives the members of an object at a path as kubectl prints labels:
// key=value, by key.
func (s *subject) pairs(path ...string) string {
	fields, ok := s.at(path...).(*object.Object)
	if !ok {
		return s.text(path...)
	}
	var all []string
	for _, key := range fields.Sorted() {
		all = append(all, key+"="+s.show(fields.Get(key)))
	}
	return strings.Join(all, ",")
}
