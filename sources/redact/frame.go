package redact

// A frame is an array or object that the reader is in.
type frame struct {
	array bool
	of    *message // an object's; nil: open
	at    *field   // what an array, a map or an open object is of
	named judgment // the name beside which a matcher's values are
	ours  bool     // that name is one of istiod's settings

	object *object // of Kubernetes, as far as it told

	mood
}

// An object of Kubernetes says what it is.
type object struct{ kind, version string }

// openOf gives the field of an open object, all of which is of a class.
func openOf(c Class) *field {
	switch c {
	case Digested:
		return openField
	case Dropped:
		return droppedField
	}
	return &field{class: c, all: true}
}

// A mood is what holds for all that is below.
type mood struct {
	all     Class // where all is set
	isAll   bool
	matched judgment // texts are values of a matcher
	istiod  bool     // in istiod's own container
	chosen  bool     // a text in an Any is a name
}

// A judgment is that of a name.
type judgment uint8

const (
	unjudged  judgment = iota
	harmless           // the value may be looked at
	sensitive          // whatever the value is
	structure          // it is a host, a path or the like
)

// push begins an array or object.
func (r *Reader) push(array bool) error {
	if len(r.stack) == maxDepth {
		return r.broken("nested too deeply", r.at)
	}
	f := frame{array: array}
	at := r.field
	if n := len(r.stack); n > 0 {
		f.mood = r.stack[n-1].mood
		if array || !at.dict { // a map's values have their own keys
			r.influence(&f, &r.stack[n-1], at)
		}
	}
	switch {
	case array && at.dict: // where a list stands for a map
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
			f.at = openOf(at.class)
		}
	}
	r.stack = append(r.stack, f)
	r.at++
	if r.want = nameOrEnd; array {
		r.want = valueOrEnd
		r.field = f.at
		return nil
	}
	r.foresee()
	return nil
}

// dictionary stands for the message of a map: its members have any names.
var dictionary = &message{}

// influence changes the mood by the field that a frame is at.
func (r *Reader) influence(f, parent *frame, at *field) {
	if f.array && at.class == Matched { // texts: what is beside them is the parent's
		f.matched = r.judged(parent)
	}
	if !at.all || f.isAll && f.all == Dropped {
		return
	}
	switch at.class {
	case Matched:
		f.matched = r.judged(parent)
	case Label: // what selects by labels
	case Action:
		f.chosen = true
	default:
		f.all, f.isAll = at.class, true
	}
}

// judged gives what the names say that the member to come is matched under:
// its own, that beside it, those of what is around.
func (r *Reader) judged(in *frame) judgment {
	j := max(harmless, r.input, r.keyed)
	if in.of != nil && in.of.naming {
		if in.named == unjudged { // its name comes later
			return sensitive
		}
		j = worse(j, in.named)
	}
	return worse(j, in.matched)
}

// worse gives the judgment that goes before another: what is a host may be
// looked at as one, unless somebody says that it is a secret.
func worse(a, b judgment) judgment {
	if a == sensitive || b == sensitive {
		return sensitive
	}
	return max(a, b)
}

// pop ends an array or object.
func (r *Reader) pop() error {
	r.stack = r.stack[:len(r.stack)-1]
	r.at++
	r.done()
	return nil
}
