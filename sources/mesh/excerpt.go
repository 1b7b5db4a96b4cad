package mesh

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// A ChangedError reports that a section has changed between two requests, so
// that their answers are inconsistent. A caller that has printed nothing yet
// may start again and request all fields at once.
type ChangedError struct{ Name string }

func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s has changed since it was first asked about", cmp.Or(e.Name, "what is in it"))
}

// An Excerpt is a section from which only some fields were requested.
type Excerpt struct {
	Proxy   string // the proxy's id
	Section Section
	Kind    string // the kind of the section's elements
	Owner   *Object
	Asked   Asked
	Known   []*object.Object // the elements, with only the requested fields

	// Whole returns the section with all fields. It is called once for each
	// element from which another field is read, so it should cache the section.
	Whole func(ctx context.Context) (elements []any, err error)

	mu    sync.Mutex
	fits  []any       // the whole section, after it was compared with Known
	place map[nth]int // maps each element of Known to its position in fits
}

// Objects returns the elements. A field that was not requested is read from the
// element with the same name in the whole section. If several elements have
// this name, their order decides: the second such element in Known is the
// second in the whole section. Reading such a field returns a [ChangedError] if
// the whole section has other elements, or other values in the requested
// fields.
func (x *Excerpt) Objects() []any {
	out := make([]any, len(x.Known))
	names := nths{}
	for i, known := range x.Known {
		at := names.next(x.name(known))
		p := NewPartial(known, x.Asked, func(ctx context.Context) (any, error) { return x.find(ctx, at) })
		out[i] = &Object{Kind: x.Kind, Owner: x.Owner, part: p}
	}
	return out
}

// An nth identifies an element by its name and by its position among the
// elements with the same name.
type nth struct {
	name string // the element's name; empty if the elements have no field that names them
	n    int
}

// An nths counts the elements with each name.
type nths map[string]int

func (times nths) next(name any) nth {
	text, _ := name.(string)
	n := times[text]
	times[text]++
	return nth{text, n}
}

// named reports whether elements are identified by their names. If not, they
// are identified by their positions alone.
func (x *Excerpt) named() bool {
	_, asked := x.Asked["name"]
	return asked
}

func (x *Excerpt) name(known *object.Object) any {
	if x.named() {
		return known.Get("name")
	}
	return nil
}

// find returns the element of the whole section that has the given name and
// position.
func (x *Excerpt) find(ctx context.Context, at nth) (any, error) {
	elements, err := x.Whole(ctx)
	if err != nil {
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(elements) > 0 && len(x.fits) == len(elements) && &elements[0] == &x.fits[0] {
		return elements[x.place[at]], nil
	}
	place, err := x.compare(ctx, elements)
	if err != nil {
		return nil, err
	}
	i, ok := place[at]
	if !ok {
		return nil, &Fault{Proxy: x.Proxy, Section: string(x.Section), Err: &ChangedError{at.name}}
	}
	x.fits, x.place = elements, place
	return elements[i], nil
}

// compare compares the whole section with the known elements. It returns the
// index of each known element in the whole section, or nil if the section has
// changed.
func (x *Excerpt) compare(ctx context.Context, whole []any) (map[nth]int, error) {
	if len(whole) != len(x.Known) {
		return nil, nil
	}
	place, names := map[nth]int{}, nths{}
	for i, e := range whole {
		name, err := Get(ctx, e, "name")
		if err != nil {
			return nil, err
		}
		if !x.named() {
			name = nil
		}
		place[names.next(name)] = i
	}
	names = nths{}
	for _, known := range x.Known {
		i, ok := place[names.next(x.name(known))]
		if !ok {
			return nil, nil
		}
		if same, err := agree(ctx, known, whole[i], x.Asked); err != nil || !same {
			return nil, err
		}
	}
	return place, nil
}

// agree reports whether two values are equal in the requested fields. If asked
// is nil, it compares all fields.
func agree(ctx context.Context, a, b any, asked Asked) (bool, error) {
	if asked == nil {
		a, err := Deep(ctx, a)
		if err != nil {
			return false, err
		}
		b, err := Deep(ctx, b)
		return err == nil && object.Equal(a, b), err
	}
	for _, key := range slices.Sorted(maps.Keys(asked)) {
		v, err := Get(ctx, a, key)
		if err != nil {
			return false, err
		}
		w, err := Get(ctx, b, key)
		if err != nil {
			return false, err
		}
		if same, err := agree(ctx, v, w, asked[key]); err != nil || !same {
			return false, err
		}
	}
	return true, nil
}
