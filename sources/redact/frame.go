package redact

// A frame is an array or object that contains the current position.
type frame struct {
	array bool
	of    *message // the object's message; nil if it isn't known
	at    *field   // the field that describes an array's elements, a map's values, or the members of an object without a known message
	named judgment // whether the object's values may be shown, according to the name that they belong to, such as the header of a header matcher
	ours  bool     // the object is an environment variable that is a setting of istiod

	object *object // the kind and version that a Kubernetes object has stated so far

	inherited
}

// An object is the kind and the version that a Kubernetes object states.
type object struct{ kind, version string }

// fieldOfClass returns a field whose whole content has this class and no known message.
func fieldOfClass(c Class) *field {
	switch c {
	case Digested:
		return openField
	case Dropped:
		return droppedField
	}
	return &field{class: c, all: true}
}

// inherited is the set of rules that apply to everything inside an array or object.
type inherited struct {
	all     Class // the class of everything inside the frame, if isAll is set
	isAll   bool
	matched judgment // the same as named, but for a name in an object around the frame, such as that of a header matcher
	istiod  bool     // the frame is inside istiod's own container
	chosen  bool     // a text in an Any inside the frame is a name
}

// A judgment says whether the values that belong to a name may be shown.
type judgment uint8

const (
	unjudged  judgment = iota
	harmless           // the value may be shown if it doesn't look secret
	sensitive          // the value must not be shown, whatever it is
	structure          // the value is a host, a path or the like
)

// push enters an array or object.
func (r *Reader) push(array bool) error {
	if len(r.stack) == maxDepth {
		return r.broken("nested too deeply", r.at)
	}
	f := frame{array: array}
	at := r.field
	if n := len(r.stack); n > 0 {
		f.inherited = r.stack[n-1].inherited
		if array || !at.dict { // the values of a map are judged by their own keys
			r.influence(&f, &r.stack[n-1], at)
		}
	}
	switch {
	case array && at.dict: // the body has a list where the schema has a map
		f.at = at.value
	case array:
		f.at = at
	case at.dict:
		f.at = at.value
		f.of = dictionary
	default:
		f.of = r.schema.held(at)
		f.at = openField
		if at.all {
			f.at = fieldOfClass(at.class)
		}
	}
	r.stack = append(r.stack, f)
	r.at++
	if r.want = nameOrEnd; array {
		r.want = valueOrEnd
		r.field = f.at
		return nil
	}
	r.readAhead()
	return nil
}

// dictionary is the message of a map, whose members may have any name.
var dictionary = &message{}

// influence sets the inherited rules of a frame, which depend on the field that holds
// the array or object.
func (r *Reader) influence(f, parent *frame, at *field) {
	if f.array && at.class == Matched { // the list holds the values of a matcher, and the matcher's name is beside the list
		f.matched = r.judged(parent)
	}
	if !at.all || f.isAll && f.all == Dropped {
		return
	}
	switch at.class {
	case Matched:
		f.matched = r.judged(parent)
	case Label: // each value of a label selector is judged by its own key
	case Action:
		f.chosen = true
	default:
		f.all, f.isAll = at.class, true
	}
}

// judged combines the judgments of all names that decide whether the next value may be
// shown: its key, the name in another field of its object (such as the name of a
// header), and such a name in an object around it.
func (r *Reader) judged(in *frame) judgment {
	j := max(harmless, r.input, r.keyed)
	if in.of != nil && in.of.naming {
		if in.named == unjudged { // the name comes after the value, so it isn't known yet
			return sensitive
		}
		j = worse(j, in.named)
	}
	return worse(j, in.matched)
}

// worse returns the judgment that has precedence. A value that is a host may be
// shown as one, unless another name says that it is a secret.
func worse(a, b judgment) judgment {
	if a == sensitive || b == sensitive {
		return sensitive
	}
	return max(a, b)
}

// pop leaves an array or object.
func (r *Reader) pop() error {
	r.stack = r.stack[:len(r.stack)-1]
	r.at++
	r.done()
	return nil
}
