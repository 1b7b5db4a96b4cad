package eval

import (
	"reflect"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// owner is the set of containers that one update made itself: nobody else has
// seen them, it may change them in place. It keeps them, as the address of one
// that is gone could be given to another.
type owner map[uintptr]any

func (o owner) has(v any) bool {
	if len(o) == 0 {
		return false
	}
	_, ok := o[pointer(v)]
	return ok
}

func (o owner) add(v any) {
	if o != nil {
		o[pointer(v)] = v
	}
}

func (o owner) drop(v any) { delete(o, pointer(v)) }

// lend is called with a value, found under a path, that the query is about to
// see: it may keep it, and with it all that is inside.
func (o owner) lend(v any, path []any) {
	for _, k := range path {
		if _, ok := k.(*object.Object); ok { // a slice is a view of the array around it
			clear(o)
			return
		}
	}
	o.release(v)
}

func (o owner) release(v any) {
	switch x := v.(type) {
	case []any:
		if o.has(v) {
			o.drop(v)
			for _, w := range x {
				o.release(w)
			}
		}
	case *object.Object:
		if o.has(v) {
			o.drop(v)
			for _, w := range x.All() {
				o.release(w)
			}
		}
	}
}

func pointer(v any) uintptr { return reflect.ValueOf(v).Pointer() }
