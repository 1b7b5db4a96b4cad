package redact

// A frame is an array or object that contains the current position.
type frame struct {
	array bool
	of    *message // the schema of the object; nil if it isn't known
	// the field that describes an array's elements, a map's values, or the
	// members of an object whose schema isn't known
	at *field
	// whether the object's values may be shown, judged by the name in the
	// object, such as the name of a matched header
	named judgment
	ours  bool // true if the object is an environment variable that is a setting of istiod

	object *object // the kind and version of a Kubernetes object, as far as they have been read

	inherited
}

// An object is the kind and the version of a Kubernetes object, as its members
// kind and apiVersion contain them.
type object struct{ kind, version string }

// fieldOfClass returns a field with this class for everything inside it. The schema of
// its content is unknown.
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
	all   Class // the class of everything inside the frame; valid if isAll is set
	isAll bool
	// whether the values may be shown, judged by a name in an object around the
	// frame, such as a header matcher's
	matched judgment
	istiod  bool // true if the frame is inside the container that runs istiod
	chosen  bool // true if a text in an Any inside the frame is a name, and therefore kept
}

// A judgment is the decision whether the values that belong to a name, such as
// a header's values, may be shown.
type judgment uint8

const (
	unjudged  judgment = iota
	harmless           // the value may be shown if it doesn't look secret
	sensitive          // the value must not be shown
	structure          // the value is a host, a path or similar, and may be shown
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
		if array || !at.dict { // the keys of a map decide whether its values may be shown
			r.influence(&f, &r.stack[n-1], at)
		}
	}
	switch {
	case array && at.dict: // the schema has a map here, but the body has a list
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

// dictionary is the schema of a map, whose members may have any name.
var dictionary = &message{}

// influence sets the rules that a frame inherits, which depend on the field that
// contains the array or object.
func (r *Reader) influence(f, parent *frame, at *field) {
	// the list has a matcher's values, and the matcher's name is in the object
	// around the list
	if f.array && at.class == Matched {
		f.matched = r.judged(parent)
	}
	if !at.all || f.isAll && f.all == Dropped {
		return
	}
	switch at.class {
	case Matched:
		f.matched = r.judged(parent)
	case Label: // the key of each value in a label selector decides whether that value may be shown
	case Action:
		f.chosen = true
	default:
		f.all, f.isAll = at.class, true
	}
}

// judged combines the judgments of all names that decide whether the next value may be
// shown. These are the value's key, the name in another field of the same object (such
// as the name of a header), and such a name in an enclosing object.
func (r *Reader) judged(in *frame) judgment {
	j := max(harmless, r.input, r.keyed)
	if in.of != nil && in.of.naming {
		if in.named == unjudged { // the name comes after the value, so it hasn't been read yet
			return sensitive
		}
		j = worse(j, in.named)
	}
	return worse(j, in.matched)
}

// worse returns the judgment that takes precedence. A host may be shown, unless
// another name shows that the value is a secret.
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
